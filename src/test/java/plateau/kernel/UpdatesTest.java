package plateau.kernel;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.reference.Seeds;

/** Updates of parameters against their formulas, epsilon outside the bias correction. */
class UpdatesTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("sgd", UpdatesTest::sgd);
        cases.put("adam_rate + adam", UpdatesTest::adam);
        cases.put("accumulate", UpdatesTest::accumulate);
        return cases;
    }

    private static KernelCase sgd(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float rate = 0.01f;
        float[] before = seeds.floats(n), gradient = seeds.floats(n);
        double[] w = new double[n];
        for (int i = 0; i < n; i++) {
            w[i] = before[i] - (double) rate * gradient[i];
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Updates(device)
                .sgd(n, made.input(rate), made.outputOver("w", before, w, 1e-6), made.input(gradient)));
        return made;
    }

    /** With epsilon outside the bias correction. */
    private static KernelCase adam(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), step = seeds.choose(0, 1, 9, 4999);
        float rate = 0.1f, beta1 = 0.9f, beta2 = 0.99f, epsilon = 1e-5f;
        float[] before = seeds.floats(n), gradient = seeds.floats(n), mean = seeds.floats(n), square = seeds.floats(n);
        double[] w = new double[n], m = new double[n], v = new double[n];
        double corrected = rate * Math.sqrt(1 - Math.pow(beta2, step + 1)) / (1 - Math.pow(beta1, step + 1));
        for (int i = 0; i < n; i++) {
            square[i] = Math.abs(square[i]);
            m[i] = beta1 * (double) mean[i] + (1 - (double) beta1) * gradient[i];
            v[i] = beta2 * (double) square[i] + (1 - (double) beta2) * gradient[i] * gradient[i];
            w[i] = before[i] - corrected * m[i] / (Math.sqrt(v[i]) + epsilon);
        }
        KernelCase made = new KernelCase(device, "n %d, step %d".formatted(n, step));
        Updates updates = new Updates(device);
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
                                made.outputOver("m", mean, m, 1e-6),
                                made.outputOver("v", square, v, 1e-6)))));
        return made;
    }

    private static KernelCase accumulate(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] before = seeds.floats(n), term = seeds.floats(n);
        double[] sum = new double[n];
        for (int i = 0; i < n; i++) {
            sum[i] = (double) before[i] + term[i];
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Accumulate(device).add(n, made.input(term), made.outputOver("sum", before, sum, 1e-6)));
        return made;
    }
}
