package plateau.check;

import java.util.List;
import plateau.kernel.TupleMetrics;

/** What training on tuples reports, against plain sums. */
final class TupleCases {
    private TupleCases() {}

    static List<Row> rows() {
        return List.of(Row.random("tuple_metrics", TupleCases::tupleMetrics));
    }

    private static void tupleMetrics(KernelCase made, Draws draws) {
        int n = draws.size(),
                k = draws.choose(1, 2, 3, 5),
                slots = draws.choose(1, 3, 8),
                step = draws.random().nextInt(100);
        boolean decomposed = draws.random().nextBoolean();
        float[] tupleLoss = draws.losses(n),
                imageLoss = draws.losses(n * k),
                tupleScore = draws.floats(n),
                imageScore = draws.floats(n * k); // with ties among the zeros
        float[] tupleLabel = draws.signs(n), imageLabel = draws.signs(n * k);
        double[] metrics = new double[3];
        for (int i = 0; i < n; i++) {
            metrics[0] += tupleLoss[i] / (double) n;
            metrics[1] += tupleLabel[i] * tupleScore[i] > 0 ? 1.0 / n : 0;
        }
        for (int i = 0; i < n * k; i++) {
            metrics[0] += decomposed ? imageLoss[i] / (double) (n * k) : 0;
            metrics[2] += imageLabel[i] * imageScore[i] > 0 ? 1.0 / (n * k) : 0;
        }
        made.shape("n %d, k %d, decomposed %s, slots %d, step %d".formatted(n, k, decomposed, slots, step));
        made.runs(new TupleMetrics(made.device())
                .measure(
                        n,
                        k,
                        new TupleMetrics.Scored(made.input(tupleLoss), made.input(tupleScore), made.input(tupleLabel)),
                        new TupleMetrics.Scored(
                                decomposed ? made.input(imageLoss) : null,
                                made.input(imageScore),
                                made.input(imageLabel)),
                        made.input(step),
                        made.ring(slots, step, metrics, 1e-5),
                        slots));
    }
}
