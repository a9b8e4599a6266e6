package plateau.check;

import java.util.List;
import java.util.stream.IntStream;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.SparseRows;

/**
 * Rows read by index: who else reads a row, and that what a row has missed is what Adam would have
 * done, update by update.
 */
final class SparseRowsCases {
    private static final float BETA1 = 0.9f;
    private static final float BETA2 = 0.99f;
    private static final float EPSILON = 1e-5f;
    private static final SparseRows.Rule RULE = new SparseRows.Rule(BETA1, BETA2, EPSILON);

    private SparseRowsCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("row_links", SparseRowsCases::rowLinks),
                Row.random("row_catch_up + gather_rows", SparseRowsCases::catchUp),
                Row.random("gather_rows", SparseRowsCases::gatherRows),
                Row.random("miss_update + adam_rows", SparseRowsCases::adam));
    }

    private static void rowLinks(KernelCase made, Draws draws) {
        int n = draws.size(), d = draws.choose(1, 5, 40, 1000);
        int[] x = draws.ints(n, d);
        made.shape("n %d, d %d".formatted(n, d));
        made.runs(new SparseRows(made.device()).links(n, made.input(x), made.exactly("links", links(x))));
    }

    private static double rate(int update) {
        return 0.1 * Math.sqrt(1 - Math.pow(BETA2, update)) / (1 - Math.pow(BETA1, update));
    }

    /**
     * One row, last updated as number {@code last}, read {@code missed} updates later, at weights
     * whose s lies anywhere around ε. The whole way is at most about one; an error of 1e-6 of it is
     * that of a few roundings.
     */
    private static void catchUp(KernelCase made, Draws draws) {
        int last = draws.choose(0, 1, 3, 7, 40, 900, 2000), missed = draws.choose(0, 1, 2, 3, 10, 50, 400, 5000);
        float[] roots = {0, 1e-9f, 1e-7f, 1e-6f, 3e-6f, 1e-5f, 2e-5f, 5e-5f, 1e-4f, 1e-3f, 0.01f, 1, 10};
        int k = roots.length;
        float[] w = new float[k], m = new float[k], moments = new float[SparseRows.MOMENTS];
        double[] expected = new double[k], allowed = new double[k], whole = new double[moments.length];
        for (int j = 0; j < k; j++) {
            w[j] = 0.25f;
            m[j] = (j % 2 == 0 ? 1 : -1) * Math.max(roots[j], 1e-9f);
            expected[j] = w[j];
        }
        for (int age = 1; age <= missed; age++) {
            double omega = rate(last + age) * Math.pow(BETA1 * Math.pow(BETA2, -0.25), age);
            for (int p = 0; p < moments.length; p++) {
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
        for (int j = 0; j < k; j++) {
            allowed[j] = 6e-8 + 1e-6 * Math.abs(expected[j] - w[j]);
        }
        double any = Double.POSITIVE_INFINITY;
        double[] factors = {0, 0, 0, 0, Math.pow(BETA1, missed), Math.pow(BETA2, missed / 2.0)};
        made.shape("last %d, missed %d".formatted(last, missed));
        DeviceBuffer x = made.input(0),
                catchUp = made.floats("catch-up", null, factors, new double[] {any, any, any, any, 1e-6, 1e-6});
        SparseRows.Table table = new SparseRows.Table(
                1, k, made.input(w), made.input(m), made.input(roots), made.input(last), made.input(moments));
        SparseRows launcher = new SparseRows(made.device());
        made.runs(Work.sequence(
                "catch up",
                List.of(
                        launcher.catchUp(RULE, table, 1, x, made.input(last + missed), catchUp),
                        launcher.gather(table, 1, x, catchUp, made.floats("rows", null, expected, allowed)))));
    }

    private static void gatherRows(KernelCase made, Draws draws) {
        int n = draws.size(), d = draws.size(), k = draws.size(), words = SparseRows.CATCH_UP_WORDS;
        int[] x = draws.ints(n, d);
        float[] w = draws.floats(d * k),
                m = draws.floats(d * k),
                s = draws.losses(d * k),
                catchUp = draws.losses(n * words);
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
        made.shape("n %d, d %d, k %d".formatted(n, d, k));
        SparseRows.Table table = new SparseRows.Table(
                d,
                k,
                made.input(w),
                made.input(m),
                made.input(s),
                made.input(new int[d]),
                made.scratch(4L * d * Float.BYTES));
        made.runs(new SparseRows(made.device())
                .gather(table, n, made.input(x), made.input(catchUp), made.output("rows", rows, 1e-5)));
    }

    /**
     * One update: rows that are read once, several times, and not at all. A row's moments of missed
     * updates go on by rate γʲ jᵖ, where this is its j-th without a gradient.
     */
    private static void adam(KernelCase made, Draws draws) {
        int n = draws.size(),
                d = draws.choose(1, 2, 17, 61),
                k = draws.size(),
                words = SparseRows.CATCH_UP_WORDS,
                step = draws.choose(0, 1, 40, 70_000);
        float rate = 0.07f;
        double logGamma = Math.log(BETA1) - Math.log(BETA2) / 4;
        int[] x = draws.ints(n, d), links = links(x), last = draws.ints(d, Math.min(step, 300) + 1);
        float[] w = draws.floats(d * k),
                m = draws.floats(d * k),
                s = draws.losses(d * k),
                rows = draws.floats(n * k),
                gradient = draws.floats(n * k),
                catchUp = draws.losses(n * words),
                missed = draws.losses(SparseRows.MOMENTS * d);
        for (int i = 0; i < s.length; i++) {
            s[i] += 0.1f; // a sum of gradients that cancel, over a root near 0, would say nothing
        }
        for (int i = 0; i < n; i++) {
            catchUp[i * words + 5] += 0.1f;
        }
        Sums newMissed = new Sums(missed.length), sums = new Sums(n * k);
        for (int row = 0; row < d; row++) {
            last[row] = step - last[row];
            int age = step + 1 - last[row];
            for (int p = 0; p < SparseRows.MOMENTS; p++) {
                missed[p * d + row] *= (float) Math.pow(10, p);
                newMissed.add(p * d + row, missed[p * d + row]);
                newMissed.add(p * d + row, rate * Math.exp(logGamma * age) * Math.pow(age, p));
            }
        }
        int[] newLast = last.clone();
        double[] newW = doubles(w), newM = doubles(m), newS = doubles(s);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < k; j++) {
                sums.add(i * k + j, gradient[i * k + j]);
            }
            if (links[i] >= 0) {
                continue;
            }
            newLast[x[i]] = step + 1;
            for (int p = 0; p < SparseRows.MOMENTS; p++) {
                newMissed.replace(p * d + x[i], 0);
            }
            for (int j = 0; j < k; j++) {
                int from = x[i] * k + j;
                for (int other = i + 1; other < n; other++) {
                    sums.add(i * k + j, x[other] == x[i] ? gradient[other * k + j] : 0);
                }
                double g = sums.values()[i * k + j];
                newM[from] = BETA1 * (double) catchUp[i * words + 4] * m[from] + (1 - (double) BETA1) * g;
                newS[from] = Math.sqrt(BETA2 * Math.pow(catchUp[i * words + 5] * (double) s[from], 2)
                        + (1 - (double) BETA2) * g * g);
                newW[from] = rows[i * k + j] - rate * newM[from] / (newS[from] + EPSILON);
            }
        }
        made.shape("n %d, d %d, k %d, step %d".formatted(n, d, k, step));
        SparseRows.Table table = new SparseRows.Table(
                d,
                k,
                made.outputOver("w", w, newW, 1e-4),
                made.outputOver("m", m, newM, 1e-5),
                made.outputOver("s", s, newS, 1e-5),
                made.exactly("last", last, newLast),
                made.outputOver("missed", missed, newMissed, 1e-5));
        made.runs(new SparseRows(made.device())
                .adam(
                        RULE,
                        table,
                        n,
                        made.input(rate),
                        made.input(step),
                        made.input(x),
                        made.input(links),
                        made.input(catchUp),
                        made.input(rows),
                        made.outputOver("gradient", gradient, sums, 1e-6)));
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
