package plateau.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Dense;
import plateau.reference.TestDevice;

/** The update rules over a whole arena, against their formulas in float64. */
class OptimizersTest {
    private static final int ELEMENTS = 45;

    @FunctionalInterface
    private interface Rule {
        void update(int t, double[] w, double[] g, double[] m, double[] v);
    }

    @Test
    void sgd() {
        check(new Sgd(0.25f), (t, w, g, m, v) -> {
            for (int i = 0; i < ELEMENTS; i++) {
                w[i] -= 0.25 * g[i];
            }
        });
    }

    @Test
    void adamWithEpsilonOutsideTheBiasCorrection() {
        float beta1 = 0.9f;
        float beta2 = 0.99f;
        float epsilon = 1e-2f; // large enough to tell where it stands
        check(new Adam(0.125f, beta1, beta2, epsilon), (t, w, g, m, v) -> {
            double rate = 0.125 * Math.sqrt(1 - Math.pow(beta2, t)) / (1 - Math.pow(beta1, t));
            for (int i = 0; i < ELEMENTS; i++) {
                m[i] = beta1 * m[i] + (1 - beta1) * g[i];
                v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
                w[i] -= rate * m[i] / (Math.sqrt(v[i]) + epsilon);
            }
        });
    }

    /** The rate lies in device memory, where a captured graph reads it. */
    @Test
    void theRateCanBeChangedUnderPreparedWork() {
        try (Device device = TestDevice.open();
                Workspace workspace = new Workspace(device)) {
            Stream stream = workspace.own(device.createStream(), Stream::close);
            Sgd optimizer = new Sgd(0.25f);
            Parameters.Declaration declaration = new Parameters.Declaration();
            declaration.declare("w", Shape.of(1), (k, elements, seed, first, values) -> values.fill(0));
            Parameters parameters = declaration.allocate(workspace, optimizer);
            Work update = optimizer.update(Kernels.of(device), workspace, parameters, workspace.ints(0));
            parameters.arena().upload(new float[parameters.arena().toFloats().length]);
            parameters.gradients().slice(0, Float.BYTES).upload(1f);
            update.enqueue(stream);
            stream.synchronize();
            assertEquals(-0.25f, parameters.values().toFloats()[0]);
            parameters.learningRate().upload(2f);
            update.enqueue(stream);
            stream.synchronize();
            assertEquals(-2.25f, parameters.values().toFloats()[0]);
        }
    }

    @Test
    void constantsOutOfRangeAreRefused() {
        assertRefused("A learning rate must be positive, not NaN", () -> Adam.of(Float.NaN));
        assertRefused("A learning rate must be positive, not -1.0", () -> new Sgd(-1));
        assertRefused("A learning rate must be positive, not 0.0", () -> new Sgd(0));
        assertRefused("A learning rate must be positive, not Infinity", () -> new Sgd(Float.POSITIVE_INFINITY));
        assertRefused(
                "Adam's decays must be at least 0 and below 1, not 1.0 and 0.9", () -> new Adam(0.1f, 1, 0.9f, 1e-5f));
        assertRefused(
                "Adam's decays must be at least 0 and below 1, not 0.9 and NaN",
                () -> new Adam(0.1f, 0.9f, Float.NaN, 1e-5f));
        assertRefused("Adam's epsilon must be positive, not 0.0", () -> new Adam(0.1f, 0.9f, 0.9f, 0));
    }

    private static void assertRefused(String message, Executable optimizer) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, optimizer).getMessage());
    }

    /**
     * Twelve updates with fresh gradients; the step lies in device memory, as in a captured graph.
     */
    private static void check(DenseOptimizer optimizer, Rule rule) {
        try (Device device = TestDevice.open();
                Workspace workspace = new Workspace(device)) {
            Kernels kernels = Kernels.of(device, Dense.Products.AUTO);
            Stream stream = workspace.own(device.createStream(), Stream::close);
            Parameters.Declaration declaration = new Parameters.Declaration();
            Parameter parameter = declaration.declare(
                    "w",
                    Shape.of(ELEMENTS),
                    (k, elements, seed, first, values) -> values.fill(Float.floatToIntBits(2)));
            Parameters parameters = declaration.allocate(workspace, optimizer);
            DeviceBuffer step = workspace.ints(0);
            Work update = optimizer.update(kernels, workspace, parameters, step);
            parameters.initialise(kernels, workspace.longs(1), 0).enqueue(stream);
            stream.synchronize();
            Random random = new Random(5);
            double[] w = new double[ELEMENTS];
            Arrays.fill(w, 2);
            double[] m = new double[ELEMENTS];
            double[] v = new double[ELEMENTS];
            for (int t = 1; t <= 12; t++) {
                float[] g = new float[ELEMENTS];
                double[] exact = new double[ELEMENTS];
                for (int i = 0; i < ELEMENTS; i++) {
                    exact[i] = g[i] = (float) (0.1 * random.nextGaussian());
                }
                parameters.gradients().upload(g);
                update.enqueue(stream);
                kernels.counter().advance(step).enqueue(stream);
                stream.synchronize();
                rule.update(t, w, exact, m, v);
                float[] actual = parameters.tensor(parameter).values().toFloats();
                for (int i = 0; i < ELEMENTS; i++) {
                    assertEquals(w[i], actual[i], 2e-6, "w[" + i + "] after update " + t);
                }
            }
        }
    }
}
