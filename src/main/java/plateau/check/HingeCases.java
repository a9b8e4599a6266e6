package plateau.check;

import java.util.List;
import plateau.cuda.Device;
import plateau.kernel.Hinge;

/** The hinge loss against its formula. */
final class HingeCases {
    private HingeCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("hinge_forward_backward", HingeCases::hingeForwardBackward),
                Row.random("hinge_forward", HingeCases::hingeForward));
    }

    private static KernelCase hingeForwardBackward(Device device, Draws draws) {
        int n = draws.size();
        float scale = 1f / n;
        float[] p = draws.floats(n), y = draws.signs(n);
        double[] loss = new double[n], dp = new double[n];
        for (int i = 0; i < n; i++) {
            loss[i] = Math.max(0, 1 - (double) y[i] * p[i]);
            dp[i] = loss[i] > 0 ? -scale * (double) y[i] : 0;
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Hinge(device)
                .forwardBackward(
                        n,
                        scale,
                        made.input(p),
                        made.input(y),
                        made.output("loss", loss, 1e-6),
                        made.output("dp", dp, 1e-6)));
        return made;
    }

    private static KernelCase hingeForward(Device device, Draws draws) {
        int n = draws.size();
        float[] p = draws.floats(n), y = draws.signs(n);
        double[] loss = new double[n];
        for (int i = 0; i < n; i++) {
            loss[i] = Math.max(0, 1 - (double) y[i] * p[i]);
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Hinge(device).forward(n, made.input(p), made.input(y), made.output("loss", loss, 1e-6)));
        return made;
    }
}
