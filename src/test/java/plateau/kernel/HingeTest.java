package plateau.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import plateau.cuda.Device;
import plateau.reference.Seeds;

/** The hinge loss against its formula. */
class HingeTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("hinge_forward_backward", HingeTest::hingeForwardBackward);
        cases.put("hinge_forward", HingeTest::hingeForward);
        return cases;
    }

    private static KernelCase hingeForwardBackward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float scale = 1f / n;
        float[] p = seeds.floats(n), y = seeds.signs(n);
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

    private static KernelCase hingeForward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] p = seeds.floats(n), y = seeds.signs(n);
        double[] loss = new double[n];
        for (int i = 0; i < n; i++) {
            loss[i] = Math.max(0, 1 - (double) y[i] * p[i]);
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Hinge(device).forward(n, made.input(p), made.input(y), made.output("loss", loss, 1e-6)));
        return made;
    }
}
