package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.load.KernelImages;
import plateau.reference.Seeds;
import plateau.reference.TestDevice;

/**
 * Rows read by index: who else reads a row, and that what a row has missed is what Adam would have
 * done, update by update.
 */
class SparseRowsTest extends KernelCases {
    private static final float BETA1 = 0.9f;
    private static final float BETA2 = 0.99f;
    private static final float EPSILON = 1e-5f;
    private static final SparseRows.Rule RULE = new SparseRows.Rule(BETA1, BETA2, EPSILON);

    @RunsKernels("row_links")
    @ParameterizedTest
    @EnumSource(KernelImages.class)
    void samplesOfARowAreLinked(KernelImages images) {
        for (int[] shape : new int[][] {{1, 1}, {7, 1}, {100, 1000}, {97, 5}, {300, 40}}) {
            Seeds seeds = Seeds.next();
            int n = shape[0];
            int[] x = IntStream.range(0, n)
                    .map(i -> seeds.random().nextInt(shape[1]))
                    .toArray();
            try (Device device = TestDevice.open(images);
                    DeviceBuffer rows = device.upload(x);
                    DeviceBuffer links = device.allocate(2L * n * Integer.BYTES)) {
                KernelRuns.run(device, new SparseRows(device).links(n, rows, links));
                assertArrayEquals(links(x), links.toInts(), seeds.message("links"));
            }
        }
    }

    private static double rate(int update) {
        return 0.1 * Math.sqrt(1 - Math.pow(BETA2, update)) / (1 - Math.pow(BETA1, update));
    }

    /**
     * One row, last updated as number {@code last}, read {@code missed} updates later, at weights
     * whose s lies anywhere around ε. The whole way is at most about one; an error of 1e-6 of it is
     * that of a few roundings.
     */
    @RunsKernels("row_catch_up")
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
                expected[j] -= rate(last + age)
                        * Math.pow(BETA1, age)
                        * m[j]
                        / (Math.pow(BETA2, age / 2.0) * roots[j] + EPSILON);
            }
        }
        try (Device device = TestDevice.open();
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
            KernelRuns.run(device, launcher.catchUp(RULE, table, 1, x, step, catchUp));
            KernelRuns.run(device, launcher.gather(table, 1, x, catchUp, rows));
            for (int j = 0; j < k; j++) {
                assertEquals(
                        expected[j], rows.toFloats()[j], 6e-8 + 1e-6 * Math.abs(expected[j] - w[j]), "s = " + roots[j]);
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

    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("gather_rows", SparseRowsTest::gatherRows);
        cases.put("miss_update", SparseRowsTest::missUpdate);
        cases.put("adam_rows", SparseRowsTest::adamRows);
        return cases;
    }

    private static KernelCase gatherRows(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES),
                d = seeds.choose(SIZES),
                k = seeds.choose(SIZES),
                words = SparseRows.CATCH_UP_WORDS;
        int[] x = seeds.ints(n, d);
        float[] w = seeds.floats(d * k),
                m = seeds.floats(d * k),
                s = seeds.losses(d * k),
                catchUp = seeds.losses(n * words);
        double[] rows = new double[n * k];
        for (int i = 0; i < n; i++) {
            catchUp[i * words + 2] += 0.1f;
            catchUp[i * words + 3] += 0.1f;
            for (int j = 0; j < k; j++) {
                int from = x[i] * k + j;
                double constant = catchUp[i * words],
                        slope = catchUp[i * words + 1],
                        low = catchUp[i * words + 2],
                        high = catchUp[i * words + 3];
                rows[i * k + j] =
                        w[from] - m[from] * (constant + slope * s[from]) / ((s[from] + low) * (s[from] + high));
            }
        }
        KernelCase made = new KernelCase(device, "n %d, d %d, k %d".formatted(n, d, k));
        SparseRows.Table table = new SparseRows.Table(
                d,
                k,
                made.input(w),
                made.input(m),
                made.input(s),
                made.input(new int[d]),
                made.scratch(4L * d * Float.BYTES));
        made.runs(new SparseRows(device)
                .gather(table, n, made.input(x), made.input(catchUp), made.output("rows", rows, 1e-5)));
        return made;
    }

    /** Each row's moments go on by rate γʲ jᵖ, where this is its j-th update without a gradient. */
    private static KernelCase missUpdate(Device device, Seeds seeds) {
        int d = seeds.choose(SIZES), step = seeds.choose(0, 1, 40, 70_000);
        float rate = 0.07f;
        double logGamma = Math.log(0.9) - Math.log(0.99) / 4;
        int[] last = seeds.ints(d, Math.min(step, 300) + 1);
        float[] before = seeds.losses(4 * d);
        double[] missed = new double[4 * d];
        for (int row = 0; row < d; row++) {
            last[row] = step - last[row];
            int age = step + 1 - last[row];
            for (int p = 0; p < 4; p++) {
                before[p * d + row] *= (float) Math.pow(10, p);
                missed[p * d + row] = before[p * d + row] + rate * Math.exp(logGamma * age) * Math.pow(age, p);
            }
        }
        KernelCase made = new KernelCase(device, "d %d, step %d".formatted(d, step));
        made.runs(device.module("rows")
                .kernel("miss_update")
                .elementwise(
                        d,
                        d,
                        (float) logGamma,
                        made.input(rate),
                        made.input(step),
                        made.input(last),
                        made.outputOver("missed", before, missed, 1e-6)));
        return made;
    }

    /** Rows that are read once, several times, and not at all. */
    private static KernelCase adamRows(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES),
                d = seeds.choose(1, 2, 17, 61),
                k = seeds.choose(SIZES),
                words = SparseRows.CATCH_UP_WORDS,
                step = 41;
        float rate = 0.07f, beta1 = 0.9f, beta2 = 0.99f, epsilon = 1e-5f;
        int[] x = seeds.ints(n, d), links = links(x);
        float[] w = seeds.floats(d * k),
                m = seeds.floats(d * k),
                s = seeds.losses(d * k),
                rows = seeds.floats(n * k),
                gradient = seeds.floats(n * k),
                catchUp = seeds.losses(n * words);
        float[] missed = seeds.losses(4 * d);
        for (int i = 0; i < s.length; i++) {
            s[i] += 0.1f; // a sum of gradients that cancel, over a root near 0, would say nothing
        }
        for (int i = 0; i < n; i++) {
            catchUp[i * words + 5] += 0.1f;
        }
        double[] newW = doubles(w),
                newM = doubles(m),
                newS = doubles(s),
                sums = doubles(gradient),
                newMissed = doubles(missed);
        for (int i = 0; i < n; i++) {
            if (links[i] >= 0) {
                continue;
            }
            for (int j = 0; j < k; j++) {
                int from = x[i] * k + j;
                for (int other = i + 1; other < n; other++) {
                    sums[i * k + j] += x[other] == x[i] ? gradient[other * k + j] : 0;
                }
                double g = sums[i * k + j];
                newM[from] = beta1 * (double) catchUp[i * words + 4] * m[from] + (1 - (double) beta1) * g;
                newS[from] = Math.sqrt(beta2 * Math.pow(catchUp[i * words + 5] * (double) s[from], 2)
                        + (1 - (double) beta2) * g * g);
                newW[from] = rows[i * k + j] - rate * newM[from] / (newS[from] + epsilon);
            }
            for (int p = 0; p < 4; p++) {
                newMissed[p * d + x[i]] = 0;
            }
        }
        KernelCase made = new KernelCase(device, "n %d, d %d, k %d".formatted(n, d, k));
        made.runs(device.module("rows")
                .kernel("adam_rows")
                .cooperative(
                        Dim.of(n),
                        256,
                        n,
                        d,
                        k,
                        beta1,
                        beta2,
                        epsilon,
                        made.input(rate),
                        made.input(step),
                        made.input(x),
                        made.input(links),
                        made.input(catchUp),
                        made.input(rows),
                        made.outputOver("gradient", gradient, sums, 1e-5),
                        made.outputOver("w", w, newW, 1e-4),
                        made.outputOver("m", m, newM, 1e-5),
                        made.outputOver("s", s, newS, 1e-5),
                        made.input(new int[d]),
                        made.outputOver("missed", missed, newMissed, 0)));
        return made;
    }

    /**
     * For each sample the one before it and the one behind it of the same row, by looking at all.
     */
    private static int[] links(int[] x) {
        int n = x.length;
        int[] links = new int[2 * n];
        for (int i = 0; i < n; i++) {
            int row = x[i];
            links[i] = IntStream.range(0, i).filter(j -> x[j] == row).max().orElse(-1);
            links[n + i] =
                    IntStream.range(i + 1, n).filter(j -> x[j] == row).min().orElse(-1);
        }
        return links;
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }
}
