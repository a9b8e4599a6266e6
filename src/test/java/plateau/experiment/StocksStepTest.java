package plateau.experiment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.autograd.Kernels;
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.experiment.Stocks.Options;
import plateau.kernel.Dense;
import plateau.kernel.StocksData;
import plateau.reference.Float64Tape;
import plateau.reference.Float64Tape.Node;
import plateau.reference.TestDevice;

/**
 * Training steps of both modes against a float64 re-implementation with one-hot inputs and Adam on
 * every weight, and the metrics against brute force.
 */
class StocksStepTest {

    /** A planned run on the device, step by step, and its data drawn a second time. */
    private static final class Run implements AutoCloseable {
        final Options options;
        final long seed;
        final Device device = TestDevice.open();
        final Workspace workspace = new Workspace(device);
        final Stream stream = workspace.own(device.createStream(), Stream::close);
        final DeviceBuffer step = workspace.ints(0);
        final Kernels kernels = Kernels.of(device, Dense.Products.AUTO);
        final StocksData data = new StocksData(device);
        final DeviceBuffer label;
        final Plan plan;

        Run(Options options, long seed) {
            this.options = options;
            this.seed = seed;
            plan = new Stocks(options, seed).plan(new RunContext(kernels, workspace, seed, step, 8));
            label = workspace.words(options.d());
            run(plan.initialise());
            run(data.labels(options.d(), options.k(), workspace.longs(seed), RandomStreams.TASK, label));
        }

        void run(Work work) {
            work.enqueue(stream);
            stream.synchronize();
        }

        /**
         * The weights (d, k) and the bias (k) as of now: what each row of the arena has missed
         * since its last update is made up for here, update by update.
         */
        List<double[]> weights() {
            int d = options.d(), k = options.k(), elements = plan.parameters().elements(), now = step.toInts()[0];
            double[] arena = doubles(plan.parameters().arena()), w = Arrays.copyOf(arena, d * k);
            int[] last = plan.parameters()
                    .arena()
                    .slice(4L * elements * Float.BYTES, (long) d * Integer.BYTES)
                    .toInts();
            for (int i = 0; i < w.length; i++) {
                double m = arena[2 * elements + i], s = arena[3 * elements + i];
                for (int age = 1; age <= now - last[i / k]; age++) {
                    w[i] -= rate(options.learningRate(), last[i / k] + age)
                            * Math.pow(0.9f, age)
                            * m
                            / (Math.pow(0.99f, age / 2.0) * s + 1e-5f);
                }
            }
            return List.of(w, doubles(plan.parameters().tensors().get(1).values()));
        }

        /** The next n samples of a random stream. */
        Samples samples(int n, int randomStream) {
            DeviceBuffer x = workspace.words(n);
            DeviceBuffer y = workspace.words(n);
            DeviceBuffer signs = workspace.words(StocksData.signWords(n, options.k()));
            run(data.batch(n, options.d(), options.k(), workspace.longs(seed), randomStream, step, label, x, y, signs));
            return new Samples(options, x.toInts(), y.toInts(), signs.toInts());
        }

        double[] metrics() {
            run(plan.evaluation());
            float[] row = plan.test().rows().toFloats();
            return IntStream.range(1, row.length).mapToDouble(i -> row[i]).toArray();
        }

        @Override
        public void close() {
            workspace.close();
            device.close();
        }
    }

    private static double rate(float learningRate, int update) {
        return learningRate * Math.sqrt(1 - Math.pow(0.99f, update)) / (1 - Math.pow(0.9f, update));
    }

    private record Samples(Options options, int[] x, int[] y, int[] signs) {
        double z(int sample, int j) {
            return 1 - 2 * (signs[sample * Math.ceilDiv(options.k(), 32) + j / 32] >>> j % 32 & 1);
        }

        /** One-hot rows, (n, d). */
        double[] inputs() {
            double[] rows = new double[x.length * options.d()];
            IntStream.range(0, x.length).forEach(i -> rows[i * options.d() + x[i]] = 1);
            return rows;
        }

        /** What multiplies the softmax, (n, k): z or the label's one-hot vector. */
        double[] factors(Approach mode) {
            int k = options.k();
            return IntStream.range(0, x.length * k)
                    .mapToDouble(i -> mode == Approach.E2E ? z(i / k, i % k) : i % k == y[i / k] ? 1 : 0)
                    .toArray();
        }
    }

    /**
     * The mean of −z · softmax(x w + b) on the oracle's tape, as −z · e / Σ e with e the
     * exponentials of scores that are around zero.
     */
    private static double lossAndGradients(
            Samples samples, Approach mode, List<double[]> weights, double[][] gradients) {
        int n = samples.x.length, d = samples.options.d(), k = samples.options.k();
        Float64Tape tape = new Float64Tape();
        Node w = tape.leaf(d, k, weights.get(0)), b = tape.leaf(1, k, weights.get(1));
        Node powers = tape.map(tape.dense(tape.leaf(n, d, samples.inputs()), w, b), Math::exp, Math::exp);
        double[] ones = new double[k];
        Arrays.fill(ones, 1);
        Node column = tape.leaf(k, 1, ones);
        Node gain = tape.product(tape.times(powers, tape.leaf(n, k, samples.factors(mode))), column);
        Node loss = tape.mean(tape.times(gain, tape.map(tape.product(powers, column), v -> -1 / v, v -> 1 / (v * v))));
        tape.backward(loss);
        gradients[0] = w.gradient();
        gradients[1] = b.gradient();
        return loss.scalar();
    }

    /**
     * Small d: rows are read several times in a batch and at every step; large d: most are not read
     * for steps on end.
     */
    @ParameterizedTest
    @CsvSource({
        "E2E, 7, 10, 33",
        "DEC, 7, 10, 33",
        "E2E, 60, 3, 5",
        "DEC, 60, 3, 5",
        "E2E, 200, 65, 20",
        "DEC, 200, 65, 20",
        "E2E, 1, 2, 1"
    })
    void fiveStepsAgreeWithFloat64(Approach mode, int d, int k, int batch) {
        float rate = 0.1f;
        try (Run run = new Run(new Options(d, k, mode, batch, rate), 3)) {
            List<double[]> weights = run.weights();
            double[][] means = {new double[d * k], new double[k]},
                    squares = {new double[d * k], new double[k]},
                    gradients = new double[2][];
            for (int step = 1; step <= 5; step++) {
                double loss = lossAndGradients(run.samples(batch, RandomStreams.TRAINING), mode, weights, gradients);
                run.run(run.plan.step());
                run.run(run.kernels.counter().advance(run.step));
                double corrected = rate(rate, step);
                for (int i = 0; i < 2; i++) {
                    double[] w = weights.get(i), m = means[i], v = squares[i], g = gradients[i];
                    for (int j = 0; j < w.length; j++) {
                        m[j] = 0.9f * m[j] + (1 - 0.9f) * g[j];
                        v[j] = 0.99f * v[j] + (1 - 0.99f) * g[j] * g[j];
                        w[j] -= corrected * m[j] / (Math.sqrt(v[j]) + 1e-5f);
                    }
                }
                assertEquals(loss, run.plan.training().rows().toFloats()[2 * (step - 1) + 1], 1e-5, "logged loss");
                assertArrayEquals(weights.get(0), run.weights().get(0), 2e-3 * rate, "weights after step " + step);
                assertArrayEquals(weights.get(1), run.weights().get(1), 2e-3 * rate, "bias after step " + step);
            }
        }
    }

    /**
     * Every input and every z that is possible with it, one after the other, at the start and after
     * steps that leave some rows behind.
     */
    @ParameterizedTest
    @CsvSource({"E2E, 0", "DEC, 0", "E2E, 4", "DEC, 30"})
    void metricsAreExpectationsOverAllInputsAndSigns(Approach mode, int steps) {
        int d = 6, k = 5;
        try (Run run = new Run(new Options(d, k, mode, 2, 0.1f), 4)) {
            for (int i = 0; i < steps; i++) {
                run.run(run.plan.step());
                run.run(run.kernels.counter().advance(run.step));
            }
            double[] w = run.weights().get(0), b = run.weights().get(1);
            int[] labels = run.label.toInts();
            double loss = 0, accuracy = 0, endToEnd = 0, decomposed = 0;
            double[] mean = new double[d * k + k];
            for (int input = 0; input < d; input++) {
                double[] share = softmax(w, b, input);
                int label = labels[input];
                loss -= share[label] / d;
                accuracy += IntStream.range(0, k).allMatch(j -> share[j] <= share[label]) ? 1.0 / d : 0;
                double[] one = gradient(
                        share,
                        IntStream.range(0, k)
                                .mapToDouble(j -> j == label ? 1 : 0)
                                .toArray(),
                        input,
                        d);
                decomposed += square(one) / d;
                for (int bits = 0; bits < 1 << k; bits++) {
                    int pattern = bits;
                    if ((pattern >> label & 1) == 0) {
                        double[] g = gradient(
                                share,
                                IntStream.range(0, k)
                                        .mapToDouble(j -> 1 - 2 * (pattern >> j & 1))
                                        .toArray(),
                                input,
                                d);
                        double probability = 1.0 / d / (1 << k - 1);
                        endToEnd += probability * square(g);
                        Arrays.setAll(mean, j -> mean[j] + probability * g[j]);
                    }
                }
            }
            double signal = square(mean);
            double[] expected = {
                loss,
                accuracy,
                endToEnd - signal,
                decomposed - signal,
                (endToEnd - signal) / (decomposed - signal),
                endToEnd,
                decomposed
            };
            double[] metrics = run.metrics();
            for (int i = 0; i < expected.length; i++) {
                assertEquals(
                        expected[i],
                        metrics[1 + i],
                        2e-5 * Math.max(Math.abs(expected[i]), 1e-3),
                        new Stocks(run.options, run.seed).metrics().get(1 + i));
            }
            Samples fresh = run.samples(500, RandomStreams.EVALUATION);
            double sampled = IntStream.range(0, 500 * k)
                    .mapToDouble(i -> -fresh.factors(Approach.E2E)[i] * softmax(w, b, fresh.x[i / k])[i % k] / 500)
                    .sum();
            assertEquals(sampled, metrics[0], 1e-5);
        }
    }

    private static double[] softmax(double[] w, double[] b, int input) {
        int k = b.length;
        double[] powers = IntStream.range(0, k)
                .mapToDouble(j -> Math.exp(w[input * k + j] + b[j]))
                .toArray();
        double sum = DoubleStream.of(powers).sum();
        return DoubleStream.of(powers).map(power -> power / sum).toArray();
    }

    /**
     * Of −z · softmax with respect to the weights (d, k) and the bias (k), term by term: −Σ_i z_i
     * p_i (δ_ij − p_j).
     */
    private static double[] gradient(double[] share, double[] z, int input, int d) {
        int k = share.length;
        double[] gradient = new double[d * k + k];
        for (int i = 0; i < k; i++) {
            for (int j = 0; j < k; j++) {
                double term = -z[i] * share[i] * ((i == j ? 1 : 0) - share[j]);
                gradient[input * k + j] += term;
                gradient[d * k + j] += term;
            }
        }
        return gradient;
    }

    private static double square(double[] values) {
        return DoubleStream.of(values).map(value -> value * value).sum();
    }

    /** Appendix A.2: where all outputs are alike, the end-to-end gradient has k times the noise. */
    @ParameterizedTest
    @CsvSource({"10", "100", "1000"})
    void noiseIsKTimesLargerAtTheStart(int k) {
        try (Device device = TestDevice.open()) {
            Map<String, Double> start =
                    new Stocks(Options.of(k, Approach.E2E), 1).start(Kernels.of(device, Dense.Products.AUTO));
            assertEquals(k, start.get("noise_ratio"), 0.05 * k);
            assertEquals(k, start.get("moment_e2e") / start.get("moment_dec"), 0.05 * k);
            assertEquals(-1.0 / k, start.get("exact_loss"), 0.01 / k);
        }
    }

    @Test
    void defaultsAreThePapers() {
        assertEquals(new Options(1000, 10, Approach.DEC, 100, 0.1f), Options.of(10, Approach.DEC));
        assertEquals(2_500, new StocksKind().defaultSteps(Options.of(10, Approach.DEC)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0    | 10      | 100   | 0.1  | d must be between 1 and 1048576, not 0",
                "1000 | 1       | 100   | 0.1  | k must be between 2 and 1048576, not 1",
                "1000 | 1000000 | 100   | 0.1  | d times k must be at most 268435456, not 1000000000",
                "1000 | 10      | 0     | 0.1  | batch must be between 1 and 16384, not 0",
                "1    | 1000000 | 16384 | 0.1  | batch times k must be at most 268435456, not 16384000000",
                "1000 | 10      | 100   | -0.1 | lr must be positive, not -0.1"
            })
    void mistakesGetOneLine(int d, int k, int batch, float rate, String message) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> new Options(d, k, Approach.E2E, batch, rate))
                        .getMessage());
    }

    private static double[] doubles(DeviceBuffer buffer) {
        float[] floats = buffer.toFloats();
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }
}
