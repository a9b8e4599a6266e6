package plateau.check;

import java.util.List;
import plateau.kernel.Hinge;

/** The hinge loss against its formula. */
final class HingeCases {
    private HingeCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("hinge_forward_backward", HingeCases::hingeForwardBackward),
                Row.random("hinge_forward", HingeCases::hingeForward));
    }

    private static void hingeForwardBackward(KernelCase made, Draws draws) {
        int n = draws.size();
        float scale = 1f / n;
        float[] p = draws.floats(n), y = draws.signs(n);
        double[] loss = new double[n], dp = new double[n];
        for (int i = 0; i < n; i++) {
            loss[i] = Math.max(0, 1 - (double) y[i] * p[i]);
            dp[i] = loss[i] > 0 ? -scale * (double) y[i] : 0;
        }
        made.shape("n " + n);
        made.runs(new Hinge(made.device())
                .forwardBackward(
                        n,
                        scale,
                        made.input(p),
                        made.input(y),
                        made.output("loss", loss, 1e-6),
                        made.output("dp", dp, 1e-6)));
    }

    private static void hingeForward(KernelCase made, Draws draws) {
        int n = draws.size();
        float[] p = draws.floats(n), y = draws.signs(n);
        double[] loss = new double[n];
        for (int i = 0; i < n; i++) {
            loss[i] = Math.max(0, 1 - (double) y[i] * p[i]);
        }
        made.shape("n " + n);
        made.runs(new Hinge(made.device()).forward(n, made.input(p), made.input(y), made.output("loss", loss, 1e-6)));
    }
}
