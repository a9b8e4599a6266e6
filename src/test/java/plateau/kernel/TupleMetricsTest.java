package plateau.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import plateau.cuda.Device;
import plateau.reference.Seeds;

/** What training on tuples reports, against plain sums. */
class TupleMetricsTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("tuple_metrics", TupleMetricsTest::tupleMetrics);
        return cases;
    }

    private static KernelCase tupleMetrics(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES),
                k = seeds.choose(1, 2, 3, 5),
                slots = seeds.choose(1, 3, 8),
                step = seeds.random().nextInt(100),
                row = step % slots * 4;
        boolean decomposed = seeds.random().nextBoolean();
        float[] tupleLoss = seeds.losses(n),
                imageLoss = seeds.losses(n * k),
                tupleScore = seeds.floats(n),
                imageScore = seeds.floats(n * k); // with ties among the zeros
        float[] tupleLabel = seeds.signs(n), imageLabel = seeds.signs(n * k), before = new float[4 * slots];
        double[] ring = new double[4 * slots];
        ring[row] = Float.intBitsToFloat(step);
        for (int i = 0; i < n; i++) {
            ring[row + 1] += tupleLoss[i] / (double) n;
            ring[row + 2] += tupleLabel[i] * tupleScore[i] > 0 ? 1.0 / n : 0;
        }
        for (int i = 0; i < n * k; i++) {
            ring[row + 1] += decomposed ? imageLoss[i] / (double) (n * k) : 0;
            ring[row + 3] += imageLabel[i] * imageScore[i] > 0 ? 1.0 / (n * k) : 0;
        }
        KernelCase made = new KernelCase(
                device, "n %d, k %d, decomposed %s, slots %d, step %d".formatted(n, k, decomposed, slots, step));
        made.runs(new TupleMetrics(device)
                .measure(
                        n,
                        k,
                        new TupleMetrics.Scored(made.input(tupleLoss), made.input(tupleScore), made.input(tupleLabel)),
                        new TupleMetrics.Scored(
                                decomposed ? made.input(imageLoss) : null,
                                made.input(imageScore),
                                made.input(imageLabel)),
                        made.input(step),
                        made.outputOver("ring", before, ring, 1e-5),
                        slots));
        return made;
    }
}
