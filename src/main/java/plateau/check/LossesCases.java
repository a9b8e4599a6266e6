package plateau.check;

import java.util.List;
import plateau.kernel.Losses;

/** Losses of rows and their gradients against their formulas. */
final class LossesCases {
    private LossesCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("squared_error", (made, draws) -> squaredError(made, draws, 1 + draws.size())),
                Row.random("squared_error_single", (made, draws) -> squaredError(made, draws, 1)),
                Row.random("softmax_cross_entropy", LossesCases::softmaxCrossEntropy));
    }

    private static void squaredError(KernelCase made, Draws draws, int columns) {
        int rows = draws.size();
        boolean differentiated = draws.random().nextBoolean();
        float weight = 0.5f, scale = 1f / rows;
        float[] p = draws.floats(rows * columns), y = draws.floats(rows * columns);
        double[] loss = new double[rows], dp = new double[rows * columns];
        for (int i = 0; i < p.length; i++) {
            double error = (double) p[i] - y[i];
            loss[i / columns] += weight * error * error;
            dp[i] = 2 * weight * scale * error;
        }
        made.shape("rows %d, columns %d, differentiated %s".formatted(rows, columns, differentiated));
        made.runs(new Losses(made.device())
                .squaredError(
                        rows,
                        columns,
                        weight,
                        scale,
                        made.input(p),
                        made.input(y),
                        made.output("loss", loss, 1e-5),
                        differentiated ? made.output("dp", dp, 1e-6) : null));
    }

    private static void softmaxCrossEntropy(KernelCase made, Draws draws) {
        int rows = draws.size(), classes = draws.size();
        boolean differentiated = draws.random().nextBoolean();
        float scale = 1f / rows, spread = draws.choose(1, 30);
        float[] p = draws.floats(rows * classes);
        int[] label = new int[rows];
        double[] loss = new double[rows], dp = new double[rows * classes];
        for (int r = 0; r < rows; r++) {
            double sum = 0;
            int least = 0;
            for (int i = r * classes; i < (r + 1) * classes; i++) {
                p[i] = 40 + spread * p[i]; // exponentials of these overflow a float
                sum += Math.exp(p[i]);
                least = p[i] < p[r * classes + least] ? i - r * classes : least;
            }
            // One large loss: the others' errors are measured against it.
            label[r] = r == 0 ? least : draws.random().nextInt(classes);
            for (int i = r * classes; i < (r + 1) * classes; i++) {
                dp[i] = scale * (Math.exp(p[i]) / sum - (i - r * classes == label[r] ? 1 : 0));
            }
            loss[r] = Math.log(sum) - p[r * classes + label[r]];
        }
        made.shape("rows %d, classes %d, differentiated %s".formatted(rows, classes, differentiated));
        made.runs(new Losses(made.device())
                .softmaxCrossEntropy(
                        rows,
                        classes,
                        scale,
                        made.input(p),
                        made.input(label),
                        made.output("loss", loss, 2e-5),
                        differentiated ? made.output("dp", dp, 2e-5) : null));
    }
}
