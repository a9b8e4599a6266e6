package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.reference.TestDevice;

/** Piecewise-linear curves: sums and distributions by their definitions. */
class PwlDataTest {
    private static final int N = 100;

    private record Curves(float[] f, float[] p) {}

    private static Curves draw(int samples, PwlData.Law law, int step) {
        boolean sparse = law != PwlData.Law.REAL;
        try (Device device = TestDevice.open();
                DeviceBuffer f = device.allocate((long) samples * N * Float.BYTES);
                DeviceBuffer p = device.allocate((long) samples * N * Float.BYTES);
                DeviceBuffer seed = device.upload(7L);
                DeviceBuffer counter = device.upload(step)) {
            KernelRuns.run(
                    device, new PwlData(device).curves(samples, N, 0, law, seed, 3, counter, f, sparse ? p : null));
            return new Curves(f.toFloats(), p.toFloats());
        }
    }

    /** f = W p, W[i, j] = [i - j + 1]+, in float64. */
    @ParameterizedTest
    @EnumSource(
            value = PwlData.Law.class,
            names = {"PAPER", "PROGRAM"})
    void curvesAreWTimesTheirEncoding(PwlData.Law law) {
        Curves curves = draw(67, law, 1);
        for (int s = 0; s < 67; s++) {
            int changes = 0;
            for (int i = 0; i < N; i++) {
                double f = 0;
                for (int j = 0; j <= i; j++) {
                    f += (i - j + 1) * (double) curves.p[s * N + j];
                }
                assertEquals(f, curves.f[s * N + i], 2e-5 * 100, "sample " + s + ", point " + i);
                changes += curves.p[s * N + i] != 0 ? 1 : 0;
            }
            assertEquals(3, changes, "sample " + s);
        }
    }

    /**
     * Each position is chosen as often: chi-square of 60,000 positions over n cells, whose 99.99 %
     * point is 99 + 3.72 sqrt(198) and a bit.
     */
    @Test
    void thePapersPositionsAndChangesAreUniform() {
        int samples = 20_000;
        Curves curves = draw(samples, PwlData.Law.PAPER, 1);
        int[] chosen = new int[N];
        double sum = 0, square = 0;
        for (int i = 0; i < samples * N; i++) {
            float a = curves.p[i];
            if (a != 0) {
                chosen[i % N]++;
                sum += a;
                square += a * a;
                assertTrue(a >= -1 && a < 1);
            }
        }
        double expected = 3.0 * samples / N, chiSquare = 0;
        for (int count : chosen) {
            chiSquare += Math.pow(count - expected, 2) / expected;
        }
        assertTrue(chiSquare < 157, "chi-square " + chiSquare);
        assertEquals(0, sum / (3 * samples), 5 * Math.sqrt(1 / 3.0 / (3 * samples)));
        assertEquals(1 / 3.0, square / (3 * samples), 5 * Math.sqrt(4 / 45.0 / (3 * samples)));
    }

    @Test
    void theProgramsSlopesAreItsFourTriples() {
        Set<List<Float>> triples =
                Set.of(List.of(1f, -1f, 1f), List.of(1f, -2f, 1f), List.of(-2f, 1f, -1f), List.of(1f, -1f, 2f));
        int samples = 4_000;
        Curves curves = draw(samples, PwlData.Law.PROGRAM, 1);
        int[] first = new int[2];
        for (int s = 0; s < samples; s++) {
            int row = s * N;
            int[] theta =
                    IntStream.range(0, N).filter(i -> curves.p[row + i] != 0).toArray();
            assertTrue(theta[0] >= 3 && theta[2] <= N - 4, "positions " + List.of(theta[0], theta[2]));
            float slope = 0;
            List<Float> slopes = new ArrayList<>();
            for (int at : theta) {
                slope += curves.p[row + at];
                slopes.add(slope);
            }
            assertTrue(triples.contains(slopes), slopes.toString());
            first[slopes.getFirst() == 1f ? 0 : 1]++;
        }
        assertEquals(0.25 * samples, first[1], 5 * Math.sqrt(samples * 0.25 * 0.75));
    }

    /**
     * With real positions the curve is 0 up to the first and bends three times: its second
     * difference is not 0 in at most six places.
     */
    @Test
    void realPositionsBendBetweenPoints() {
        Curves curves = draw(500, PwlData.Law.REAL, 1);
        for (int s = 0; s < 500; s++) {
            int bends = 0;
            for (int i = 1; i < N - 1; i++) {
                double second = curves.f[s * N + i + 1] - 2.0 * curves.f[s * N + i] + curves.f[s * N + i - 1];
                bends += Math.abs(second) > 1e-3 ? 1 : 0;
            }
            assertTrue(bends <= 6, "sample " + s + " bends " + bends + " times");
        }
    }

    @ParameterizedTest
    @EnumSource(PwlData.Law.class)
    void stepsGiveOtherBatches(PwlData.Law law) {
        assertFalse(Arrays.equals(draw(67, law, 9).f, draw(67, law, 10).f));
    }

    @Test
    void firstEntriesCanBeLeftOut() {
        float[] whole = draw(5, PwlData.Law.PAPER, 4).p;
        try (Device device = TestDevice.open();
                DeviceBuffer f = device.allocate(5L * N * Float.BYTES);
                DeviceBuffer p = device.allocate(5L * (N - 2) * Float.BYTES);
                DeviceBuffer seed = device.upload(7L);
                DeviceBuffer counter = device.upload(4)) {
            KernelRuns.run(device, new PwlData(device).curves(5, N, 2, PwlData.Law.PAPER, seed, 3, counter, f, p));
            float[] rest = p.toFloats();
            for (int s = 0; s < 5; s++) {
                assertArrayEquals(
                        Arrays.copyOfRange(whole, s * N + 2, (s + 1) * N),
                        Arrays.copyOfRange(rest, s * (N - 2), (s + 1) * (N - 2)));
            }
        }
    }

    @Test
    void impossibleCurvesAreRefused() {
        try (Device device = TestDevice.open();
                DeviceBuffer seed = device.upload(1L);
                DeviceBuffer buffer = device.upload(0)) {
            PwlData data = new PwlData(device);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> data.curves(1, 2, 0, PwlData.Law.PAPER, seed, 1, buffer, buffer, buffer));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> data.curves(1, 8, 0, PwlData.Law.PROGRAM, seed, 1, buffer, buffer, buffer));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> data.curves(1, N, 0, PwlData.Law.REAL, seed, 1, buffer, buffer, buffer));
        }
    }
}
