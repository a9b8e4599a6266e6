package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.reference.TestDevice;

/** Distributions of random numbers and of data; their bits are in the table of cases. */
class DataKernelTest {

    private static float[] normals(int n) {
        try (Device device = TestDevice.open();
                DeviceBuffer seed = device.upload(5L);
                DeviceBuffer out = device.allocate((long) n * Float.BYTES)) {
            KernelRuns.run(device, new Initializer(device).standardNormal(n, seed, 2, 7, out));
            return out.toFloats();
        }
    }

    private static float[] truncated(int n) {
        try (Device device = TestDevice.open();
                DeviceBuffer seed = device.upload(5L);
                DeviceBuffer out = device.allocate((long) n * Float.BYTES)) {
            KernelRuns.run(device, new Initializer(device).truncatedNormal(n, seed, 2, 0.5f, out));
            return out.toFloats();
        }
    }

    /**
     * Moments of 200,000 normals within five standard errors of 0, 1, 0 and 3; and the share beyond
     * 1.96.
     */
    @Test
    void normalsAreNormal() {
        int n = 200_000;
        float[] values = normals(n);
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
    @Test
    void truncatedNormalsEndAtTwoSigma() {
        int n = 200_000;
        float[] values = truncated(n);
        double mean = 0, square = 0;
        for (float value : values) {
            assertTrue(Math.abs(value) <= 1, () -> value + " is outside two sigma");
            mean += value / 0.5;
            square += value / 0.5 * (value / 0.5);
        }
        assertEquals(0, mean / n, 5 * Math.sqrt(0.7737 / n));
        assertEquals(0.7737, square / n, 5 / Math.sqrt(n));
    }

    private record Parity(int[] subset, float[] x, float[] y) {}

    private static Parity parity(int n, int d) {
        return parity(n, d, -1, 3, 11);
    }

    private static Parity parity(int n, int d, int size, long seed, int step) {
        try (Device device = TestDevice.open();
                DeviceBuffer subset = device.allocate((long) ParityData.subsetWords(d) * Integer.BYTES);
                DeviceBuffer x = device.allocate((long) n * d * Float.BYTES);
                DeviceBuffer y = device.allocate((long) n * Float.BYTES);
                DeviceBuffer key = device.upload(seed);
                DeviceBuffer counter = device.upload(step)) {
            ParityData data = new ParityData(device);
            KernelRuns.run(device, data.subset(d, size, key, 1, subset));
            KernelRuns.run(device, data.batch(n, d, key, 2, counter, subset, x, y));
            return new Parity(subset.toInts(), x.toFloats(), y.toFloats());
        }
    }

    private static boolean in(int[] subset, int i) {
        return (subset[i / 32] >>> (i % 32) & 1) == 1;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 31, 32, 33, 64, 127, 128, 129, 300})
    void labelsAreTheProductOverTheSubset(int d) {
        int n = 130;
        Parity batch = parity(n, d);
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
        float[] x = parity(n, d).x;
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
        float[] one = parity(64, 20, 4, 3, 11).x;
        assertFalse(Arrays.equals(one, parity(64, 20, 4, 3, 12).x));
        assertFalse(Arrays.equals(one, parity(64, 20, 4, 4, 11).x));
        assertArrayEquals(one, parity(64, 20, 4, 3, 11).x);
    }

    @Test
    void subsetsHaveTheirSizeAndEveryCoordinateIsChosenAsOften() {
        int d = 12, size = 4, draws = 600;
        int[] chosen = new int[d];
        int inHalf = 0;
        for (int seed = 0; seed < draws; seed++) {
            int[] fixed = parity(1, d, size, seed, 0).subset;
            assertEquals(size, Integer.bitCount(fixed[0]));
            for (int i = 0; i < d; i++) {
                chosen[i] += in(fixed, i) ? 1 : 0;
            }
            inHalf += seed < 300 ? Integer.bitCount(parity(1, d, -1, seed, 0).subset[0]) : 0;
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
