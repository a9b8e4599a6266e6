package plateau.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Dense;
import plateau.reference.Float64Tape;
import plateau.reference.Float64Tape.Node;
import plateau.reference.TestDevice;

/** Graphs of operations that a chain of layers does not reach, against the float64 oracle. */
class TapeTest {
    private static final int ROWS = 7;

    private Device device;
    private Kernels kernels;
    private Workspace workspace;
    private Stream stream;

    @BeforeEach
    void open() {
        device = TestDevice.open();
        kernels = Kernels.of(device, Dense.Products.AUTO);
        workspace = new Workspace(device);
        stream = workspace.own(device.createStream(), Stream::close);
    }

    @AfterEach
    void close() {
        workspace.close();
        device.close();
    }

    /**
     * One layer used on two inputs, a hidden tensor with two consumers, and two losses that add up.
     */
    private final class Branches {
        final Random random = new Random(3);
        final Parameters.Declaration declaration = new Parameters.Declaration();
        final Parameter w = declaration.declare("w", Shape.of(3, 4), null);
        final Parameter b = declaration.declare("b", Shape.of(4), null);
        final Parameter v1 = declaration.declare("v1", Shape.of(4, 1), null);
        final Parameter v2 = declaration.declare("v2", Shape.of(4, 1), null);
        final Parameter c = declaration.declare("c", Shape.of(1), null);
        final Parameter unused = declaration.declare("unused", Shape.of(5), null);
        final Parameters parameters = declaration.allocate(workspace, new Sgd(1));
        final Tape tape = new Tape(kernels, workspace, parameters);
        final Float64Tape oracle = new Float64Tape();
        final Tensor first;
        final Tensor second;
        final Tensor score;
        final Tensor[] losses;
        final Node nw;
        final Node nb;
        final Node nv1;
        final Node nv2;
        final Node nc;
        final Node nscore;

        Branches() {
            run(parameters.arena().fill(0));
            Tensor x1 = input("x1", 3);
            Tensor x2 = input("x2", 3);
            Tensor y = labels();
            nw = randomise(w);
            nb = randomise(b);
            nv1 = randomise(v1);
            nv2 = randomise(v2);
            nc = randomise(c);

            first = affine(x1, w, b, true);
            second = affine(x2, w, b, true);
            score = affine(first, v1, c, false);
            losses = new Tensor[] {
                HingeLoss.of(tape, score, y),
                HingeLoss.of(tape, affine(first, v2, c, false), y),
                HingeLoss.of(tape, affine(second, v2, c, false), y)
            };

            Node ny = node(y);
            Node n1 = oracle.relu(oracle.dense(node(x1), nw, nb));
            Node n2 = oracle.relu(oracle.dense(node(x2), nw, nb));
            nscore = oracle.dense(n1, nv1, nc);
            Node sum = oracle.sum(oracle.hinge(nscore, ny), oracle.hinge(oracle.dense(n1, nv2, nc), ny));
            oracle.backward(oracle.sum(sum, oracle.hinge(oracle.dense(n2, nv2, nc), ny)));
        }

        private Tensor affine(Tensor x, Parameter weights, Parameter bias, boolean relu) {
            return Affine.of(tape, "y", x, tape.parameter(weights), tape.parameter(bias), relu);
        }

        private Tensor input(String name, int columns) {
            Tensor x = tape.tensor(name, Shape.of(ROWS, columns));
            fill(x.values(), x.shape().elements());
            return x;
        }

        private Tensor labels() {
            Tensor y = tape.tensor("y", Shape.of(ROWS, 1));
            y.values().upload(new float[] {1, -1, -1, 1, 1, -1, 1});
            return y;
        }

        private Node randomise(Parameter parameter) {
            Tensor tensor = tape.parameter(parameter);
            fill(tensor.values(), tensor.shape().elements());
            float[] values = tensor.values().toFloats();
            boolean vector = parameter.shape().sizes().size() == 1;
            return oracle.leaf(vector ? 1 : tensor.rows(), vector ? values.length : tensor.columns(), doubles(values));
        }

        private Node node(Tensor tensor) {
            return oracle.leaf(
                    tensor.rows(), tensor.columns(), doubles(tensor.values().toFloats()));
        }

        private void fill(DeviceBuffer buffer, int elements) {
            float[] values = new float[elements];
            for (int i = 0; i < elements; i++) {
                values[i] = (float) random.nextGaussian();
            }
            buffer.upload(values);
        }

        private DeviceBuffer gradient(Parameter parameter) {
            return parameters.gradient(tape.parameter(parameter)).orElseThrow();
        }
    }

    @Test
    void sharedLayersSeveralConsumersAndSeveralLosses() {
        Branches net = new Branches();
        run(net.tape.training(net.losses));
        assertClose(net.nw.gradient(), net.gradient(net.w));
        assertClose(net.nb.gradient(), net.gradient(net.b));
        assertClose(net.nv1.gradient(), net.gradient(net.v1));
        assertClose(net.nv2.gradient(), net.gradient(net.v2));
        assertClose(net.nc.gradient(), net.gradient(net.c));
        assertArrayEquals(new float[5], net.gradient(net.unused).toFloats(), "no loss depends on it");
    }

    @Test
    void gradientOfOneTensorRunsOnlyWhatItNeeds() {
        Branches net = new Branches();
        Backward backward = net.tape.backward(List.of(net.losses), List.of(net.score));
        assertEquals(3, backward.work().parts().size(), "one launch for each loss, none for a layer");
        run(net.tape.forward(net.losses));
        run(backward.work());
        assertClose(net.nscore.gradient(), backward.of(net.score));
        assertThrows(IllegalArgumentException.class, () -> backward.of(net.first));
    }

    @Test
    void gradientOfOneLayerLeavesTheOthersAlone() {
        Branches net = new Branches();
        Backward backward = net.tape.backward(List.of(net.losses), List.of(net.tape.parameter(net.v1)));
        run(net.tape.forward(net.losses));
        run(backward.work());
        assertClose(net.nv1.gradient(), net.gradient(net.v1));
        assertArrayEquals(new float[12], net.gradient(net.w).toFloats());
    }

    @Test
    void forwardRunsWhatTheOutputsDependOnOnce() {
        Branches net = new Branches();
        assertEquals(1, net.tape.forward(net.second).parts().size());
        assertEquals(
                3, net.tape.forward(net.score, net.first, net.second).parts().size());
        assertEquals(8, net.tape.forward(net.losses).parts().size(), "five layers and three losses");
    }

    @Test
    void viewsShareValuesAndGradient() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        Parameter w = declaration.declare("w", Shape.of(2, 2), null);
        Parameter b = declaration.declare("b", Shape.of(2), null);
        Parameters parameters = declaration.allocate(workspace, new Sgd(1));
        run(parameters.arena().fill(0));
        Tape tape = new Tape(kernels, workspace, parameters);
        tape.parameter(w).values().upload(new float[] {0.1f, 0.2f, -0.3f, 0.4f});
        Tensor x = tape.tensor("x", Shape.of(3, 2));
        x.values().upload(new float[] {1, 1, -1, 1, 1, -1});
        Tensor y = Affine.of(tape, "y", x, tape.parameter(w), tape.parameter(b), false);
        Tensor labels = tape.tensor("labels", Shape.of(6, 1));
        labels.values().upload(new float[] {1, 1, 1, -1, -1, -1});
        run(tape.training(HingeLoss.of(tape, y.reshape(6, 1), labels)));
        // Every |y| is below 1, so dy = -label / 6 row by row: (-1, -1), (-1, 1), (1, 1) over 6.
        assertClose(
                new double[] {1 / 6., -1 / 6., -3 / 6., -1 / 6.},
                parameters.gradient(tape.parameter(w)).orElseThrow());
        assertClose(
                new double[] {-1 / 6., 1 / 6.},
                parameters.gradient(tape.parameter(b)).orElseThrow());
    }

    /**
     * The mean of scores that pass through a sigmoid: by hand, dy of each row is v sigmoid' / rows.
     */
    @Test
    void aScoreIsDifferentiatedWithoutALoss() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        Parameter v = declaration.declare("v", Shape.of(2, 1), null);
        Parameter c = declaration.declare("c", Shape.of(1), null);
        Parameters parameters = declaration.allocate(workspace, new Sgd(1));
        run(parameters.arena().fill(0));
        Tape tape = new Tape(kernels, workspace, parameters);
        tape.parameter(v).values().upload(new float[] {2, -3});
        Tensor x = tape.tensor("x", Shape.of(6, 1));
        float[] inputs = {0, 1, -2, 30, -30, 0.5f};
        x.values().upload(inputs);
        Tensor score = Affine.of(
                tape,
                "score",
                SigmoidActivation.of(tape, x.reshape(3, 2)),
                tape.parameter(v),
                tape.parameter(c),
                false);
        Tensor mean = MeanScore.of(tape, score);
        Backward backward = tape.backward(List.of(mean), List.of(x, tape.parameter(v)));
        run(tape.forward(score));
        run(backward.work());
        double[] dx = new double[6], dv = new double[2], scores = new double[3];
        for (int i = 0; i < 6; i++) {
            double s = 1 / (1 + Math.exp(-inputs[i])), weight = i % 2 == 0 ? 2 : -3;
            dx[i] = weight * s * (1 - s) / 3;
            dv[i % 2] += s / 3;
            scores[i / 2] += weight * s;
        }
        assertClose(dx, backward.of(x));
        assertClose(dv, parameters.gradient(tape.parameter(v)).orElseThrow());
        assertClose(scores, mean.values());
    }

    @Test
    void mistakesAreRefused() {
        Branches net = new Branches();
        assertThrows(IllegalArgumentException.class, () -> net.tape.training(net.score), "no loss");
        assertThrows(
                IllegalArgumentException.class,
                () -> net.tape.record(new HingeLoss(kernels, net.score, net.score, net.score)));
        assertThrows(
                IllegalArgumentException.class,
                () -> new SigmoidActivation(kernels, net.first, net.first),
                "rectified");
        assertThrows(
                IllegalArgumentException.class, () -> MeanScore.of(net.tape, net.first), "several scores in a row");
        assertThrows(IllegalArgumentException.class, () -> net.score.reshape(3));
        assertThrows(IllegalArgumentException.class, () -> Shape.of(3, 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> Affine.of(net.tape, "y", net.score, net.tape.parameter(net.w), net.tape.parameter(net.b), false));
    }

    private void run(Work work) {
        work.enqueue(stream);
        stream.synchronize();
    }

    private static double[] doubles(float[] values) {
        double[] result = new double[values.length];
        Arrays.setAll(result, i -> values[i]);
        return result;
    }

    private static void assertClose(double[] expected, DeviceBuffer actual) {
        assertArrayEquals(expected, doubles(actual.toFloats()), 1e-6);
    }
}
