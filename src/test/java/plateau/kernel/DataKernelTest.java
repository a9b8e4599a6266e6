package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;

/** Random numbers and data: published vectors, pinned bits on every build, and distributions. */
class DataKernelTest {
    private static final long PINNED_NORMALS = 1005282162L;
    private static final long PINNED_TRUNCATED = 1418736444L;
    private static final long PINNED_PARITY = 4165402521L;

    @AfterEach
    void anyCpu() {
        Build.clear();
    }

    private static long crc(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
        bytes.asFloatBuffer().put(values);
        CRC32 crc = new CRC32();
        crc.update(bytes.array());
        return crc.getValue();
    }

    /** The vectors published with Random123 (kat_vectors) for philox4x32-10. */
    @RunsKernels("philox_words")
    @Test
    void philoxGivesThePublishedVectors() {
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, philox(0, 0, 0, 0, 0));
        assertArrayEquals(new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, philox(-1, -1, -1, -1, -1));
        assertArrayEquals(
                new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
                philox(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0x299f31d0_a4093822L));
    }

    private static int[] philox(int c0, int c1, int c2, int c3, long seed) {
        int[] first = null;
        for (Build build : Build.all()) {
            try (Device device = build.open();
                    DeviceBuffer out = device.allocate(4 * Integer.BYTES)) {
                KernelRuns.run(
                        device,
                        device.module("data/init").kernel("philox_words").elementwise(1, 1, c0, c1, c2, c3, seed, out));
                int[] words = out.toInts();
                if (first != null) {
                    assertArrayEquals(first, words, build::name);
                }
                first = words;
            }
        }
        return first;
    }

    private static float[] normals(Build build, int n) {
        try (Device device = build.open();
                DeviceBuffer out = device.allocate((long) n * Float.BYTES)) {
            KernelRuns.run(
                    device, device.module("data/init").kernel("standard_normal").elementwise(n, n, 5L, 2, 7, out));
            return out.toFloats();
        }
    }

    private static float[] truncated(Build build, int n) {
        try (Device device = build.open();
                DeviceBuffer out = device.allocate((long) n * Float.BYTES)) {
            KernelRuns.run(device, new Initializer(device).truncatedNormal(n, 5, 2, 0.5f, out));
            return out.toFloats();
        }
    }

    /**
     * Moments of 200,000 normals within five standard errors of 0, 1, 0 and 3; and the share beyond
     * 1.96.
     */
    @RunsKernels("standard_normal")
    @Test
    void normalsAreNormal() {
        int n = 200_000;
        float[] values = normals(Build.AS_USED, n);
        double mean = 0, square = 0, cube = 0, fourth = 0, beyond = 0;
        for (float value : values) {
            mean += value;
            square += Math.pow(value, 2);
            cube += Math.pow(value, 3);
            fourth += Math.pow(value, 4);
            beyond += Math.abs(value) > 1.959964 ? 1 : 0;
        }
        double root = Math.sqrt(n);
        assertEquals(0, mean / n, 5 / root);
        assertEquals(1, square / n, 5 * Math.sqrt(2) / root);
        assertEquals(0, cube / n, 5 * Math.sqrt(15) / root);
        assertEquals(3, fourth / n, 5 * Math.sqrt(96) / root);
        assertEquals(0.05, beyond / n, 5 * Math.sqrt(0.05 * 0.95) / root);
    }

    /** N(0, 1) cut at two sigma has variance 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737. */
    @RunsKernels("truncated_normal")
    @Test
    void truncatedNormalsEndAtTwoSigma() {
        int n = 200_000;
        float[] values = truncated(Build.AS_USED, n);
        double mean = 0, square = 0;
        for (float value : values) {
            assertTrue(Math.abs(value) <= 1, () -> value + " is outside two sigma");
            mean += value / 0.5;
            square += value / 0.5 * (value / 0.5);
        }
        assertEquals(0, mean / n, 5 * Math.sqrt(0.7737 / n));
        assertEquals(0.7737, square / n, 5 / Math.sqrt(n));
    }

    @Test
    void everyBuildGivesTheSameBits() {
        for (Build build : Build.all()) {
            assertEquals(crc(normals(Build.AS_USED, 4099)), crc(normals(build, 4099)), build::name);
            assertEquals(crc(truncated(Build.AS_USED, 4099)), crc(truncated(build, 4099)), build::name);
            assertEquals(crc(parity(Build.AS_USED, 131, 77).x), crc(parity(build, 131, 77).x), build::name);
        }
    }

    /** The bits of the first batches, so that no change of compiler or source passes unseen. */
    @Test
    void bitsArePinned() {
        assertEquals(PINNED_NORMALS, crc(normals(Build.AS_USED, 4099)));
        assertEquals(PINNED_TRUNCATED, crc(truncated(Build.AS_USED, 4099)));
        assertEquals(PINNED_PARITY, crc(parity(Build.AS_USED, 131, 77).x));
    }

    private record Parity(int[] subset, float[] x, float[] y) {}

    private static Parity parity(Build build, int n, int d) {
        return parity(build, n, d, -1, 3, 11);
    }

    private static Parity parity(Build build, int n, int d, int size, long seed, int step) {
        try (Device device = build.open();
                DeviceBuffer subset = device.allocate((long) ParityData.subsetWords(d) * Integer.BYTES);
                DeviceBuffer x = device.allocate((long) n * d * Float.BYTES);
                DeviceBuffer y = device.allocate((long) n * Float.BYTES);
                DeviceBuffer counter = device.upload(step)) {
            ParityData data = new ParityData(device);
            KernelRuns.run(device, data.subset(d, size, seed, 1, subset));
            KernelRuns.run(device, data.batch(n, d, seed, 2, counter, subset, x, y));
            return new Parity(subset.toInts(), x.toFloats(), y.toFloats());
        }
    }

    private static boolean in(int[] subset, int i) {
        return (subset[i / 32] >>> (i % 32) & 1) == 1;
    }

    @RunsKernels({"parity_batch", "parity_subset"})
    @ParameterizedTest
    @ValueSource(ints = {1, 5, 31, 32, 33, 64, 127, 128, 129, 300})
    void labelsAreTheProductOverTheSubset(int d) {
        int n = 130;
        Parity batch = parity(Build.AS_USED, n, d);
        for (int s = 0; s < n; s++) {
            float product = 1;
            for (int i = 0; i < d; i++) {
                float bit = batch.x[s * d + i];
                assertTrue(bit == 1 || bit == -1, () -> bit + " is not a sign");
                product *= in(batch.subset, i) ? bit : 1;
            }
            assertEquals(product, batch.y[s], "sample " + s);
        }
    }

    @Test
    void bitsAreBalancedAndIndependentOfTheirNeighbours() {
        int n = 20_000, d = 40;
        float[] x = parity(Build.AS_USED, n, d).x;
        double bound = 5 / Math.sqrt(n);
        for (int i = 0; i < d; i++) {
            double sum = 0, next = 0, below = 0;
            for (int s = 0; s < n; s++) {
                sum += x[s * d + i];
                next += x[s * d + i] * x[s * d + (i + 1) % d];
                below += x[s * d + i] * x[(s + 1) % n * d + i];
            }
            assertEquals(0, sum / n, bound, "coordinate " + i);
            assertEquals(0, next / n, bound, "coordinates " + i + " and the next");
            assertEquals(0, below / n, bound, "coordinate " + i + " of neighbouring samples");
        }
    }

    @Test
    void stepsAndSeedsGiveOtherBatches() {
        float[] one = parity(Build.AS_USED, 64, 20, 4, 3, 11).x;
        assertTrue(crc(one) != crc(parity(Build.AS_USED, 64, 20, 4, 3, 12).x));
        assertTrue(crc(one) != crc(parity(Build.AS_USED, 64, 20, 4, 4, 11).x));
        assertEquals(crc(one), crc(parity(Build.AS_USED, 64, 20, 4, 3, 11).x));
    }

    @Test
    void subsetsHaveTheirSizeAndEveryCoordinateIsChosenAsOften() {
        int d = 12, size = 4, draws = 600;
        int[] chosen = new int[d];
        int inHalf = 0;
        for (int seed = 0; seed < draws; seed++) {
            int[] fixed = parity(Build.AS_USED, 1, d, size, seed, 0).subset;
            assertEquals(size, Integer.bitCount(fixed[0]));
            for (int i = 0; i < d; i++) {
                chosen[i] += in(fixed, i) ? 1 : 0;
            }
            inHalf += seed < 300 ? Integer.bitCount(parity(Build.AS_USED, 1, d, -1, seed, 0).subset[0]) : 0;
        }
        double expected = draws * (double) size / d, chiSquare = 0;
        for (int count : chosen) {
            chiSquare += Math.pow(count - expected, 2) / expected;
        }
        // Each count's variance is (1 - size/d) of a Poisson's; 99.99 % of chi-square with 11
        // degrees of freedom lies
        // below 37.4.
        assertTrue(chiSquare / (1 - (double) size / d) * (d - 1) / d < 37.4, "chi-square " + chiSquare);
        assertEquals(300 * d / 2.0, inHalf, 5 * Math.sqrt(300 * d / 4.0));
    }
}
