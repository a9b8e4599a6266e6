package plateau.experiment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.autograd.Kernels;
import plateau.autograd.Parameter;
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Dense;
import plateau.kernel.ParityData;
import plateau.reference.Float64Tape;
import plateau.reference.Float64Tape.Node;
import plateau.reference.TestDevice;

/**
 * Parity's training step against a float64 re-implementation that starts from the same weights and
 * reads the same data.
 */
class ParityStepTest {

    /** The four arrays of the network: (d, 10 d), (10 d), (10 d, 1), (1). */
    private record Weights(double[] w1, double[] b1, double[] w2, double[] b2) {
        double[] array(int i) {
            return switch (i) {
                case 0 -> w1;
                case 1 -> b1;
                case 2 -> w2;
                default -> b2;
            };
        }
    }

    /** The same network on the oracle's tape. */
    private static final class Oracle {
        final Float64Tape tape = new Float64Tape();
        final Node[] parameters;
        final Node hidden;
        final Node p;
        final Node loss;

        Oracle(int d, Weights weights, double[] x, double[] y) {
            int n = y.length;
            int h = 10 * d;
            parameters = new Node[] {
                tape.leaf(d, h, weights.w1),
                tape.leaf(1, h, weights.b1),
                tape.leaf(h, 1, weights.w2),
                tape.leaf(1, 1, weights.b2)
            };
            hidden = tape.dense(tape.leaf(n, d, x), parameters[0], parameters[1]);
            p = tape.dense(tape.relu(hidden), parameters[2], parameters[3]);
            loss = tape.hinge(p, tape.leaf(n, 1, y));
        }

        /** Which pieces of the piecewise-linear loss every sample lies on. */
        boolean[] pieces(double[] y) {
            boolean[] pieces = new boolean[hidden.values().length + y.length];
            for (int i = 0; i < hidden.values().length; i++) {
                pieces[i] = hidden.values()[i] > 0;
            }
            for (int i = 0; i < y.length; i++) {
                pieces[hidden.values().length + i] = p.values()[i] * y[i] < 1;
            }
            return pieces;
        }
    }

    /** A planned run on the device, step by step. */
    private static final class Run implements AutoCloseable {
        final Parity.Options options;
        final long seed;
        final Device device;
        final Workspace workspace;
        final Stream stream;
        final DeviceBuffer step;
        final DeviceBuffer subset;
        final DeviceBuffer x;
        final DeviceBuffer y;
        final Kernels kernels;
        final ParityData data;
        final Plan plan;

        Run(Parity.Options options, long seed, Dense.Products path) {
            this.options = options;
            this.seed = seed;
            device = TestDevice.open();
            workspace = new Workspace(device);
            stream = workspace.own(device.createStream(), Stream::close);
            step = workspace.ints(0);
            subset = workspace.words(ParityData.subsetWords(options.d()));
            x = workspace.words((long) options.batch() * options.d());
            y = workspace.words(options.batch());
            kernels = Kernels.of(device, path);
            data = new ParityData(device);
            plan = new Parity(options, seed).plan(new RunContext(kernels, workspace, seed, step, 8));
            run(plan.initialise());
            run(data.subset(
                    options.d(), options.subsetSize().orElse(-1), workspace.longs(seed), RandomStreams.TASK, subset));
        }

        void run(Work work) {
            work.enqueue(stream);
            stream.synchronize();
        }

        Weights weights() {
            return new Weights(array(0), array(1), array(2), array(3));
        }

        double[] array(int i) {
            return doubles(plan.parameters().tensors().get(i).values());
        }

        double[] gradient(int i) {
            Parameter p = plan.parameters().declared().get(i);
            double[] all = doubles(plan.parameters().gradients());
            return Arrays.copyOfRange(all, p.offset(), p.offset() + p.shape().elements());
        }

        /** The batch that the next step trains on. */
        Oracle oracle(Weights weights) {
            run(data.batch(
                    options.batch(), options.d(), workspace.longs(seed), RandomStreams.TRAINING, step, subset, x, y));
            return new Oracle(options.d(), weights, doubles(x), doubles(y));
        }

        void step() {
            run(plan.step());
            run(kernels.counter().advance(step));
        }

        @Override
        public void close() {
            workspace.close();
            device.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 3, AUTO", "5, 128, AUTO", "10, 33, AUTO", "7, 128, KERNELS", "10, 128, CUBLAS"})
    void oneAndFiveStepsAgreeWithFloat64(int d, int batch, Dense.Products path) {
        try (Run run = new Run(new Parity.Options(d, null, batch, 0.1f), 11, path)) {
            Weights weights = run.weights();
            for (int step = 0; step < 5; step++) {
                Oracle oracle = run.oracle(weights);
                oracle.tape.backward(oracle.loss);
                run.step();
                for (int i = 0; i < 4; i++) {
                    double[] w = weights.array(i);
                    for (int j = 0; j < w.length; j++) {
                        w[j] -= 0.1f * oracle.parameters[i].gradient()[j];
                    }
                    assertArrayEquals(w, run.array(i), 2e-6, "array " + i + " after step " + (step + 1));
                }
                assertEquals(
                        oracle.loss.scalar(), run.plan.training().rows().toFloats()[3 * step + 1], 1e-5, "logged loss");
            }
        }
    }

    @Test
    void gradientAgreesWithFiniteDifferencesAwayFromKinks() {
        double h = 1e-4;
        try (Run run = new Run(Parity.Options.of(5), 1, Dense.Products.AUTO)) {
            Weights weights = run.weights();
            double[] y = new double[run.options.batch()];
            Oracle at = run.oracle(weights);
            System.arraycopy(doubles(run.y), 0, y, 0, y.length);
            double[] x = doubles(run.x);
            run.step();
            int checked = 0;
            int kinks = 0;
            for (int i = 0; i < 4; i++) {
                double[] gradient = run.gradient(i);
                double[] w = weights.array(i);
                for (int j = 0; j < w.length; j++) {
                    double centre = w[j];
                    w[j] = centre + h;
                    Oracle above = new Oracle(5, weights, x, y);
                    w[j] = centre - h;
                    Oracle below = new Oracle(5, weights, x, y);
                    w[j] = centre;
                    if (Arrays.equals(above.pieces(y), at.pieces(y)) && Arrays.equals(below.pieces(y), at.pieces(y))) {
                        assertEquals(
                                (above.loss.scalar() - below.loss.scalar()) / (2 * h),
                                gradient[j],
                                2e-6,
                                "array " + i + "[" + j + "]");
                        checked++;
                    } else {
                        kinks++;
                    }
                }
            }
            assertTrue(checked > 10 * kinks, checked + " checked, " + kinks + " near kinks");
        }
    }

    @Test
    void theLastLossAndTheTestMetricsAreThoseOfTheirBatches() {
        try (Run run = new Run(Parity.Options.of(6).withSubsetSize(2), 1, Dense.Products.AUTO)) {
            run.step();
            run.step();
            int n = 500;
            DeviceBuffer x = run.workspace.words(n * 6);
            DeviceBuffer y = run.workspace.words(n);
            run.run(run.data.batch(n, 6, run.workspace.longs(1), RandomStreams.EVALUATION, run.step, run.subset, x, y));
            Oracle oracle = new Oracle(6, run.weights(), doubles(x), doubles(y));
            run.run(run.plan.evaluation());
            float[] metrics = run.plan.test().rows().toFloats();
            double[] labels = doubles(y);
            long right = IntStream.range(0, n)
                    .filter(i -> oracle.p.values()[i] * labels[i] > 0)
                    .count();
            assertEquals(oracle.loss.scalar(), metrics[1], 1e-5);
            assertEquals(right / (double) n, metrics[2], 1e-6);
        }
    }

    @Test
    void trainingAndTestDataDiffer() {
        try (Run run = new Run(Parity.Options.of(10), 1, Dense.Products.AUTO)) {
            run.oracle(run.weights());
            double[] train = doubles(run.x);
            run.run(run.data.batch(
                    128, 10, run.workspace.longs(1), RandomStreams.EVALUATION, run.step, run.subset, run.x, run.y));
            double[] test = doubles(run.x);
            long equal = IntStream.range(0, train.length)
                    .filter(i -> train[i] == test[i])
                    .count();
            // 1280 fair coins: mean 640, standard deviation 18.
            assertEquals(640, equal, 90);
        }
    }

    private static double[] doubles(DeviceBuffer buffer) {
        float[] floats = buffer.toFloats();
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }
}
