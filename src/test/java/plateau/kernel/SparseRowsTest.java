package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.KernelImages;
import plateau.reference.Seeds;

/** Rows read by index: who else reads a row, and that what a row has missed is what Adam would have done, update by update. */
class SparseRowsTest {
    private static final float BETA1 = 0.9f;
    private static final float BETA2 = 0.99f;
    private static final float EPSILON = 1e-5f;
    private static final SparseRows.Rule RULE = new SparseRows.Rule(BETA1, BETA2, EPSILON);

    private static void run(Device device, Work work) {
        try (Stream stream = device.createStream()) {
            work.enqueue(stream);
            stream.synchronize();
        }
    }

    @ParameterizedTest
    @EnumSource(KernelImages.class)
    void samplesOfARowAreLinked(KernelImages images) {
        for (int[] shape : new int[][] {{1, 1}, {7, 1}, {100, 1000}, {97, 5}, {300, 40}}) {
            Seeds seeds = Seeds.next();
            int n = shape[0];
            int[] x = IntStream.range(0, n).map(i -> seeds.random().nextInt(shape[1])).toArray();
            try (Device device = Device.open(DeviceOptions.cpu().withImages(images));
                    DeviceBuffer rows = device.upload(x);
                    DeviceBuffer links = device.allocate(2L * n * Integer.BYTES)) {
                run(device, new SparseRows(device).links(n, rows, links));
                assertArrayEquals(KernelTest.links(x), links.toInts(), seeds.message("links"));
            }
        }
    }

    private static double rate(int update) {
        return 0.1 * Math.sqrt(1 - Math.pow(BETA2, update)) / (1 - Math.pow(BETA1, update));
    }

    /**
     * One row, last updated as number {@code last}, read {@code missed} updates later, at weights whose s lies anywhere around ε. The whole way is at most about
     * one; an error of 1e-6 of it is that of a few roundings.
     */
    @ParameterizedTest
    @CsvSource({"0, 0", "5, 0", "1, 1", "1, 2", "3, 3", "0, 10", "40, 10", "7, 50", "2000, 30", "1, 400", "900, 5000"})
    void whatWasMissedIsWhatAdamWouldHaveDone(int last, int missed) {
        float[] roots = {0, 1e-9f, 1e-7f, 1e-6f, 3e-6f, 1e-5f, 2e-5f, 5e-5f, 1e-4f, 1e-3f, 0.01f, 1, 10};
        int k = roots.length;
        float[] w = new float[k], m = new float[k], moments = new float[4];
        double[] expected = new double[k], whole = new double[4];
        for (int j = 0; j < k; j++) {
            w[j] = 0.25f;
            m[j] = (j % 2 == 0 ? 1 : -1) * Math.max(roots[j], 1e-9f);
            expected[j] = w[j];
        }
        for (int age = 1; age <= missed; age++) {
            double omega = rate(last + age) * Math.pow(BETA1 * Math.pow(BETA2, -0.25), age);
            for (int p = 0; p < 4; p++) {
                whole[p] += omega * Math.pow(age, p);
                moments[p] = (float) whole[p];
            }
            for (int j = 0; j < k; j++) {
                expected[j] -= rate(last + age) * Math.pow(BETA1, age) * m[j] / (Math.pow(BETA2, age / 2.0) * roots[j] + EPSILON);
            }
        }
        try (Device device = Device.open(DeviceOptions.cpu());
                DeviceBuffer weights = device.upload(w);
                DeviceBuffer means = device.upload(m);
                DeviceBuffer s = device.upload(roots);
                DeviceBuffer updates = device.upload(last);
                DeviceBuffer sums = device.upload(moments);
                DeviceBuffer x = device.upload(0);
                DeviceBuffer step = device.upload(last + missed);
                DeviceBuffer catchUp = device.allocate((long) SparseRows.CATCH_UP_WORDS * Float.BYTES);
                DeviceBuffer rows = device.allocate((long) k * Float.BYTES)) {
            SparseRows launcher = new SparseRows(device);
            SparseRows.Table table = new SparseRows.Table(1, k, weights, means, s, updates, sums);
            run(device, launcher.catchUp(RULE, table, 1, x, step, catchUp));
            run(device, launcher.gather(table, 1, x, catchUp, rows));
            for (int j = 0; j < k; j++) {
                assertEquals(expected[j], rows.toFloats()[j], 6e-8 + 1e-6 * Math.abs(expected[j] - w[j]), "s = " + roots[j]);
            }
            assertEquals(Math.pow(BETA1, missed), catchUp.toFloats()[4], 1e-6, "what is left of m");
            assertEquals(Math.pow(BETA2, missed / 2.0), catchUp.toFloats()[5], 1e-6, "what is left of s");
        }
    }

    /** A mean that lasts as long as the mean square: two nodes no longer tell the updates apart. */
    @ParameterizedTest
    @ValueSource(floats = {0.99f, 0.999f, 1, Float.NaN})
    void constantsThatWouldCostAccuracyAreRefused(float beta1) {
        assertThrows(IllegalArgumentException.class, () -> new SparseRows.Rule(beta1, BETA2, EPSILON));
    }

    @Test
    void usualConstantsAreNot() {
        assertEquals(0.999f, new SparseRows.Rule(0.9f, 0.999f, 1e-8f).beta2());
    }
}
