package plateau.experiment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
import plateau.experiment.Step.Options;
import plateau.experiment.Step.Smoothing;
import plateau.experiment.Step.Variant;
import plateau.kernel.Dense;
import plateau.kernel.StepData;
import plateau.reference.Float64Tape;
import plateau.reference.Float64Tape.Node;
import plateau.reference.TestDevice;

/**
 * Training steps of every variant against a float64 re-implementation that starts from the same
 * weights and reads the same data.
 */
class StepStepTest {
    private static final int D = 100;
    private static final double[] OFFSETS = DoubleStream.of(
                    -100, -95, -90, -85, -80, -75, -70, -65, -60, -55, -50, -45, -40, -35, -30, -25, -20, -15, -10, -5,
                    -4, -3, -2, -1, -0.2, 0, 0.1, 0.15, 0.175, 1, 2, 3, 4, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55,
                    60, 65, 70, 75, 80, 85, 90, 95)
            .toArray();

    /** A planned run on the device, step by step, and its data drawn a second time. */
    private static final class Run implements AutoCloseable {
        final Options options;
        final long seed;
        final Device device = TestDevice.open();
        final Workspace workspace = new Workspace(device);
        final Stream stream = workspace.own(device.createStream(), Stream::close);
        final DeviceBuffer step = workspace.ints(0);
        final Kernels kernels = Kernels.of(device, Dense.Products.AUTO);
        final StepData data = new StepData(device);
        final DeviceBuffer task = workspace.words(D + 1);
        final Plan plan;

        Run(Options options, long seed) {
            this.seed = seed;
            this.options = options;
            plan = new Step(options, seed).plan(new RunContext(kernels, workspace, seed, step, 8));
            run(plan.initialise());
            run(data.normals(D + 1, 1, workspace.longs(seed), RandomStreams.TASK, workspace.ints(0), task));
        }

        void run(Work work) {
            work.enqueue(stream);
            stream.synchronize();
        }

        double b() {
            return doubles(task)[D];
        }

        /** The inputs of the next step, in that random stream. */
        double[] inputs(int n, int randomStream) {
            DeviceBuffer x = workspace.words((long) n * D);
            run(data.normals(n * D, 0.01f, workspace.longs(seed), randomStream, step, x));
            return doubles(x);
        }

        double score(double[] x, int sample) {
            double[] w = doubles(task);
            return w[D]
                    + IntStream.range(0, D)
                            .mapToDouble(j -> x[sample * D + j] * w[j])
                            .sum();
        }

        /** The index of the largest level that is at most r. */
        int level(double r) {
            return (int) IntStream.range(1, OFFSETS.length)
                    .filter(i -> OFFSETS[i] + b() <= r)
                    .count();
        }

        double u(double r) {
            return OFFSETS[level(r)] + b();
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

    private static double middle(Options options, int i) {
        return OFFSETS[i] - (options.smoothing() == Smoothing.PROGRAM ? (OFFSETS[i] - OFFSETS[i - 1]) / 20 : 0);
    }

    private static double steepness(Options options, int i) {
        return options.smoothing() == Smoothing.PROGRAM ? 50 / (OFFSETS[i] - OFFSETS[i - 1]) : 50;
    }

    private static double smooth(Run run, double r) {
        double y = OFFSETS[0] + run.b();
        for (int i = 1; i < OFFSETS.length; i++) {
            y += (OFFSETS[i] - OFFSETS[i - 1])
                    / (1 + Math.exp(-steepness(run.options, i) * (r - middle(run.options, i) - run.b())));
        }
        return y;
    }

    private static double smoothSlope(Run run, double r) {
        double slope = 0;
        for (int i = 1; i < OFFSETS.length; i++) {
            double sigmoid = 1 / (1 + Math.exp(-steepness(run.options, i) * (r - middle(run.options, i) - run.b())));
            slope += (OFFSETS[i] - OFFSETS[i - 1]) * steepness(run.options, i) * sigmoid * (1 - sigmoid);
        }
        return slope;
    }

    /**
     * The variant's network and loss on the oracle's tape; the loss's value and the gradients of
     * the parameters.
     */
    private static double lossAndGradients(Run run, double[] x, List<double[]> weights, List<double[]> gradients) {
        int n = run.options.batch();
        Float64Tape tape = new Float64Tape();
        List<Node> parameters = new ArrayList<>();
        Node output = tape.leaf(n, D, x);
        int in = D;
        for (int i = 0; i < weights.size(); i += 2) {
            int out = weights.get(i + 1).length;
            Node w = tape.leaf(in, out, weights.get(i)), b = tape.leaf(1, out, weights.get(i + 1));
            parameters.addAll(List.of(w, b));
            output = tape.dense(output, w, b);
            output = i + 2 < weights.size() ? tape.relu(output) : output;
            in = out;
        }
        double[] y =
                IntStream.range(0, n).mapToDouble(i -> run.u(run.score(x, i))).toArray();
        Node minusY = tape.leaf(n, 1, Arrays.stream(y).map(v -> -v).toArray());
        Node loss = switch (run.options.variant()) {
            case APPROXIMATION ->
                tape.mean(square(
                        tape, tape.sum(tape.map(output, r -> smooth(run, r), r -> smoothSlope(run, r)), minusY)));
            case E2E -> tape.mean(square(tape, tape.sum(output, minusY)));
            case FORWARD_ONLY ->
                tape.mean(tape.map(
                        square(tape, tape.sum(tape.map(output, run::u, r -> 1), minusY)), v -> v / 2, v -> 0.5));
            case MULTICLASS -> crossEntropy(run, tape, output, x);
        };
        tape.backward(loss);
        parameters.forEach(parameter -> gradients.add(parameter.gradient()));
        return loss.scalar();
    }

    private static Node square(Float64Tape tape, Node a) {
        return tape.times(a, a);
    }

    /** mean(log Σ exp p − p[label]). */
    private static Node crossEntropy(Run run, Float64Tape tape, Node p, double[] x) {
        int n = run.options.batch(), classes = OFFSETS.length;
        double[] ones = new double[classes], minusOneHot = new double[n * classes];
        Arrays.fill(ones, 1);
        for (int i = 0; i < n; i++) {
            minusOneHot[i * classes + run.level(run.score(x, i))] = -1;
        }
        Node sums = tape.product(tape.map(p, Math::exp, Math::exp), tape.leaf(classes, 1, ones));
        Node picked = tape.product(tape.times(p, tape.leaf(n, classes, minusOneHot)), tape.leaf(classes, 1, ones));
        return tape.mean(tape.sum(tape.map(sums, Math::log, v -> 1 / v), picked));
    }

    @ParameterizedTest
    @CsvSource({
        "APPROXIMATION, PROGRAM, 256",
        "APPROXIMATION, PAPER, 33",
        "E2E, PROGRAM, 67",
        "MULTICLASS, PROGRAM, 67",
        "FORWARD_ONLY, PROGRAM, 256",
        "FORWARD_ONLY, PROGRAM, 1"
    })
    void fiveStepsAgreeWithFloat64(Variant variant, Smoothing smoothing, int batch) {
        float rate = Options.of(variant).learningRate();
        try (Run run = new Run(new Options(variant, batch, rate, smoothing), 3)) {
            List<double[]> weights = run.weights();
            List<double[]> means =
                    weights.stream().map(w -> new double[w.length]).toList();
            List<double[]> squares =
                    weights.stream().map(w -> new double[w.length]).toList();
            for (int step = 1; step <= 5; step++) {
                List<double[]> gradients = new ArrayList<>();
                double loss = lossAndGradients(run, run.inputs(batch, RandomStreams.TRAINING), weights, gradients);
                run.run(run.plan.step());
                run.run(run.kernels.counter().advance(run.step));
                double corrected = rate * Math.sqrt(1 - Math.pow(0.99f, step)) / (1 - Math.pow(0.9f, step));
                for (int i = 0; i < weights.size(); i++) {
                    double[] w = weights.get(i), m = means.get(i), v = squares.get(i), g = gradients.get(i);
                    for (int j = 0; j < w.length; j++) {
                        m[j] = 0.9f * m[j] + (1 - 0.9f) * g[j];
                        v[j] = 0.99f * v[j] + (1 - 0.99f) * g[j] * g[j];
                        w[j] -= corrected * m[j] / (Math.sqrt(v[j]) + 1e-5f);
                    }
                    assertArrayEquals(w, run.weights().get(i), 5e-3 * rate, "array " + i + " after step " + step);
                }
                assertEquals(
                        loss,
                        run.plan.training().rows().toFloats()[4 * (step - 1) + 1],
                        1e-4 * Math.max(loss, 0.01),
                        "logged loss");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"APPROXIMATION", "E2E", "MULTICLASS", "FORWARD_ONLY"})
    void curvesAreThoseOfTheTestBatch(Variant variant) {
        try (Run run = new Run(Options.of(variant), 3)) {
            double[] x = run.inputs(2560, RandomStreams.EVALUATION);
            run.run(run.plan.evaluation());
            double[] r = doubles(run.plan.curves().get("score")),
                    y = doubles(run.plan.curves().get("label")),
                    hypothesis = doubles(run.plan.curves().get("hypothesis"));
            double squares = 0;
            int exact = 0;
            for (int i = 0; i < r.length; i++) {
                assertEquals(run.score(x, i), r[i], 2e-6);
                assertEquals(run.u(r[i]), y[i], 1e-6);
                double level = variant == Variant.APPROXIMATION
                        ? Double.NaN
                        : run.u(hypothesis[i] + (variant == Variant.E2E ? 0 : 1e-6));
                squares += Math.pow(level - y[i], 2) / r.length;
                exact += Math.abs(level - y[i]) < 1e-6 ? 1 : 0;
            }
            if (variant == Variant.APPROXIMATION) {
                double[] smooth = doubles(run.plan.curves().get("smooth"));
                for (int i = 0; i < r.length; i++) {
                    assertEquals(smooth(run, r[i]), smooth[i], 2e-3); // steepness 2000 times the rounding of r
                }
            } else {
                float[] metrics = run.plan.test().rows().toFloats();
                assertEquals(squares, metrics[2], 1e-4 * squares);
                assertEquals(exact / (double) r.length, metrics[3], 1e-3);
            }
        }
    }

    @Test
    void defaultsAreThePapers() {
        assertEquals(
                new Options(Variant.APPROXIMATION, 256, 0.01f, Smoothing.PROGRAM), Options.of(Variant.APPROXIMATION));
        assertEquals(0.001f, Options.of(Variant.E2E).learningRate());
        assertEquals(5_000, new StepKind().defaultSteps(Options.of(Variant.FORWARD_ONLY)));
        assertEquals(10_000, new StepKind().defaultSteps(Options.of(Variant.MULTICLASS)));
    }

    @Test
    void mistakesGetOneLine() {
        assertEquals(
                "batch must be between 1 and 1048576, not 0",
                assertThrows(IllegalArgumentException.class, () -> new Options(Variant.E2E, 0, 0.1f, null))
                        .getMessage());
        assertEquals(
                "lr must be positive, not -1.0",
                assertThrows(IllegalArgumentException.class, () -> new Options(Variant.E2E, 1, -1f, null))
                        .getMessage());
    }

    private static double[] doubles(DeviceBuffer buffer) {
        float[] floats = buffer.toFloats();
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }
}
