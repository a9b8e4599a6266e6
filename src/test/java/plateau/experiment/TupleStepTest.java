package plateau.experiment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.autograd.Kernels;
import plateau.autograd.Parameters;
import plateau.autograd.Tape;
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Dense;
import plateau.kernel.LineData;
import plateau.kernel.LineData.Raster;
import plateau.reference.Float64Tape;
import plateau.reference.Float64Tape.Node;
import plateau.reference.TestDevice;

/**
 * Training on tuples, and the statistics of their gradients, against a float64 re-implementation
 * that starts from the same weights and reads the same images.
 */
class TupleStepTest {
    private static final int SIDE = 28;
    private static final int PIXELS = SIDE * SIDE;
    private static final int FEATURES = 100;
    private static final long SEED = 3;

    /** A planned run on the device, step by step, and its tuples drawn a second time. */
    private static final class Run implements AutoCloseable {
        final Device device = TestDevice.open();
        final Workspace workspace = new Workspace(device);
        final Stream stream = workspace.own(device.createStream(), Stream::close);
        final DeviceBuffer step = workspace.ints(0);
        final Kernels kernels = Kernels.of(device, Dense.Products.AUTO);
        final Plan plan;

        Run(Experiment experiment) {
            plan = experiment.plan(new RunContext(kernels, workspace, SEED, step, 8));
            run(plan.initialise());
        }

        void run(Work work) {
            work.enqueue(stream);
            stream.synchronize();
        }

        void advance() {
            run(plan.step());
            run(kernels.counter().advance(step));
        }

        /**
         * Images, their labels and the tuples' labels of that random stream, at the present step.
         */
        Tuples tuples(int n, int k, int randomStream, DeviceBuffer at) {
            DeviceBuffer x = workspace.words((long) n * k * PIXELS),
                    y = workspace.words((long) n * k),
                    product = workspace.words(n);
            run(new LineData(device)
                    .tuples(0, n, k, Raster.PROGRAM, workspace.longs(SEED), randomStream, at, x, y, product));
            return new Tuples(n, k, doubles(x), doubles(y), doubles(product));
        }

        List<double[]> weights() {
            return new ArrayList<>(plan.parameters().tensors().stream()
                    .map(tensor -> doubles(tensor.values()))
                    .toList());
        }

        @Override
        public void close() {
            workspace.close();
            device.close();
        }
    }

    private record Tuples(int n, int k, double[] images, double[] imageLabels, double[] tupleLabels) {}

    /**
     * Both networks on the oracle's tape. Weights are those of the program's arrays in the order of
     * declaration.
     */
    private record Reference(Float64Tape tape, List<Node> parameters, Node features, Node imageScore, Node tupleScore) {

        static Reference of(Tuples tuples, List<double[]> weights) {
            Float64Tape tape = new Float64Tape();
            int images = tuples.n * tuples.k;
            int[] rows = {16, 1, 16, 1, 784, 1, 50, 1, 100, 1, tuples.k, 1, 100, 1};
            List<Node> p = IntStream.range(0, rows.length)
                    .mapToObj(i -> tape.leaf(rows[i], weights.get(i).length / rows[i], weights.get(i)))
                    .toList();
            Node lower =
                    tape.convolutionPool(tape.leaf(images, PIXELS, tuples.images), p.get(0), p.get(1), SIDE, SIDE, 5);
            Node upper = tape.convolutionPool(lower, p.get(2), p.get(3), SIDE / 2, SIDE / 2, 5);
            Node features = tape.relu(tape.dense(tape.relu(tape.dense(upper, p.get(4), p.get(5))), p.get(6), p.get(7)));
            Node imageScore = tape.dense(features, p.get(8), p.get(9));
            Node squashed = tape.map(
                    tape.reshape(imageScore, tuples.n, tuples.k),
                    Reference::sigmoid,
                    s -> sigmoid(s) * (1 - sigmoid(s)));
            Node tupleScore = tape.dense(tape.relu(tape.dense(squashed, p.get(10), p.get(11))), p.get(12), p.get(13));
            return new Reference(tape, p, features, imageScore, tupleScore);
        }

        private static double sigmoid(double x) {
            return 1 / (1 + Math.exp(-x));
        }

        Node loss(Approach mode, Tuples tuples) {
            Node loss = tape.hinge(tupleScore, tape.leaf(tuples.n, 1, tuples.tupleLabels));
            return mode == Approach.E2E
                    ? loss
                    : tape.sum(loss, tape.hinge(imageScore, tape.leaf(tuples.n * tuples.k, 1, tuples.imageLabels)));
        }
    }

    private static double accuracy(double[] scores, double[] labels) {
        return IntStream.range(0, scores.length)
                        .filter(i -> scores[i] * labels[i] > 0)
                        .count()
                / (double) scores.length;
    }

    private static Tuple tuple(Approach mode, int k, int batch) {
        return new Tuple(new Tuple.Options(k, mode, Raster.PROGRAM, batch, null), SEED);
    }

    @ParameterizedTest
    @CsvSource({"E2E, 1, 9", "E2E, 2, 5", "E2E, 3, 3", "DEC, 1, 9", "DEC, 2, 5", "DEC, 3, 3"})
    void fiveStepsAgreeWithFloat64(Approach mode, int k, int batch) {
        try (Run run = new Run(tuple(mode, k, batch))) {
            List<double[]> weights = run.weights();
            List<double[]> means =
                    weights.stream().map(w -> new double[w.length]).toList();
            List<double[]> squares =
                    weights.stream().map(w -> new double[w.length]).toList();
            for (int step = 1; step <= 5; step++) {
                Tuples tuples = run.tuples(batch, k, RandomStreams.TRAINING, run.step);
                Reference reference = Reference.of(tuples, weights);
                Node loss = reference.loss(mode, tuples);
                reference.tape.backward(loss);
                run.advance();
                double corrected = 1e-3f * Math.sqrt(1 - Math.pow(0.99f, step)) / (1 - Math.pow(0.9f, step));
                for (int i = 0; i < weights.size(); i++) {
                    double[] w = weights.get(i),
                            m = means.get(i),
                            v = squares.get(i),
                            g = reference.parameters.get(i).gradient();
                    if (step == 1) {
                        double largest = Arrays.stream(g).map(Math::abs).max().orElseThrow();
                        float[] got = run.plan
                                .parameters()
                                .gradients()
                                .slice(
                                        (long) run.plan
                                                        .parameters()
                                                        .declared()
                                                        .get(i)
                                                        .offset()
                                                * Float.BYTES,
                                        (long) g.length * Float.BYTES)
                                .toFloats();
                        for (int j = 0; j < g.length; j++) {
                            assertEquals(
                                    g[j], got[j], 1e-5 * Math.max(largest, 1e-3), "gradient " + j + " of array " + i);
                        }
                    }
                    for (int j = 0; j < w.length; j++) {
                        m[j] = 0.9f * m[j] + (1 - 0.9f) * g[j];
                        v[j] = 0.99f * v[j] + (1 - 0.99f) * g[j] * g[j];
                        w[j] -= corrected * m[j] / (Math.sqrt(v[j]) + 1e-5f);
                    }
                    assertArrayEquals(w, run.weights().get(i), 1e-2 * 1e-3, "array " + i + " after step " + step);
                }
                float[] logged = Arrays.copyOfRange(run.plan.training().rows().toFloats(), 4 * (step - 1), 4 * step);
                assertEquals(loss.scalar(), logged[1], 1e-4, "logged loss");
                assertEquals(
                        accuracy(reference.tupleScore.values(), tuples.tupleLabels),
                        logged[2],
                        1e-6,
                        "logged accuracy on tuples");
                assertEquals(
                        accuracy(reference.imageScore.values(), tuples.imageLabels),
                        logged[3],
                        1e-6,
                        "logged accuracy on images");
            }
        }
    }

    /**
     * Scores that are close to 0 may round to either side: one of the 2,000 tuples, two of the
     * 4,000 images.
     */
    @Test
    void evaluationIsOnTheSame2000TuplesAtAnyStep() {
        try (Run run = new Run(tuple(Approach.DEC, 2, 20))) {
            Tuples tuples = run.tuples(2000, 2, RandomStreams.EVALUATION, run.workspace.ints(0));
            for (int step = 0; step < 2; step++) {
                run.run(run.plan.evaluation());
                Tuple.Batch batch = Tuple.Batch.record(
                        new Tape(run.kernels, run.workspace, run.plan.parameters()), networks(2), 2000, 2);
                batch.images().values().upload(floats(tuples.images));
                run.run(batch.tape().forward(batch.tupleScore()));
                double[] tupleScore = doubles(batch.tupleScore().values()),
                        imageScore = doubles(batch.imageScore().values());
                double loss = IntStream.range(0, 2000)
                                .mapToDouble(i -> Math.max(0, 1 - tuples.tupleLabels[i] * tupleScore[i]))
                                .average()
                                .orElseThrow()
                        + IntStream.range(0, 4000)
                                .mapToDouble(i -> Math.max(0, 1 - tuples.imageLabels[i] * imageScore[i]))
                                .average()
                                .orElseThrow();
                float[] test = run.plan.test().rows().toFloats();
                assertEquals(loss, test[1], 1e-4);
                assertEquals(accuracy(tupleScore, tuples.tupleLabels), test[2], 1.1 / 2000);
                assertEquals(accuracy(imageScore, tuples.imageLabels), test[3], 2.1 / 4000);
                run.advance();
            }
        }
    }

    private static Tuple.Networks networks(int k) {
        return Tuple.Networks.declare(new Parameters.Declaration(), k);
    }

    @ParameterizedTest
    @CsvSource({"1, 7", "2, 4", "3, 3"})
    void signalAndNoiseAreThoseOfFloat64Gradients(int k, int batch) {
        try (Run run = new Run(new Snr(new Snr.Options(k, 10L * batch, Raster.PROGRAM, batch), SEED))) {
            int steps = 3, n = steps * batch;
            double[][] endToEnd = new double[n][], decomposed = new double[n][];
            for (int step = 0; step < steps; step++) {
                Tuples tuples = run.tuples(batch, k, RandomStreams.TRAINING, run.step);
                Reference reference = Reference.of(tuples, run.weights());
                reference.tape.backward(reference.tape.mean(reference.tupleScore));
                double[] slopes = reference.imageScore.gradient(), features = reference.features.values();
                for (int i = 0; i < batch; i++) {
                    double[] e = new double[FEATURES], d = new double[FEATURES];
                    for (int c = 0; c < FEATURES; c++) {
                        for (int j = 0; j < k; j++) {
                            e[c] += tuples.tupleLabels[i]
                                    * batch
                                    * slopes[i * k + j]
                                    * features[(i * k + j) * FEATURES + c];
                        }
                        d[c] = tuples.imageLabels[i * k] * features[i * k * FEATURES + c];
                    }
                    endToEnd[step * batch + i] = e;
                    decomposed[step * batch + i] = d;
                }
                run.advance();
            }
            run.run(run.plan.evaluation());
            float[] row = run.plan.test().rows().toFloats();
            assertEquals(steps, Float.floatToRawIntBits(row[0]));
            assertStatistics(endToEnd, Arrays.copyOfRange(row, 1, 7));
            assertStatistics(decomposed, Arrays.copyOfRange(row, 7, 13));
        }
    }

    private static void assertStatistics(double[][] g, float[] got) {
        int n = g.length;
        double sig = 0, noi = 0, pairs = 0;
        for (int c = 0; c < FEATURES; c++) {
            int column = c;
            double mean = Arrays.stream(g)
                    .mapToDouble(sample -> sample[column])
                    .average()
                    .orElseThrow();
            double second = Arrays.stream(g)
                    .mapToDouble(sample -> sample[column] * sample[column])
                    .sum();
            sig += mean * mean;
            noi += Arrays.stream(g)
                    .mapToDouble(sample -> (sample[column] - mean) * (sample[column] - mean))
                    .average()
                    .orElseThrow();
            pairs += (mean * mean * n * n - second) / n / (n - 1.0);
        }
        assertEquals(sig, got[0], 1e-4 * sig, "Sig");
        assertEquals(noi, got[1], 1e-4 * noi, "Noi");
        assertEquals(sig / noi, got[2], 2e-4 * sig / noi, "ratio");
        assertEquals(Math.log(sig / noi), got[3], 2e-4, "logarithm");
        assertEquals(pairs, got[4], 1e-4 * (sig + noi / n), "unbiased");
        assertTrue(got[5] > 0, "standard error");
    }

    @Test
    void defaultsAreThePapers() {
        assertEquals(new Tuple.Options(3, Approach.DEC, Raster.PAPER, 200, 1e-3f), Tuple.Options.of(3, Approach.DEC));
        assertEquals(20_000, new TupleKind().defaultSteps(Tuple.Options.of(3, Approach.E2E)));
        assertEquals(2_500, new TupleKind().defaultSteps(Tuple.Options.of(3, Approach.DEC)));
        assertEquals(new Snr.Options(3, 500_000L, Raster.PAPER, 200), Snr.Options.of(3));
        assertEquals(2_500, new SnrKind().defaultSteps(Snr.Options.of(3)));
    }

    @Test
    void mistakesGetOneLine() {
        assertEquals(
                "k must be between 1 and 16, not 0",
                assertThrows(IllegalArgumentException.class, () -> Tuple.Options.of(0, Approach.E2E))
                        .getMessage());
        assertEquals(
                "batch must be between 1 and 4096, not 0",
                assertThrows(IllegalArgumentException.class, () -> new Tuple.Options(1, Approach.E2E, null, 0, null))
                        .getMessage());
        assertEquals(
                "lr must be positive, not -1.0",
                assertThrows(IllegalArgumentException.class, () -> new Tuple.Options(1, Approach.E2E, null, 1, -1f))
                        .getMessage());
        assertEquals(
                "batch must be at least 2, for there to be noise, not 1",
                assertThrows(IllegalArgumentException.class, () -> new Snr.Options(1, null, null, 1))
                        .getMessage());
    }

    private static double[] doubles(DeviceBuffer buffer) {
        float[] floats = buffer.toFloats();
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }

    private static float[] floats(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            narrow[i] = (float) values[i];
        }
        return narrow;
    }
}
