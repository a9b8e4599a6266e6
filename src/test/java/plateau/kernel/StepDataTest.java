package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.KernelImages;

/** Data of the step functions: the same bits on every build, pinned; distributions; labels against a float64 sum. */
class StepDataTest {
    private static final List<String> BUILDS = List.of("x86-64-v3", "x86-64-v4", "fibers");
    private static final long PINNED_INPUTS = 2152767950L;
    private static final long PINNED_SCORES = 4129125251L;

    /** Around zero, where the scores lie. */
    private static final float[] LEVELS = {-5, -1, -0.2f, 0, 0.1f, 0.15f, 0.175f, 1, 2};

    private record Batch(float[] x, float[] w, float[] z, float[] r, int[] label, float[] y) {}

    private static Device open(String build) {
        if (build.equals("fibers")) {
            return Device.open(DeviceOptions.cpu().withImages(KernelImages.FIBERS));
        }
        System.setProperty("plateau.cpu", build);
        return Device.open(DeviceOptions.cpu());
    }

    @AfterEach
    void anyCpu() {
        System.clearProperty("plateau.cpu");
    }

    private static void run(Device device, Work work) {
        try (Stream stream = device.createStream()) {
            work.enqueue(stream);
            stream.synchronize();
        }
    }

    private static Batch draw(String build, int n, int d, int step) {
        try (Device device = open(build);
                DeviceBuffer x = device.allocate((long) n * d * Float.BYTES);
                DeviceBuffer task = device.allocate((d + 1L) * Float.BYTES);
                DeviceBuffer offsets = device.upload(LEVELS);
                DeviceBuffer z = device.allocate(offsets.bytes());
                DeviceBuffer r = device.allocate((long) n * Float.BYTES);
                DeviceBuffer label = device.allocate(r.bytes());
                DeviceBuffer y = device.allocate(r.bytes());
                DeviceBuffer zero = device.upload(0);
                DeviceBuffer counter = device.upload(step)) {
            StepData data = new StepData(device);
            DeviceBuffer w = task.slice(0, (long) d * Float.BYTES), b = task.slice((long) d * Float.BYTES, Float.BYTES);
            run(device, data.normals(d + 1, 1, 5, 0, zero, task));
            run(device, data.shiftedLevels(LEVELS.length, offsets, b, z));
            run(device, data.normals(n * d, 0.01f, 5, 1, counter, x));
            run(device, data.labels(n, d, LEVELS.length, x, w, b, z, r, label, y));
            return new Batch(x.toFloats(), task.toFloats(), z.toFloats(), r.toFloats(), label.toInts(), y.toFloats());
        }
    }

    private static long crc(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
        bytes.asFloatBuffer().put(values);
        CRC32 crc = new CRC32();
        crc.update(bytes.array());
        return crc.getValue();
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 100", "67, 33", "256, 100", "5, 31"})
    void everyBuildGivesTheSameBits(int n, int d) {
        Batch first = draw("x86-64-v3", n, d, 11);
        for (String build : BUILDS) {
            Batch other = draw(build, n, d, 11);
            assertEquals(crc(first.x), crc(other.x), build);
            assertEquals(crc(first.w), crc(other.w), build);
            assertEquals(crc(first.r), crc(other.r), build);
            assertArrayEquals(first.label, other.label, build);
            assertArrayEquals(first.y, other.y, build);
        }
    }

    /** The bits of the first batch, so that no change of compiler or source passes unseen. */
    @Test
    void bitsArePinned() {
        Batch batch = draw("x86-64-v3", 256, 100, 0);
        assertEquals(PINNED_INPUTS, crc(batch.x));
        assertEquals(PINNED_SCORES, crc(batch.r));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "70, 31", "70, 32", "256, 100"})
    void labelsAreTheLevelsOfTheScores(int n, int d) {
        Batch batch = draw("x86-64-v3", n, d, 2);
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

    /** Moments of 256,000 inputs and their neighbours' correlation, within five standard errors; scores vary as |w| / 100. */
    @Test
    void inputsAreNormalAndIndependent() {
        int n = 2560, d = 100;
        Batch batch = draw("x86-64-v3", n, d, 3);
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
        Batch one = draw("x86-64-v3", 64, 100, 7), other = draw("x86-64-v3", 64, 100, 8);
        assertTrue(crc(one.x) != crc(other.x));
        assertArrayEquals(one.w, other.w);
    }
}
