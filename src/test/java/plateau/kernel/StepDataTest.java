package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.reference.TestDevice;

/** Data of the step functions: distributions; labels against a float64 sum. */
class StepDataTest {

    /** Around zero, where the scores lie. */
    private static final float[] LEVELS = {-5, -1, -0.2f, 0, 0.1f, 0.15f, 0.175f, 1, 2};

    private record Batch(float[] x, float[] w, float[] z, float[] r, int[] label, float[] y) {}

    private static Batch draw(int n, int d, int step) {
        try (Device device = TestDevice.open();
                DeviceBuffer x = device.allocate((long) n * d * Float.BYTES);
                DeviceBuffer task = device.allocate((d + 1L) * Float.BYTES);
                DeviceBuffer offsets = device.upload(LEVELS);
                DeviceBuffer z = device.allocate(offsets.bytes());
                DeviceBuffer r = device.allocate((long) n * Float.BYTES);
                DeviceBuffer label = device.allocate(r.bytes());
                DeviceBuffer y = device.allocate(r.bytes());
                DeviceBuffer seed = device.upload(5L);
                DeviceBuffer zero = device.upload(0);
                DeviceBuffer counter = device.upload(step)) {
            StepData data = new StepData(device);
            DeviceBuffer w = task.slice(0, (long) d * Float.BYTES), b = task.slice((long) d * Float.BYTES, Float.BYTES);
            KernelRuns.run(device, data.normals(d + 1, 1, seed, 0, zero, task));
            KernelRuns.run(device, data.shiftedLevels(LEVELS.length, offsets, b, z));
            KernelRuns.run(device, data.normals(n * d, 0.01f, seed, 1, counter, x));
            KernelRuns.run(device, data.labels(n, d, LEVELS.length, x, w, b, z, r, label, y));
            return new Batch(x.toFloats(), task.toFloats(), z.toFloats(), r.toFloats(), label.toInts(), y.toFloats());
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "70, 31", "70, 32", "256, 100"})
    void labelsAreTheLevelsOfTheScores(int n, int d) {
        Batch batch = draw(n, d, 2);
        float b = batch.w[d];
        for (int j = 0; j < LEVELS.length; j++) {
            assertEquals(LEVELS[j] + b, batch.z[j]);
        }
        for (int i = 0; i < n; i++) {
            double score = b;
            for (int j = 0; j < d; j++) {
                score += (double) batch.x[i * d + j] * batch.w[j];
            }
            assertEquals(score, batch.r[i], 2e-6);
            int level = 0;
            while (level + 1 < LEVELS.length && batch.z[level + 1] <= batch.r[i]) {
                level++;
            }
            assertEquals(level, batch.label[i]);
            assertEquals(batch.z[level], batch.y[i]);
        }
    }

    /**
     * Moments of 256,000 inputs and their neighbours' correlation, within five standard errors;
     * scores vary as |w| / 100.
     */
    @Test
    void inputsAreNormalAndIndependent() {
        int n = 2560, d = 100;
        Batch batch = draw(n, d, 3);
        double mean = 0, square = 0, fourth = 0, next = 0, half = 0, norm = 0, spread = 0;
        for (int i = 0; i < n * d; i++) {
            double value = batch.x[i] * 100.0;
            mean += value;
            square += value * value;
            fourth += Math.pow(value, 4);
            next += value * batch.x[(i + 1) % (n * d)] * 100;
            half += value * batch.x[(i + 64) % (n * d)] * 100; // the pair of the same draw
        }
        double count = n * d, root = Math.sqrt(count);
        assertEquals(0, mean / count, 5 / root);
        assertEquals(1, square / count, 5 * Math.sqrt(2) / root);
        assertEquals(3, fourth / count, 5 * Math.sqrt(96) / root);
        assertEquals(0, next / count, 5 / root);
        assertEquals(0, half / count, 5 / root);
        for (int j = 0; j < d; j++) {
            norm += batch.w[j] * (double) batch.w[j];
        }
        for (float r : batch.r) {
            spread += Math.pow(r - batch.w[d], 2) / n;
        }
        assertEquals(norm / 1e4, spread, 5 * Math.sqrt(2.0 / n) * norm / 1e4);
        assertEquals(d, norm, 5 * Math.sqrt(2.0 * d));
    }

    @Test
    void stepsGiveOtherBatchesOfTheSameTask() {
        Batch one = draw(64, 100, 7), other = draw(64, 100, 8);
        assertFalse(Arrays.equals(one.x, other.x));
        assertArrayEquals(one.w, other.w);
    }
}
