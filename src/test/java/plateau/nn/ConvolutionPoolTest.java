package plateau.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.autograd.Backward;
import plateau.autograd.HingeLoss;
import plateau.autograd.Kernels;
import plateau.autograd.Parameters;
import plateau.autograd.Sgd;
import plateau.autograd.Shape;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Conv2d;
import plateau.kernel.Dense;
import plateau.reference.Float64Tape;
import plateau.reference.Float64Tape.Node;
import plateau.reference.TestDevice;

/**
 * Two convolutions with pooling and a linear layer, as the tuples' network has them, against the
 * float64 oracle: outputs, and the gradients of the images and of every parameter.
 */
class ConvolutionPoolTest {
    private static final int BATCH = 5;
    private static final int ROWS = 12;
    private static final int COLUMNS = 8;

    private final Random random = new Random(5);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradientsOfANetwork(boolean background) {
        try (Device device = TestDevice.open();
                Workspace workspace = new Workspace(device);
                Stream stream = device.createStream()) {
            Parameters.Declaration declaration = new Parameters.Declaration();
            ConvolutionPool first = ConvolutionPool.declare(declaration, "first", ROWS, COLUMNS, 2, 16, 5, 28);
            ConvolutionPool second =
                    ConvolutionPool.declare(declaration, "second", ROWS / 2, COLUMNS / 2, 16, 6, 3, 16);
            Linear last = Linear.declare(declaration, "last", 3 * 2 * 6, 1, Activation.LINEAR);
            Parameters parameters = declaration.allocate(workspace, new Sgd(1));
            Tape tape = new Tape(Kernels.of(device, Dense.Products.AUTO), workspace, parameters);
            run(stream, parameters.arena().fill(0));
            for (Tensor parameter : parameters.tensors()) {
                randomise(parameter, 0.3f);
            }
            Tensor x = tape.tensor("x", Shape.of(BATCH, ROWS * COLUMNS * 2)),
                    labels = tape.tensor("labels", Shape.of(BATCH, 1));
            x.values().upload(lines(x.shape().elements()));
            labels.values().upload(1f, -1f, -1f, 1f, 1f);
            Tensor score = last.apply(
                    tape, second.apply(tape, first.apply(tape, x), background ? tape.parameter(first.bias()) : null));
            Tensor loss = HingeLoss.of(tape, score, labels);

            Float64Tape oracle = new Float64Tape();
            List<Node> nodes = parameters.tensors().stream()
                    .map(p -> p.shape().sizes().size() == 1
                            ? oracle.leaf(1, p.rows(), doubles(p.values()))
                            : node(oracle, p))
                    .toList();
            Node nx = node(oracle, x);
            Node pooled = oracle.convolutionPool(
                    oracle.convolutionPool(nx, nodes.get(0), nodes.get(1), ROWS, COLUMNS, 5),
                    nodes.get(2),
                    nodes.get(3),
                    ROWS / 2,
                    COLUMNS / 2,
                    3);
            Node nscore = oracle.dense(pooled, nodes.get(4), nodes.get(5));
            oracle.backward(oracle.hinge(nscore, node(oracle, labels)));

            List<Tensor> wanted = new ArrayList<>(parameters.tensors());
            wanted.add(x);
            Backward backward = tape.backward(List.of(loss), wanted);
            run(stream, tape.forward(loss));
            run(stream, backward.work());
            assertClose(nscore.values(), score.values());
            if (!background) { // else the dark pixels' gradient ends in the first layer's bias
                assertClose(nx.gradient(), backward.of(x));
            }
            for (int i = 0; i < nodes.size(); i++) {
                assertClose(
                        nodes.get(i).gradient(),
                        backward.of(parameters.tensors().get(i)));
            }
        }
    }

    @Test
    void mistakesAreRefused() {
        assertEquals("padding 'same' needs an odd window, not 4", message(() -> new Conv2d.Geometry(1, 4, 4, 1, 1, 4)));
        assertEquals(
                "pooling 2 x 2 needs images with even sides, not 4 x 5",
                message(() -> new Conv2d.Geometry(1, 4, 5, 1, 1, 3)));
        assertEquals(
                "no convolution has batch 0, 4 x 4 images, channels 1 to 1, window 3",
                message(() -> new Conv2d.Geometry(0, 4, 4, 1, 1, 3)));
    }

    private static String message(Runnable mistake) {
        return assertThrows(IllegalArgumentException.class, mistake::run).getMessage();
    }

    /**
     * Images with a few pixels that are not dark, so that most of the first layer's outputs are its
     * bias.
     */
    private float[] lines(int elements) {
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = random.nextInt(60) == 0 ? (float) random.nextGaussian() : 0;
        }
        return values;
    }

    private void randomise(Tensor tensor, float scale) {
        float[] values = new float[tensor.shape().elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = scale * (float) random.nextGaussian();
        }
        tensor.values().upload(values);
    }

    private static Node node(Float64Tape oracle, Tensor tensor) {
        return oracle.leaf(tensor.rows(), tensor.columns(), doubles(tensor.values()));
    }

    private static double[] doubles(DeviceBuffer buffer) {
        float[] values = buffer.toFloats();
        double[] result = new double[values.length];
        Arrays.setAll(result, i -> values[i]);
        return result;
    }

    private static void run(Stream stream, Work work) {
        work.enqueue(stream);
        stream.synchronize();
    }

    /** Rounding errors are relative to the largest element. */
    private static void assertClose(double[] expected, DeviceBuffer actual) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        assertArrayEquals(expected, doubles(actual), 1e-5 * largest);
    }
}
