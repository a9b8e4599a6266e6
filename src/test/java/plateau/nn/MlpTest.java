package plateau.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import plateau.autograd.Adam;
import plateau.autograd.Kernels;
import plateau.autograd.Parameters;
import plateau.autograd.Shape;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Dense;
import plateau.reference.TestDevice;

class MlpTest {
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

    @Test
    void layersAreDeclaredInOrderOnLinesOfTheirOwn() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        Mlp.declare(declaration, "net", 5, 50, 1);
        Parameters parameters = declaration.allocate(workspace, Adam.of(0.1f));
        assertEquals(
                List.of(
                        "net.1.weights 5x50 at 0",
                        "net.1.bias 50 at 256",
                        "net.2.weights 50x1 at 320",
                        "net.2.bias 1 at 384"),
                parameters.declared().stream()
                        .map(p -> "%s %s at %d".formatted(p.name(), p.shape(), p.offset()))
                        .toList());
        assertEquals(416, parameters.elements());
        assertEquals(4L * 4 * 416, parameters.arena().bytes(), "values, gradients and Adam's two moments");
    }

    @Test
    void weightsStartTruncatedNormalAndEverythingElseZero() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        Mlp.declare(declaration, "net", 100, 1000, 3);
        Parameters parameters = declaration.allocate(workspace, Adam.of(0.1f));
        Work initialise = parameters.initialise(kernels, workspace.longs(7), 16);
        run(initialise);
        float[] first = values(parameters, 0);
        double mean = 0;
        double square = 0;
        for (float w : first) {
            assertTrue(Math.abs(w) <= 0.2f, "outside two sigma: " + w);
            mean += w / first.length;
            square += (double) w * w / first.length;
        }
        // A normal truncated at two sigma has variance 0.7737 sigma^2; sigma = 1/sqrt(100).
        assertEquals(0, mean, 4 * 0.088 / Math.sqrt(first.length));
        assertEquals(0.7737 / 100, square, 1e-4);
        assertArrayEquals(new float[1000], values(parameters, 1));
        assertArrayEquals(new float[3], values(parameters, 3));
        float ratio = first[0] / values(parameters, 2)[0];
        assertFalse(Math.abs(ratio - Math.sqrt(10)) < 1e-3, "layers draw from streams of their own");
        assertArrayEquals(
                new float[parameters.elements()], parameters.gradients().toFloats());
        assertArrayEquals(new float[parameters.elements()], parameters.state(1).toFloats());

        run(parameters.arena().fill(Float.floatToRawIntBits(Float.NaN)));
        run(initialise);
        assertArrayEquals(first, values(parameters, 0), "initialising again gives the same");
    }

    @Test
    void outputsAreThoseOfTheFormula() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        Mlp mlp = Mlp.declare(declaration, "net", 2, 3, 1);
        Parameters parameters = declaration.allocate(workspace, Adam.of(0.1f));
        upload(parameters, 0, 1, -1, 2, 3, 1, -2);
        upload(parameters, 1, 0.5f, 0, -1);
        upload(parameters, 2, 1, 10, 100);
        upload(parameters, 3, -4);
        Tape tape = new Tape(kernels, workspace, parameters);
        Tensor x = tape.tensor("x", Shape.of(2, 2));
        x.values().upload(1f, 1f, 2f, -1f);
        Tensor y = mlp.apply(tape, x);
        run(tape.forward(y));
        // (1, 1): hidden (4.5, 0, -1), of which (4.5, 0, 0) remain; (2, -1): (-0.5, -3, 5), of
        // which (0, 0, 5).
        assertArrayEquals(new float[] {0.5f, 496}, y.values().toFloats());
    }

    @Test
    void mistakesAreRefused() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        assertThrows(IllegalArgumentException.class, () -> Mlp.declare(declaration, "net", 5));
        assertThrows(IllegalArgumentException.class, () -> Mlp.declare(declaration, "net", 5, 0, 1));
    }

    private static void upload(Parameters parameters, int index, float... values) {
        parameters.tensors().get(index).values().upload(values);
    }

    private static float[] values(Parameters parameters, int index) {
        return parameters.tensors().get(index).values().toFloats();
    }

    private void run(Work work) {
        work.enqueue(stream);
        stream.synchronize();
    }
}
