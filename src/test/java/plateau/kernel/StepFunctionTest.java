package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.load.KernelImages;
import plateau.reference.Seeds;
import plateau.reference.TestDevice;

/**
 * The step functions against their formulas, and what they make of values at and past the ends of
 * floats.
 */
class StepFunctionTest extends KernelCases {
    private static final float INFINITY = Float.POSITIVE_INFINITY;

    @ParameterizedTest
    @EnumSource(KernelImages.class)
    void endsAndNotANumber(KernelImages images) {
        float[] scores = {-INFINITY, -1e30f, -1, 0, 2, 1e30f, INFINITY, Float.NaN};
        int n = scores.length;
        try (Device device = TestDevice.open(images);
                Stream stream = device.createStream();
                DeviceBuffer z = device.upload(-1f, 0f, 2f);
                DeviceBuffer c = device.upload(0f, 1000f, 1000f);
                DeviceBuffer r = device.upload(scores);
                DeviceBuffer rounded = device.allocate(r.bytes());
                DeviceBuffer smooth = device.allocate(r.bytes());
                DeviceBuffer derivative = device.allocate(r.bytes())) {
            StepFunction step = new StepFunction(device);
            step.forward(n, 3, z, r, rounded).enqueue(stream);
            step.smoothForward(n, 3, z, z, c, r, smooth, derivative).enqueue(stream);
            stream.synchronize();
            assertArrayEquals(new float[] {-1, -1, -1, 0, 2, 2, 2, -1}, rounded.toFloats());
            // On a rise of height h and steepness c: half way up, with slope c h / 4.
            assertArrayEquals(new float[] {-1, -1, -1, -0.5f, 1, 2, 2, Float.NaN}, smooth.toFloats(), 1e-5f);
            float[] slopes = derivative.toFloats();
            assertArrayEquals(new float[] {0, 0, 0, 250, 500, 0, 0}, java.util.Arrays.copyOf(slopes, n - 1), 1e-3f);
            assertEquals(Float.NaN, slopes[n - 1]);
        }
    }

    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("step_forward", StepFunctionTest::stepForward);
        cases.put("smooth_step_forward", StepFunctionTest::smoothStepForward);
        cases.put("smooth_step_backward", StepFunctionTest::smoothStepBackward);
        cases.put("likeliest_level", StepFunctionTest::likeliestLevel);
        cases.put("step_metrics", StepFunctionTest::stepMetrics);
        return cases;
    }

    private static float[] levels(Seeds seeds, int count) {
        float[] z = new float[count];
        for (int i = 0; i < count; i++) {
            z[i] = -2 + 4f * i / count + 2f * seeds.random().nextFloat() / count;
        }
        return z;
    }

    /** The largest level that is at most r, or the lowest: searched one by one. */
    private static int level(float[] z, float r) {
        int level = 0;
        while (level + 1 < z.length && z[level + 1] <= r) {
            level++;
        }
        return level;
    }

    private static KernelCase stepForward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] z = levels(seeds, seeds.choose(SIZES)), r = seeds.floats(n);
        r[0] = z[z.length / 2]; // exactly on a level
        double[] y = new double[n];
        for (int i = 0; i < n; i++) {
            y[i] = z[level(z, r[i])];
        }
        KernelCase made = new KernelCase(device, "n %d, levels %d".formatted(n, z.length));
        made.runs(new StepFunction(device).forward(n, z.length, made.input(z), made.input(r), made.output("y", y, 0)));
        return made;
    }

    private static KernelCase smoothStepForward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), levels = seeds.choose(1, 2, 17, 52);
        float[] z = levels(seeds, levels), m = seeds.floats(levels), c = new float[levels], r = seeds.floats(n);
        double[] y = new double[n], derivative = new double[n];
        for (int j = 1; j < levels; j++) {
            c[j] = seeds.choose(1, 10, 2000) * (0.5f + seeds.random().nextFloat());
        }
        for (int i = 0; i < n; i++) {
            r[i] = seeds.random().nextInt(8) == 0 ? r[i] * 100 : r[i]; // far out on some sigmoids
            y[i] = z[0];
            for (int j = 1; j < levels; j++) {
                // The argument rounds as a float's; at steepness 2000 that is most of the error.
                double sigmoid = 1 / (1 + Math.exp(-c[j] * (double) (r[i] - m[j])));
                y[i] += ((double) z[j] - z[j - 1]) * sigmoid;
                derivative[i] += ((double) z[j] - z[j - 1]) * c[j] * sigmoid * (1 - sigmoid);
            }
        }
        KernelCase made = new KernelCase(device, "n %d, levels %d".formatted(n, levels));
        made.runs(new StepFunction(device)
                .smoothForward(
                        n,
                        levels,
                        made.input(z),
                        made.input(m),
                        made.input(c),
                        made.input(r),
                        made.sums("y", y, 1e-5),
                        made.output("derivative", derivative, 1e-4)));
        return made;
    }

    private static KernelCase smoothStepBackward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] derivative = seeds.floats(n), dy = seeds.floats(n);
        double[] dr = new double[n];
        for (int i = 0; i < n; i++) {
            dr[i] = (double) dy[i] * derivative[i];
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new StepFunction(device)
                .smoothBackward(n, made.input(derivative), made.input(dy), made.output("dr", dr, 1e-6)));
        return made;
    }

    private static KernelCase likeliestLevel(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), levels = seeds.choose(SIZES);
        float[] z = levels(seeds, levels), logits = seeds.floats(n * levels); // with ties among the zeros
        double[] score = new double[n];
        for (int i = 0; i < n; i++) {
            int likeliest = 0;
            for (int j = 0; j < levels; j++) {
                logits[i * levels + j] = -Math.abs(logits[i * levels + j]);
                likeliest = logits[i * levels + j] > logits[i * levels + likeliest] ? j : likeliest;
            }
            score[i] = z[likeliest];
        }
        KernelCase made = new KernelCase(device, "n %d, levels %d".formatted(n, levels));
        made.runs(new StepFunction(device)
                .likeliestLevel(n, levels, made.input(z), made.input(logits), made.output("score", score, 0)));
        return made;
    }

    private static KernelCase stepMetrics(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES),
                slots = seeds.choose(1, 3, 8),
                step = seeds.random().nextInt(100),
                row = step % slots * 4;
        float[] z = levels(seeds, seeds.choose(SIZES)),
                loss = seeds.losses(n),
                score = seeds.floats(n),
                y = new float[n],
                before = new float[4 * slots];
        double[] ring = new double[4 * slots];
        ring[row] = Float.intBitsToFloat(step);
        for (int i = 0; i < n; i++) {
            y[i] = z[
                    seeds.random().nextBoolean()
                            ? level(z, score[i])
                            : seeds.random().nextInt(z.length)];
            double error = (double) z[level(z, score[i])] - y[i];
            ring[row + 1] += loss[i] / (double) n;
            ring[row + 2] += error * error / n;
            ring[row + 3] += error == 0 ? 1.0 / n : 0;
        }
        KernelCase made =
                new KernelCase(device, "n %d, levels %d, slots %d, step %d".formatted(n, z.length, slots, step));
        made.runs(new StepFunction(device)
                .metrics(
                        n,
                        z.length,
                        made.input(z),
                        made.input(loss),
                        made.input(score),
                        made.input(y),
                        made.input(step),
                        made.outputOver("ring", before, ring, 1e-5),
                        slots));
        return made;
    }
}
