package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.reference.TestDevice;

/** Data of the stocks: uniform inputs, labels and signs, but for the right one. */
class StocksDataTest {
    private record Batch(int k, int[] label, int[] x, int[] y, int[] signs) {
        /** z_j of a sample. */
        int sign(int sample, int j) {
            return 1 - 2 * (signs[sample * Math.ceilDiv(k, 32) + j / 32] >>> j % 32 & 1);
        }
    }

    private static Batch draw(int n, int d, int k, int step) {
        try (Device device = TestDevice.open();
                DeviceBuffer label = device.allocate((long) d * Integer.BYTES);
                DeviceBuffer x = device.allocate((long) n * Integer.BYTES);
                DeviceBuffer y = device.allocate((long) n * Integer.BYTES);
                DeviceBuffer signs = device.allocate((long) StocksData.signWords(n, k) * Integer.BYTES);
                DeviceBuffer seed = device.upload(5L);
                DeviceBuffer counter = device.upload(step)) {
            StocksData data = new StocksData(device);
            KernelRuns.run(device, data.labels(d, k, seed, 0, label));
            KernelRuns.run(device, data.batch(n, d, k, seed, 1, counter, label, x, y, signs));
            return new Batch(k, label.toInts(), x.toInts(), y.toInts(), signs.toInts());
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 2", "70, 31, 32", "100, 1000, 10", "100, 1000, 2000"})
    void theRightStockRises(int n, int d, int k) {
        Batch batch = draw(n, d, k, 2);
        assertTrue(Arrays.stream(batch.label).allMatch(label -> label >= 0 && label < k));
        for (int i = 0; i < n; i++) {
            assertTrue(batch.x[i] >= 0 && batch.x[i] < d);
            assertEquals(batch.label[batch.x[i]], batch.y[i]);
            assertEquals(1, batch.sign(i, batch.y[i]));
        }
    }

    /**
     * χ² of counts over bins that are equally likely: its mean is bins − 1, its variance twice
     * that; five standard deviations are allowed on either side.
     */
    private static void assertUniform(int[] values, int bins) {
        double[] counts = new double[bins];
        Arrays.stream(values).forEach(value -> counts[value]++);
        double expected = values.length / (double) bins;
        double square = Arrays.stream(counts)
                .map(count -> (count - expected) * (count - expected) / expected)
                .sum();
        assertEquals(bins - 1, square, 5 * Math.sqrt(2.0 * (bins - 1)));
    }

    @Test
    void inputsAndLabelsAreUniform() {
        Batch batch = draw(16_000, 20_000, 40, 3);
        assertUniform(Arrays.stream(batch.x).map(x -> x / 500).toArray(), 40);
        assertUniform(batch.label, 40);
    }

    /**
     * Of the signs but z_y: the mean, the correlations with neighbours, with the next sample's and
     * with the next step's, and each column's mean.
     */
    @Test
    void signsAreFairAndIndependent() {
        int n = 2_000, k = 70;
        Batch batch = draw(n, 1000, k, 3), later = draw(n, 1000, k, 4);
        double sum = 0, next = 0, below = 0, step = 0;
        double[] columns = new double[k];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < k; j++) {
                int z = j == batch.y[i] ? 0 : batch.sign(i, j);
                sum += z;
                columns[j] += z;
                next += z * batch.sign(i, (j + 1) % k);
                below += z * batch.sign((i + 1) % n, j);
                step += z * later.sign(i, j);
            }
        }
        double deviations = 5 * Math.sqrt((double) n * k);
        assertEquals(0, sum, deviations);
        // z_y = 1 beside and below shifts these by its share of the pairs, 1/k, of a mean of zero.
        assertEquals(0, next, deviations);
        assertEquals(0, below, deviations);
        assertEquals(0, step, deviations);
        Arrays.stream(columns).forEach(column -> assertEquals(0, column, 5 * Math.sqrt(n)));
    }

    @Test
    void stepsGiveOtherBatchesOfTheSameTask() {
        Batch one = draw(64, 100, 100, 7), other = draw(64, 100, 100, 8);
        assertFalse(Arrays.equals(one.x, other.x));
        assertFalse(Arrays.equals(one.signs, other.signs));
        assertArrayEquals(one.label, other.label);
    }

    /** Where z is not looked at, inputs and labels are those of the batch with it. */
    @Test
    void inputsDoNotDependOnSigns() {
        Batch whole = draw(50, 100, 20, 4);
        try (Device device = TestDevice.open();
                DeviceBuffer label = device.upload(whole.label);
                DeviceBuffer x = device.allocate(50L * Integer.BYTES);
                DeviceBuffer y = device.allocate(50L * Integer.BYTES);
                DeviceBuffer seed = device.upload(5L);
                DeviceBuffer step = device.upload(4)) {
            KernelRuns.run(device, new StocksData(device).batch(50, 100, 20, seed, 1, step, label, x, y, null));
            assertArrayEquals(whole.x, x.toInts());
            assertArrayEquals(IntStream.of(x.toInts()).map(i -> whole.label[i]).toArray(), y.toInts());
        }
    }
}
