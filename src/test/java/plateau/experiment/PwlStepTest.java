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
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.experiment.Pwl.Distribution;
import plateau.experiment.Pwl.Options;
import plateau.experiment.Pwl.Variant;
import plateau.kernel.Dense;
import plateau.kernel.PwlData;
import plateau.reference.Float64Tape;
import plateau.reference.Float64Tape.Node;
import plateau.reference.TestDevice;

/**
 * Training steps of every variant against a float64 re-implementation that starts from the same
 * weights and reads the same curves.
 */
class PwlStepTest {
    private static final int N = 100;
    private static final int OUTPUTS = 98;

    /** A planned run on the device, step by step, and its curves drawn a second time. */
    private static final class Run implements AutoCloseable {
        final Options options;
        final long seed;
        final Device device = TestDevice.open();
        final Workspace workspace = new Workspace(device);
        final Stream stream = workspace.own(device.createStream(), Stream::close);
        final DeviceBuffer step = workspace.ints(0);
        final Kernels kernels = Kernels.of(device, Dense.Products.AUTO);
        final PwlData data = new PwlData(device);
        final Plan plan;

        Run(Options options, long seed) {
            this.seed = seed;
            this.options = options;
            plan = new Pwl(options, seed).plan(new RunContext(kernels, workspace, seed, step, 8));
            run(plan.initialise());
        }

        void run(Work work) {
            work.enqueue(stream);
            stream.synchronize();
        }

        PwlData.Law law() {
            return options.curves() == Distribution.PAPER
                    ? PwlData.Law.PAPER
                    : options.variant() == Variant.AUTOENCODER ? PwlData.Law.REAL : PwlData.Law.PROGRAM;
        }

        /**
         * Curves f, and encodings p where the law has them, of that random stream at the present
         * step.
         */
        double[][] curves(int m, int randomStream) {
            DeviceBuffer f = workspace.words((long) m * N), p = workspace.words((long) m * N);
            boolean sparse = law() != PwlData.Law.REAL;
            run(data.curves(m, N, 0, law(), workspace.longs(seed), randomStream, step, f, sparse ? p : null));
            return new double[][] {doubles(f), sparse ? doubles(p) : null};
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

    /** (m 98, 3): f[t - 2], f[t - 1], f[t]. */
    private static double[] rows(double[] f, int m) {
        double[] rows = new double[m * OUTPUTS * 3];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = f[i / 3 / OUTPUTS * N + i / 3 % OUTPUTS + i % 3];
        }
        return rows;
    }

    private static double[] flat(double[][] matrix) {
        return IntStream.range(0, 9).mapToDouble(i -> matrix[i / 3][i % 3]).toArray();
    }

    private static double[] conditioner(Run run) {
        int curves = 10_000;
        double[] rows = rows(run.curves(curves, RandomStreams.TASK)[0], curves);
        double[][] c = new double[3][3];
        for (int r = 0; r < rows.length; r += 3) {
            for (int i = 0; i < 9; i++) {
                c[i / 3][i % 3] += rows[r + i / 3] * rows[r + i % 3] / (rows.length / 3.0);
            }
        }
        return flat(SymmetricMatrix.inverseSquareRoot(c));
    }

    /** Σ (output − target)² / divisor, on the oracle's tape. */
    private static Node squares(Float64Tape tape, Node output, double[] target, int rows, int columns, double divisor) {
        double[] minus =
                IntStream.range(0, target.length).mapToDouble(i -> -target[i]).toArray();
        Node error = tape.sum(output, tape.leaf(rows, columns, minus));
        double factor = rows * columns / divisor;
        return tape.map(tape.mean(tape.times(error, error)), v -> factor * v, v -> factor);
    }

    private static double lossAndGradients(
            Run run, double[] conditioner, List<double[]> weights, List<double[]> gradients) {
        int m = run.options.batch();
        double[][] curves = run.curves(m, RandomStreams.TRAINING);
        double[] f = curves[0];
        Float64Tape tape = new Float64Tape();
        List<Node> parameters = new ArrayList<>();
        Node loss;
        if (run.options.variant() == Variant.AUTOENCODER) {
            Node output = tape.leaf(m, N, f);
            int in = N;
            for (int i = 0; i < weights.size(); i += 2) {
                int out = weights.get(i + 1).length;
                Node w = tape.leaf(in, out, weights.get(i)), b = tape.leaf(1, out, weights.get(i + 1));
                parameters.addAll(List.of(w, b));
                output = tape.dense(output, w, b);
                output = i + 2 < weights.size() ? tape.relu(output) : output;
                in = out;
            }
            loss = squares(tape, output, f, m, N, (double) m * N);
        } else if (run.options.variant() == Variant.LINEAR) {
            parameters.add(tape.leaf(N, N, weights.getFirst()));
            loss = squares(tape, tape.product(tape.leaf(m, N, f), parameters.getFirst()), curves[1], m, N, m);
        } else {
            parameters.add(tape.leaf(3, 1, weights.getFirst()));
            Node inputs = tape.leaf(m * OUTPUTS, 3, rows(f, m));
            inputs = run.options.variant() == Variant.CONDITIONED
                    ? tape.product(inputs, tape.leaf(3, 3, conditioner))
                    : inputs;
            double[] target = IntStream.range(0, m * OUTPUTS)
                    .mapToDouble(i -> curves[1][i / OUTPUTS * N + 2 + i % OUTPUTS])
                    .toArray();
            loss = squares(tape, tape.product(inputs, parameters.getFirst()), target, m * OUTPUTS, 1, (double) m * N);
        }
        tape.backward(loss);
        parameters.forEach(parameter -> gradients.add(parameter.gradient()));
        return loss.scalar();
    }

    @ParameterizedTest
    @CsvSource({
        "LINEAR, PAPER, 33",
        "LINEAR, PROGRAM, 7",
        "CONV, PAPER, 10",
        "CONV, PROGRAM, 33",
        "CONDITIONED, PAPER, 10",
        "CONDITIONED, PROGRAM, 10",
        "AUTOENCODER, PAPER, 20",
        "AUTOENCODER, PROGRAM, 3"
    })
    void fiveStepsAgreeWithFloat64(Variant variant, Distribution curves, int batch) {
        float rate = Options.of(variant).learningRate();
        try (Run run = new Run(new Options(variant, curves, batch, rate), 3)) {
            double[] conditioner = variant == Variant.CONDITIONED ? conditioner(run) : null;
            List<double[]> weights = run.weights();
            List<double[]> means =
                    weights.stream().map(w -> new double[w.length]).toList();
            List<double[]> squares =
                    weights.stream().map(w -> new double[w.length]).toList();
            List<boolean[]> decided =
                    weights.stream().map(w -> new boolean[w.length]).toList();
            for (int step = 1; step <= 5; step++) {
                List<double[]> gradients = new ArrayList<>();
                int compared = 0;
                double loss = lossAndGradients(run, conditioner, weights, gradients);
                run.run(run.plan.step());
                run.run(run.kernels.counter().advance(run.step));
                double corrected = rate * Math.sqrt(1 - Math.pow(0.999f, step)) / (1 - Math.pow(0.9f, step));
                for (int i = 0; i < weights.size(); i++) {
                    double[] w = weights.get(i),
                            m = means.get(i),
                            v = squares.get(i),
                            g = gradients.get(i),
                            got = run.weights().get(i);
                    double largest = Arrays.stream(g).map(Math::abs).max().orElseThrow();
                    for (int j = 0; j < w.length; j++) {
                        m[j] = 0.9f * m[j] + (1 - 0.9f) * g[j];
                        v[j] = 0.999f * v[j] + (1 - 0.999f) * g[j] * g[j];
                        w[j] -= corrected * m[j] / (Math.sqrt(v[j]) + 1e-8f);
                    }
                    for (int j = 0; j < w.length; j++) {
                        // Adam's first steps go by the gradient's sign: one that rounding decides
                        // says nothing.
                        decided.get(i)[j] = (step == 1 || decided.get(i)[j]) && Math.abs(g[j]) > 1e-4 * largest;
                        if (decided.get(i)[j]) {
                            assertEquals(
                                    w[j], got[j], 2e-2 * rate, "array " + i + ", element " + j + " after step " + step);
                            compared++;
                        }
                    }
                }
                int width = variant == Variant.AUTOENCODER ? 2 : 3;
                assertTrue(compared > 0);
                assertEquals(
                        loss,
                        run.plan.training().rows().toFloats()[width * (step - 1) + 1],
                        1e-3 * Math.max(loss, 1e-3),
                        "logged loss");
            }
        }
    }

    /**
     * Section 4.1.3: conditioned, the filter is there within a few hundred steps; the same filter
     * unconditioned, and the matrix, are not.
     */
    @Test
    void conditioningIsWhatMakesItFast() {
        double conditioned = distanceAfter(Variant.CONDITIONED, 300);
        double conv = distanceAfter(Variant.CONV, 300);
        double linear = distanceAfter(Variant.LINEAR, 300);
        assertTrue(conditioned < 1e-2, "conditioned: " + conditioned);
        assertTrue(conv > 0.5, "convolution: " + conv);
        assertTrue(linear > 1.5, "linear: " + linear);
    }

    private static double distanceAfter(Variant variant, int steps) {
        try (Run run = new Run(Options.of(variant).withCurves(Distribution.PROGRAM), 1)) {
            for (int i = 0; i < steps; i++) {
                run.plan.step().enqueue(run.stream);
                run.kernels.counter().advance(run.step).enqueue(run.stream);
            }
            run.run(run.plan.evaluation());
            return run.plan.test().rows().toFloats()[2];
        }
    }

    /** With the filter (1, −2, 1) the encoding is exact and its curve is the original. */
    @Test
    void curvesAreDecoded() {
        try (Run run = new Run(Options.of(Variant.CONV).withCurves(Distribution.PROGRAM), 1)) {
            run.plan.parameters().tensors().getFirst().values().upload(1f, -2f, 1f);
            run.run(run.plan.evaluation());
            float[] metrics = run.plan.test().rows().toFloats();
            assertEquals(0, metrics[1], 1e-9);
            assertEquals(0, metrics[2]);
            assertArrayEquals(
                    run.plan.curves().get("original").toFloats(),
                    run.plan.curves().get("decoded").toFloats(),
                    1e-2f);
        }
    }

    @Test
    void aMatrixTimesTheSquareOfItsRootIsOne() {
        double[][] a = {{4, 1, 0.5}, {1, 3, -0.2}, {0.5, -0.2, 1}};
        double[][] r = SymmetricMatrix.inverseSquareRoot(a);
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                double sum = 0;
                for (int k = 0; k < 3; k++) {
                    for (int l = 0; l < 3; l++) {
                        sum += r[i][k] * r[k][l] * a[l][j];
                    }
                }
                assertEquals(i == j ? 1 : 0, sum, 1e-9);
            }
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> SymmetricMatrix.inverseSquareRoot(new double[][] {{1, 2}, {2, 1}}));
    }

    @Test
    void defaultsAreThePapers() {
        assertEquals(new Options(Variant.CONDITIONED, Distribution.PAPER, 10, 0.99f), Options.of(Variant.CONDITIONED));
        assertEquals(new Options(Variant.LINEAR, Distribution.PAPER, 100, 1e-4f), Options.of(Variant.LINEAR));
        assertEquals(500, new PwlKind().defaultSteps(Options.of(Variant.CONDITIONED)));
        assertEquals(50_000, new PwlKind().defaultSteps(Options.of(Variant.AUTOENCODER)));
    }

    private static double[] doubles(DeviceBuffer buffer) {
        float[] floats = buffer.toFloats();
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }
}
