package plateau.check;

import java.util.List;
import plateau.kernel.Counter;
import plateau.kernel.Metrics;

/** Rows of the ring against plain sums. */
final class MetricsCases {
    private MetricsCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("loss_and_distance", MetricsCases::lossAndDistance),
                Row.random("loss_and_accuracy", MetricsCases::lossAndAccuracy),
                Row.random("advance_step", MetricsCases::advance));
    }

    private static void lossAndAccuracy(KernelCase made, Draws draws) {
        int n = draws.size(),
                slots = draws.choose(1, 3, 8),
                step = draws.random().nextInt(100);
        float[] loss = draws.losses(n), p = draws.floats(n), y = draws.signs(n);
        double[] metrics = new double[2];
        for (int i = 0; i < n; i++) {
            metrics[0] += loss[i] / (double) n;
            metrics[1] += y[i] * p[i] > 0 ? 1.0 / n : 0;
        }
        made.shape("n %d, slots %d, step %d".formatted(n, slots, step));
        made.runs(new Metrics(made.device())
                .lossAndAccuracy(
                        n,
                        made.input(loss),
                        made.input(p),
                        made.input(y),
                        made.input(step),
                        made.ring(slots, step, metrics, 1e-5),
                        slots));
    }

    private static void lossAndDistance(KernelCase made, Draws draws) {
        int n = draws.size(),
                m = draws.choose(0, 1, 3, 257),
                slots = draws.choose(1, 4),
                step = draws.random().nextInt(100);
        float[] loss = draws.losses(n), a = draws.floats(Math.max(m, 1)), b = draws.floats(Math.max(m, 1));
        double[] metrics = new double[m > 0 ? 2 : 1];
        for (float value : loss) {
            metrics[0] += value / (double) n;
        }
        for (int i = 0; i < m; i++) {
            metrics[1] = Math.max(metrics[1], Math.abs((double) a[i] - b[i]));
        }
        made.shape("n %d, m %d, slots %d".formatted(n, m, slots));
        made.runs(new Metrics(made.device())
                .lossAndDistance(
                        n,
                        made.input(loss),
                        m,
                        made.input(a),
                        made.input(b),
                        made.input(step),
                        made.ring(slots, step, metrics, 1e-5),
                        slots));
    }

    /** The bits of a uint32, looked at as those of a float. */
    private static void advance(KernelCase made, Draws draws) {
        int step = draws.random().nextInt(1_000_000);
        made.shape("step " + step);
        float[] before = {Float.intBitsToFloat(step)};
        double[] after = {Float.intBitsToFloat(step + 1)};
        made.runs(new Counter(made.device()).advance(made.outputOver("step", before, after, 0)));
    }
}
