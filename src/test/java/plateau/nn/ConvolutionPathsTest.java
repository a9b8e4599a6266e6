package plateau.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
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
import plateau.cuda.Graph;
import plateau.cuda.GraphExec;
import plateau.cuda.LiveObjects;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Conv2d;
import plateau.kernel.Dense;
import plateau.reference.Seeds;
import plateau.reference.TestDevice;

/**
 * The network on a tuple's images by cuDNN and by the hand-written kernels: the same outputs,
 * gradients and training to float tolerance; each replays what it does eagerly.
 */
class ConvolutionPathsTest {
    private static final int BATCH = 9;
    private static final int SIDE = 28;
    private static final int CHANNELS = 16;
    private static final float RATE = 0.05f;

    /**
     * Always the same: where two of a window's elements are equal but for rounding, the paths may
     * rightly differ, which these numbers do not bring about.
     */
    private final Seeds seeds = new Seeds(5);

    private final float[] images = seeds.floats(BATCH * SIDE * SIDE),
            labels = seeds.signs(BATCH),
            values = seeds.floats(1 << 14);

    /** The network with its training step, and what there is to look at. */
    private static final class Network implements AutoCloseable {
        final Workspace workspace;
        final Stream stream;
        final Parameters parameters;
        final Tensor score;
        final Tensor x;
        final Backward backward;
        final Work step;

        Network(
                Device device,
                Conv2d.Convolutions path,
                boolean background,
                float[] images,
                float[] labels,
                float[] values) {
            workspace = new Workspace(device);
            stream = device.createStream();
            Parameters.Declaration declaration = new Parameters.Declaration();
            ConvolutionPool first = ConvolutionPool.declare(declaration, "first", SIDE, SIDE, 1, CHANNELS, 5, 28);
            ConvolutionPool second =
                    ConvolutionPool.declare(declaration, "second", SIDE / 2, SIDE / 2, CHANNELS, CHANNELS, 5, 16);
            Linear last = Linear.declare(declaration, "last", SIDE / 4 * (SIDE / 4) * CHANNELS, 1, Activation.LINEAR);
            parameters = declaration.allocate(workspace, new Sgd(RATE));
            Kernels kernels = Kernels.of(device, Dense.Products.KERNELS, path);
            Tape tape = new Tape(kernels, workspace, parameters);
            parameters.arena().fill(0).enqueue(stream);
            stream.synchronize();
            int next = 0;
            for (Tensor parameter : parameters.tensors()) {
                float[] scaled = Arrays.copyOfRange(
                        values, next, next += parameter.shape().elements());
                for (int i = 0; i < scaled.length; i++) {
                    scaled[i] *= 0.1f;
                }
                parameter.values().upload(scaled);
            }
            x = tape.tensor("x", Shape.of(BATCH, SIDE * SIDE));
            Tensor y = tape.tensor("labels", Shape.of(BATCH, 1));
            x.values().upload(images);
            y.values().upload(labels);
            score = last.apply(
                    tape, second.apply(tape, first.apply(tape, x), background ? tape.parameter(first.bias()) : null));
            Tensor loss = HingeLoss.of(tape, score, y);
            List<Tensor> wanted = new ArrayList<>(parameters.tensors());
            wanted.add(x);
            backward = tape.backward(List.of(loss), wanted);
            step = Work.sequence(
                    "step",
                    List.of(
                            tape.forward(loss),
                            backward.work(),
                            new Sgd(RATE).update(kernels, workspace, parameters, workspace.words(1))));
        }

        void run() {
            step.enqueue(stream);
            stream.synchronize();
        }

        List<float[]> gradients() {
            return parameters.tensors().stream()
                    .map(parameter -> backward.of(parameter).toFloats())
                    .toList();
        }

        List<float[]> weights() {
            return parameters.tensors().stream()
                    .map(parameter -> parameter.values().toFloats())
                    .toList();
        }

        @Override
        public void close() {
            stream.close();
            workspace.close();
        }
    }

    private Network network(Device device, Conv2d.Convolutions path, boolean background) {
        return new Network(device, path, background, images, labels, values);
    }

    /**
     * With a background the kernels leave out the gradients of dark pixels, which are no
     * parameters, so that those of the images are compared without.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bothGiveTheSameOutputsAndGradients(boolean background) {
        for (int i = 0; i < images.length; i++) {
            images[i] = seeds.random().nextInt(15) == 0 ? images[i] : 0;
        }
        try (Device device = TestDevice.open();
                Network cudnn = network(device, Conv2d.Convolutions.CUDNN, background);
                Network kernels = network(device, Conv2d.Convolutions.KERNELS, background)) {
            assertTrue(
                    cudnn.step.parts().stream().anyMatch(work -> work.name().equals("cudnnConvolutionBackwardData")),
                    "cuDNN does the work");
            assertTrue(
                    kernels.step.parts().stream().noneMatch(work -> work.name().startsWith("cudnn")),
                    "the kernels do the work");
            cudnn.run();
            kernels.run();
            assertClose(
                    "scores",
                    List.of(kernels.score.values().toFloats()),
                    List.of(cudnn.score.values().toFloats()),
                    1e-5);
            assertClose("gradients", kernels.gradients(), cudnn.gradients(), 1e-5);
            if (!background) {
                assertClose(
                        "the images' gradient",
                        List.of(kernels.backward.of(kernels.x).toFloats()),
                        List.of(cudnn.backward.of(cudnn.x).toFloats()),
                        1e-5);
            }
            for (int i = 1; i < 5; i++) {
                cudnn.run();
                kernels.run();
            }
            assertClose("weights after 5 steps", kernels.weights(), cudnn.weights(), 1e-4);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Conv2d.Convolutions.class,
            names = {"CUDNN", "KERNELS"})
    void aCapturedTrainingStepGivesTheBitsOfAnEagerOne(Conv2d.Convolutions path) {
        try (Device device = TestDevice.open()) {
            try (Network eager = network(device, path, true);
                    Network captured = network(device, path, true)) {
                List<float[]> before = eager.weights();
                eager.run();
                captured.run(); // libraries allocate at the first use of a stream
                try (Graph graph = captured.stream.capture(() -> captured.step.enqueue(captured.stream));
                        GraphExec exec = graph.instantiate()) {
                    for (int i = 0; i < 6; i++) {
                        eager.run();
                        exec.enqueue(captured.stream);
                    }
                    captured.stream.synchronize();
                }
                for (int i = 0; i < before.size(); i++) {
                    assertArrayEquals(eager.weights().get(i), captured.weights().get(i));
                    assertTrue(
                            !Arrays.equals(before.get(i), eager.weights().get(i)), "parameter " + i + " was trained");
                }
            }
            assertEquals(LiveObjects.NONE, device.live());
        }
    }

    /** Rounding errors are relative to the largest element. */
    private void assertClose(String what, List<float[]> expected, List<float[]> actual, double tolerance) {
        for (int k = 0; k < expected.size(); k++) {
            double scale = 0;
            for (float value : expected.get(k)) {
                scale = Math.max(scale, Math.abs(value));
            }
            assertTrue(scale > 0, seeds.message(what + " are all zero"));
            for (int i = 0; i < expected.get(k).length; i++) {
                double difference = Math.abs(expected.get(k)[i] - actual.get(k)[i]);
                assertTrue(
                        difference <= tolerance * scale,
                        seeds.message(
                                "%s %d[%d]: %s and %s".formatted(what, k, i, expected.get(k)[i], actual.get(k)[i])));
            }
        }
    }
}
