package plateau.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Dense;
import plateau.reference.TestDevice;

/**
 * Adam that leaves rows out and makes up for it, against Adam that moves every weight at every
 * step, in float64.
 */
class RowAdamTest {
    private static final Adam RULE = Adam.of(0.1f);

    /** A table (d, k) and a bias (k), updated by batches of n rows. */
    private static final class Table implements AutoCloseable {
        final int d;
        final int k;
        final int n;
        final Device device = TestDevice.open();
        final Workspace workspace = new Workspace(device);
        final Kernels kernels = Kernels.of(device, Dense.Products.AUTO);
        final Stream stream = workspace.own(device.createStream(), Stream::close);
        final DeviceBuffer step = workspace.ints(0);
        final Parameters parameters;
        final RowAdam.Table table;
        final Tensor bias;
        final RowAdam.Rows batch;
        final RowAdam.Rows all;
        final DeviceBuffer gradient;
        final Work update;

        Table(int d, int k, int n) {
            this.d = d;
            this.k = k;
            this.n = n;
            Parameters.Declaration declaration = new Parameters.Declaration();
            Parameter rows = declaration.declare(
                    "rows",
                    Shape.of(d, k),
                    (kernels, elements, seed, stream, values) -> values.fill(Float.floatToIntBits(2)));
            Parameter b = declaration.declare(
                    "bias", Shape.of(k), (kernels, elements, seed, stream, values) -> values.fill(0));
            RowAdam optimizer = new RowAdam(RULE, rows);
            parameters = declaration.allocate(workspace, optimizer);
            table = optimizer.table(kernels, workspace, parameters, step);
            bias = parameters.tensor(b);
            batch = table.rows("batch", n);
            all = table.rows("all", d);
            all.x().upload(IntStream.range(0, d).toArray());
            gradient = workspace.words((long) n * k);
            update = table.update(batch, gradient);
            run(parameters.initialise(kernels, workspace.longs(1), 0));
        }

        void run(Work work) {
            work.enqueue(stream);
            stream.synchronize();
        }

        void update(int[] x, float[] g, float[] biasGradient) {
            batch.x().upload(x);
            run(table.read(batch));
            gradient.upload(g);
            parameters.gradient(bias).orElseThrow().upload(biasGradient);
            run(update);
            run(kernels.counter().advance(step));
        }

        float[] values() {
            run(table.read(all));
            return all.values().values().toFloats();
        }

        @Override
        public void close() {
            workspace.close();
            device.close();
        }
    }

    /** Dense Adam in float64. */
    private static void step(int t, double[] w, double[] g, double[] m, double[] v) {
        double rate = RULE.learningRate() * Math.sqrt(1 - Math.pow(RULE.beta2(), t)) / (1 - Math.pow(RULE.beta1(), t));
        for (int i = 0; i < w.length; i++) {
            m[i] = RULE.beta1() * m[i] + (1 - RULE.beta1()) * g[i];
            v[i] = RULE.beta2() * v[i] + (1 - RULE.beta2()) * g[i] * g[i];
            w[i] -= rate * m[i] / (Math.sqrt(v[i]) + RULE.epsilon());
        }
    }

    /**
     * Gradients of all sizes around ε; rows that come at every step, several times in one, after
     * hundreds of steps, and never. The bias, which is moved at every step, is off by up to 4e-6
     * here, and the rows by no more; both are given 1e-5.
     */
    @ParameterizedTest
    @CsvSource({
        "1, 3, 1, 50, 1",
        "2, 5, 4, 300, 0.1",
        "40, 7, 4, 400, 1e-4",
        "300, 33, 3, 500, 1e-5",
        "300, 2, 100, 60, 1e-3",
        "50, 31, 1, 900, 1"
    })
    void equalsAdamThatMovesEveryRow(int d, int k, int n, int steps, float scale) {
        Random random = new Random(7);
        double[] w = new double[d * k],
                m = new double[d * k],
                v = new double[d * k],
                b = new double[k],
                bm = new double[k],
                bv = new double[k];
        Arrays.fill(w, 2);
        try (Table table = new Table(d, k, n)) {
            for (int t = 1; t <= steps; t++) {
                int[] x = IntStream.range(0, n).map(i -> random.nextInt(d)).toArray();
                float[] g = new float[n * k], biasGradient = new float[k];
                double[] rows = new double[d * k], sums = new double[k];
                for (int i = 0; i < n * k; i++) {
                    g[i] = scale * (float) (random.nextGaussian() * Math.exp(2 * random.nextGaussian()));
                    rows[x[i / k] * k + i % k] += g[i];
                    biasGradient[i % k] += g[i];
                }
                Arrays.setAll(sums, j -> biasGradient[j]);
                table.update(x, g, biasGradient);
                step(t, w, rows, m, v);
                step(t, b, sums, bm, bv);
                if (t % 37 == 0 || t == steps) {
                    assertArrayEquals(w, doubles(table.values()), 1e-5, "rows after " + t);
                    assertArrayEquals(b, doubles(table.bias.values().toFloats()), 1e-5, "bias after " + t);
                }
            }
        }
    }

    /**
     * Values that anybody reads on the way leave no trace: the same bits whether read at every step
     * or at the end.
     */
    @Test
    void readingChangesNothing() {
        float[][] values = new float[2][];
        for (int run = 0; run < 2; run++) {
            Random random = new Random(3);
            try (Table table = new Table(30, 5, 2)) {
                for (int t = 0; t < 100; t++) {
                    int[] x = {random.nextInt(30), random.nextInt(30)};
                    float[] g = new float[10];
                    for (int i = 0; i < g.length; i++) {
                        g[i] = (float) random.nextGaussian();
                    }
                    table.update(x, g, new float[5]);
                    values[run] = run == 0 || t == 99 ? table.values() : null;
                }
            }
        }
        assertArrayEquals(values[0], values[1]);
    }

    @Test
    void theTableComesFirst() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        declaration.declare("bias", Shape.of(3), null);
        Parameter rows = declaration.declare("rows", Shape.of(2, 3), null);
        assertEquals(
                "The table rows must be declared before all other parameters",
                assertThrows(IllegalArgumentException.class, () -> new RowAdam(RULE, rows))
                        .getMessage());
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }
}
