package plateau.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import plateau.cuda.Device;
import plateau.reference.Seeds;

/** Rows of the ring against plain sums. */
class MetricsTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("loss_and_distance", MetricsTest::lossAndDistance);
        cases.put("loss_and_accuracy", MetricsTest::lossAndAccuracy);
        cases.put("advance_step", MetricsTest::advance);
        return cases;
    }

    private static KernelCase lossAndAccuracy(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES),
                slots = seeds.choose(1, 3, 8),
                step = seeds.random().nextInt(100);
        float[] loss = seeds.losses(n), p = seeds.floats(n), y = seeds.signs(n), before = new float[3 * slots];
        double[] ring = new double[3 * slots];
        int row = step % slots * 3;
        ring[row] = Float.intBitsToFloat(step);
        for (int i = 0; i < n; i++) {
            ring[row + 1] += loss[i] / (double) n;
            ring[row + 2] += y[i] * p[i] > 0 ? 1.0 / n : 0;
        }
        KernelCase made = new KernelCase(device, "n %d, slots %d, step %d".formatted(n, slots, step));
        made.runs(new Metrics(device)
                .lossAndAccuracy(
                        n,
                        made.input(loss),
                        made.input(p),
                        made.input(y),
                        made.input(step),
                        made.outputOver("ring", before, ring, 1e-5),
                        slots));
        return made;
    }

    private static KernelCase lossAndDistance(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES),
                m = seeds.choose(0, 1, 3, 257),
                slots = seeds.choose(1, 4),
                step = seeds.random().nextInt(100),
                width = m > 0 ? 3 : 2;
        float[] loss = seeds.losses(n),
                a = seeds.floats(Math.max(m, 1)),
                b = seeds.floats(Math.max(m, 1)),
                before = new float[width * slots];
        double[] ring = new double[width * slots];
        int row = step % slots * width;
        ring[row] = Float.intBitsToFloat(step);
        for (float value : loss) {
            ring[row + 1] += value / (double) n;
        }
        for (int i = 0; i < m; i++) {
            ring[row + 2] = Math.max(ring[row + 2], Math.abs((double) a[i] - b[i]));
        }
        KernelCase made = new KernelCase(device, "n %d, m %d, slots %d".formatted(n, m, slots));
        made.runs(new Metrics(device)
                .lossAndDistance(
                        n,
                        made.input(loss),
                        m,
                        made.input(a),
                        made.input(b),
                        made.input(step),
                        made.outputOver("ring", before, ring, 1e-5),
                        slots));
        return made;
    }

    /** The bits of a uint32, looked at as those of a float. */
    private static KernelCase advance(Device device, Seeds seeds) {
        int step = seeds.random().nextInt(1_000_000);
        KernelCase made = new KernelCase(device, "step " + step);
        float[] before = {Float.intBitsToFloat(step)};
        double[] after = {Float.intBitsToFloat(step + 1)};
        made.runs(new Counter(device).advance(made.outputOver("step", before, after, 0)));
        return made;
    }
}
