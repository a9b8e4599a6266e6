package plateau.check;

import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.Accumulate;
import plateau.kernel.Updates;

/** Updates of parameters against their formulas, epsilon outside the bias correction. */
final class UpdatesCases {
    private UpdatesCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("sgd", UpdatesCases::sgd),
                Row.random("adam_rate + adam", UpdatesCases::adam),
                Row.random("accumulate", UpdatesCases::accumulate));
    }

    private static void sgd(KernelCase made, Draws draws) {
        int n = draws.size();
        float rate = 0.01f;
        float[] before = draws.floats(n), gradient = draws.floats(n);
        double[] w = new double[n];
        for (int i = 0; i < n; i++) {
            w[i] = before[i] - (double) rate * gradient[i];
        }
        made.shape("n " + n);
        made.runs(new Updates(made.device())
                .sgd(n, made.input(rate), made.outputOver("w", before, w, 1e-6), made.input(gradient)));
    }

    /**
     * With epsilon outside the bias correction. A compiler may take (1 − β) g² as g² − β g², whose
     * rounding is relative to g².
     */
    private static void adam(KernelCase made, Draws draws) {
        int n = draws.size(), step = draws.choose(0, 1, 9, 4999);
        float rate = 0.1f, beta1 = 0.9f, beta2 = 0.99f, epsilon = 1e-5f;
        float[] before = draws.floats(n), gradient = draws.floats(n), mean = draws.floats(n), square = draws.floats(n);
        double[] w = new double[n], m = new double[n], v = new double[n];
        double corrected = rate * Math.sqrt(1 - Math.pow(beta2, step + 1)) / (1 - Math.pow(beta1, step + 1));
        for (int i = 0; i < n; i++) {
            square[i] = Math.abs(square[i]);
            m[i] = beta1 * (double) mean[i] + (1 - (double) beta1) * gradient[i];
            v[i] = beta2 * (double) square[i] + (1 - (double) beta2) * gradient[i] * gradient[i];
            w[i] = before[i] - corrected * m[i] / (Math.sqrt(v[i]) + epsilon);
        }
        made.shape("n %d, step %d".formatted(n, step));
        Updates updates = new Updates(made.device());
        DeviceBuffer rates = made.output("rate", new double[] {corrected}, 1e-6);
        made.runs(Work.sequence(
                "adam",
                List.of(
                        updates.rate(made.input(rate), made.input(step), beta1, beta2, rates),
                        updates.adam(
                                n,
                                rates,
                                beta1,
                                beta2,
                                epsilon,
                                made.outputOver("w", before, w, 1e-5),
                                made.input(gradient),
                                made.outputOver("m", mean, m, 3e-6),
                                made.outputOver("v", square, v, 2e-5)))));
    }

    private static void accumulate(KernelCase made, Draws draws) {
        int n = draws.size();
        float[] before = draws.floats(n), term = draws.floats(n);
        double[] sum = new double[n];
        for (int i = 0; i < n; i++) {
            sum[i] = (double) before[i] + term[i];
        }
        made.shape("n " + n);
        made.runs(new Accumulate(made.device()).add(n, made.input(term), made.outputOver("sum", before, sum, 1e-6)));
    }
}
