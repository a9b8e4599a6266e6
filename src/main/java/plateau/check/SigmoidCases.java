package plateau.check;

import java.util.List;
import plateau.kernel.Sigmoid;

/** The sigmoid against {@code Math.exp}. */
final class SigmoidCases {
    private SigmoidCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("sigmoid_forward", SigmoidCases::sigmoidForward),
                Row.random("sigmoid_backward", SigmoidCases::sigmoidBackward));
    }

    /**
     * A fast exponential's error is relative to its argument: some 1e-6 at the least y that counts.
     */
    private static void sigmoidForward(KernelCase made, Draws draws) {
        int n = draws.size(), spread = draws.choose(1, 60);
        float[] x = draws.floats(n);
        double[] y = new double[n];
        for (int i = 0; i < n; i++) {
            x[i] *= spread;
            y[i] = 1 / (1 + Math.exp(-x[i]));
        }
        made.shape("n %d, spread %d".formatted(n, spread));
        made.runs(new Sigmoid(made.device()).forward(n, made.input(x), made.output("y", y, 3e-6)));
    }

    private static void sigmoidBackward(KernelCase made, Draws draws) {
        int n = draws.size();
        float[] y = draws.floats(n), dy = draws.floats(n);
        double[] dx = new double[n];
        for (int i = 0; i < n; i++) {
            y[i] = 1 / (1 + (float) Math.exp(-3 * y[i]));
            dx[i] = dy[i] * (double) y[i] * (1 - (double) y[i]);
        }
        made.shape("n " + n);
        made.runs(new Sigmoid(made.device()).backward(n, made.input(y), made.input(dy), made.output("dx", dx, 1e-6)));
    }
}
