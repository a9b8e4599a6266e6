package plateau.check;

import java.util.List;
import plateau.kernel.StepFunction;

/** The step functions against their formulas. */
final class StepCases {
    private StepCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("step_forward", StepCases::stepForward),
                Row.random("smooth_step_forward", StepCases::smoothStepForward),
                Row.random("smooth_step_backward", StepCases::smoothStepBackward),
                Row.random("likeliest_level", StepCases::likeliestLevel),
                Row.random("step_metrics", StepCases::stepMetrics));
    }

    private static float[] levels(Draws draws, int count) {
        float[] z = new float[count];
        for (int i = 0; i < count; i++) {
            z[i] = -2 + 4f * i / count + 2f * draws.random().nextFloat() / count;
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

    private static void stepForward(KernelCase made, Draws draws) {
        int n = draws.size();
        float[] z = levels(draws, draws.size()), r = draws.floats(n);
        r[0] = z[z.length / 2]; // exactly on a level
        double[] y = new double[n];
        for (int i = 0; i < n; i++) {
            y[i] = z[level(z, r[i])];
        }
        made.shape("n %d, levels %d".formatted(n, z.length));
        made.runs(new StepFunction(made.device())
                .forward(n, z.length, made.input(z), made.input(r), made.output("y", y, 0)));
    }

    private static void smoothStepForward(KernelCase made, Draws draws) {
        int n = draws.size(), levels = draws.choose(1, 2, 17, 52);
        float[] z = levels(draws, levels), m = draws.floats(levels), c = new float[levels], r = draws.floats(n);
        Sums y = new Sums(n);
        double[] derivative = new double[n];
        for (int j = 1; j < levels; j++) {
            c[j] = draws.choose(1, 10, 2000) * (0.5f + draws.random().nextFloat());
        }
        for (int i = 0; i < n; i++) {
            r[i] = draws.random().nextInt(8) == 0 ? r[i] * 100 : r[i]; // far out on some sigmoids
            y.add(i, z[0]);
            for (int j = 1; j < levels; j++) {
                // The argument rounds as a float's; at steepness 2000 that is most of the error.
                double sigmoid = 1 / (1 + Math.exp(-c[j] * (double) (r[i] - m[j])));
                y.add(i, ((double) z[j] - z[j - 1]) * sigmoid);
                derivative[i] += ((double) z[j] - z[j - 1]) * c[j] * sigmoid * (1 - sigmoid);
            }
        }
        made.shape("n %d, levels %d".formatted(n, levels));
        made.runs(new StepFunction(made.device())
                .smoothForward(
                        n,
                        levels,
                        made.input(z),
                        made.input(m),
                        made.input(c),
                        made.input(r),
                        made.output("y", y, 1e-5),
                        made.output("derivative", derivative, 1e-4)));
    }

    private static void smoothStepBackward(KernelCase made, Draws draws) {
        int n = draws.size();
        float[] derivative = draws.floats(n), dy = draws.floats(n);
        double[] dr = new double[n];
        for (int i = 0; i < n; i++) {
            dr[i] = (double) dy[i] * derivative[i];
        }
        made.shape("n " + n);
        made.runs(new StepFunction(made.device())
                .smoothBackward(n, made.input(derivative), made.input(dy), made.output("dr", dr, 1e-6)));
    }

    private static void likeliestLevel(KernelCase made, Draws draws) {
        int n = draws.size(), levels = draws.size();
        float[] z = levels(draws, levels), logits = draws.floats(n * levels); // with ties among the zeros
        double[] score = new double[n];
        for (int i = 0; i < n; i++) {
            int likeliest = 0;
            for (int j = 0; j < levels; j++) {
                logits[i * levels + j] = -Math.abs(logits[i * levels + j]);
                likeliest = logits[i * levels + j] > logits[i * levels + likeliest] ? j : likeliest;
            }
            score[i] = z[likeliest];
        }
        made.shape("n %d, levels %d".formatted(n, levels));
        made.runs(new StepFunction(made.device())
                .likeliestLevel(n, levels, made.input(z), made.input(logits), made.output("score", score, 0)));
    }

    private static void stepMetrics(KernelCase made, Draws draws) {
        int n = draws.size(),
                slots = draws.choose(1, 3, 8),
                step = draws.random().nextInt(100);
        float[] z = levels(draws, draws.size()), loss = draws.losses(n), score = draws.floats(n), y = new float[n];
        double[] metrics = new double[3];
        for (int i = 0; i < n; i++) {
            y[i] = z[
                    draws.random().nextBoolean()
                            ? level(z, score[i])
                            : draws.random().nextInt(z.length)];
            double error = (double) z[level(z, score[i])] - y[i];
            metrics[0] += loss[i] / (double) n;
            metrics[1] += error * error / n;
            metrics[2] += error == 0 ? 1.0 / n : 0;
        }
        made.shape("n %d, levels %d, slots %d, step %d".formatted(n, z.length, slots, step));
        made.runs(new StepFunction(made.device())
                .metrics(
                        n,
                        z.length,
                        made.input(z),
                        made.input(loss),
                        made.input(score),
                        made.input(y),
                        made.input(step),
                        made.ring(slots, step, metrics, 1e-5),
                        slots));
    }
}
