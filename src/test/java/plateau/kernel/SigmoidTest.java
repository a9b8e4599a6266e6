package plateau.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import plateau.cuda.Device;
import plateau.reference.Seeds;

/** The sigmoid against {@code Math.exp}. */
class SigmoidTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("sigmoid_forward", SigmoidTest::sigmoidForward);
        cases.put("sigmoid_backward", SigmoidTest::sigmoidBackward);
        return cases;
    }

    private static KernelCase sigmoidForward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), spread = seeds.choose(1, 60);
        float[] x = seeds.floats(n);
        double[] y = new double[n];
        for (int i = 0; i < n; i++) {
            x[i] *= spread;
            y[i] = 1 / (1 + Math.exp(-x[i]));
        }
        KernelCase made = new KernelCase(device, "n %d, spread %d".formatted(n, spread));
        made.runs(new Sigmoid(device).forward(n, made.input(x), made.output("y", y, 1e-6)));
        return made;
    }

    private static KernelCase sigmoidBackward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] y = seeds.floats(n), dy = seeds.floats(n);
        double[] dx = new double[n];
        for (int i = 0; i < n; i++) {
            y[i] = 1 / (1 + (float) Math.exp(-3 * y[i]));
            dx[i] = dy[i] * (double) y[i] * (1 - (double) y[i]);
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Sigmoid(device).backward(n, made.input(y), made.input(dy), made.output("dx", dx, 1e-6)));
        return made;
    }
}
