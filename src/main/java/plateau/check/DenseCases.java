package plateau.check;

import java.util.List;
import plateau.kernel.Dense;

/** Dense layers and their gradients against float64 sums. */
final class DenseCases {
    /** Of what the magnitudes of a sum's terms come to. */
    private static final double TOLERANCE = 1e-6;

    private DenseCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random(
                        "dense_forward",
                        (made, draws) -> denseForward(made, draws, draws.size(), 1 + draws.size(), draws.size())),
                Row.random(
                        "dense_forward, deep",
                        (made, draws) -> denseForward(made, draws, 5, 67, draws.choose(255, 256, 257, 600))),
                Row.random(
                        "dense_forward_single",
                        (made, draws) -> denseForward(made, draws, draws.size(), 1, draws.size())),
                Row.random(
                        "dense_backward_input",
                        (made, draws) -> denseBackwardInput(made, draws, draws.size(), 1 + draws.size(), draws.size())),
                Row.random(
                        "dense_backward_input_single",
                        (made, draws) -> denseBackwardInput(made, draws, draws.size(), 1, draws.size())),
                Row.random(
                        "dense_backward_weights",
                        (made, draws) ->
                                denseBackwardWeights(made, draws, draws.size(), 1 + draws.size(), draws.size())),
                Row.random(
                        "dense_backward_weights, deep",
                        (made, draws) -> denseBackwardWeights(made, draws, draws.choose(300, 513), 33, 9)),
                Row.random(
                        "dense_backward_weights_single",
                        (made, draws) -> denseBackwardWeights(
                                made, draws, draws.size(), 1, draws.choose(1, 255, 256, 257, 600))),
                Row.random("bias_activation", DenseCases::biasActivation),
                Row.random("relu_mask", DenseCases::reluMask),
                Row.random("column_sums", DenseCases::columnSums));
    }

    private static void denseForward(KernelCase made, Draws draws, int m, int n, int k) {
        boolean relu = draws.random().nextBoolean(), biased = draws.random().nextBoolean();
        float[] x = draws.floats(m * k), w = draws.floats(k * n), bias = draws.floats(n);
        Sums y = new Sums(m * n);
        for (int r = 0; r < m; r++) {
            for (int c = 0; c < n; c++) {
                y.add(r * n + c, biased ? bias[c] : 0);
                for (int i = 0; i < k; i++) {
                    y.add(r * n + c, (double) x[r * k + i] * w[i * n + c]);
                }
                double sum = y.values()[r * n + c];
                y.values()[r * n + c] = relu ? Math.max(sum, 0) : sum;
            }
        }
        made.shape("m %d, n %d, k %d, relu %s, bias %s".formatted(m, n, k, relu, biased));
        made.runs(new Dense(made.device(), Dense.Products.KERNELS)
                .forward(
                        m,
                        n,
                        k,
                        made.input(x),
                        made.input(w),
                        biased ? made.input(bias) : null,
                        relu,
                        made.output("y", y, TOLERANCE)));
    }

    private static void denseBackwardInput(KernelCase made, Draws draws, int m, int n, int k) {
        boolean masked = draws.random().nextBoolean();
        float[] dy = draws.floats(m * n), w = draws.floats(k * n), x = draws.floats(m * k);
        Sums dx = new Sums(m * k);
        for (int r = 0; r < m; r++) {
            for (int i = 0; i < k; i++) {
                boolean kept = !masked || x[r * k + i] > 0;
                for (int c = 0; c < n; c++) {
                    dx.add(r * k + i, kept ? (double) dy[r * n + c] * w[i * n + c] : 0);
                }
            }
        }
        made.shape("m %d, n %d, k %d, masked %s".formatted(m, n, k, masked));
        made.runs(new Dense(made.device(), Dense.Products.KERNELS)
                .backwardInput(
                        m,
                        n,
                        k,
                        made.input(dy),
                        made.input(w),
                        masked ? made.input(x) : null,
                        made.output("dx", dx, TOLERANCE)));
    }

    private static void denseBackwardWeights(KernelCase made, Draws draws, int m, int n, int k) {
        boolean biased = draws.random().nextBoolean();
        float[] x = draws.floats(m * k), dy = draws.floats(m * n);
        Sums dw = new Sums(k * n), dbias = new Sums(n);
        for (int r = 0; r < m; r++) {
            for (int c = 0; c < n; c++) {
                dbias.add(c, dy[r * n + c]);
                for (int i = 0; i < k; i++) {
                    dw.add(i * n + c, (double) x[r * k + i] * dy[r * n + c]);
                }
            }
        }
        made.shape("m %d, n %d, k %d, bias %s".formatted(m, n, k, biased));
        made.runs(new Dense(made.device(), Dense.Products.KERNELS)
                .backwardWeights(
                        m,
                        n,
                        k,
                        made.input(x),
                        made.input(dy),
                        made.output("dw", dw, TOLERANCE),
                        biased ? made.output("dbias", dbias, TOLERANCE) : null));
    }

    private static void biasActivation(KernelCase made, Draws draws) {
        int m = draws.size(), n = draws.size();
        boolean relu = draws.random().nextBoolean();
        float[] before = draws.floats(m * n), bias = draws.floats(n);
        double[] y = new double[m * n];
        for (int i = 0; i < m * n; i++) {
            double z = before[i] + (double) bias[i % n];
            y[i] = relu ? Math.max(z, 0) : z;
        }
        made.shape("m %d, n %d, relu %s".formatted(m, n, relu));
        made.runs(new Dense(made.device(), Dense.Products.KERNELS)
                .biasActivation(m, n, made.input(bias), relu, made.outputOver("y", before, y, 1e-6)));
    }

    private static void reluMask(KernelCase made, Draws draws) {
        int n = draws.size();
        float[] output = draws.floats(n), before = draws.floats(n);
        double[] dx = new double[n];
        for (int i = 0; i < n; i++) {
            dx[i] = output[i] > 0 ? before[i] : 0;
        }
        made.shape("n " + n);
        made.runs(new Dense(made.device(), Dense.Products.KERNELS)
                .reluMask(n, made.input(output), made.outputOver("dx", before, dx, 0)));
    }

    private static void columnSums(KernelCase made, Draws draws) {
        int m = draws.size(), n = draws.choose(1, 31, 255, 256, 257, 600);
        float[] a = draws.floats(m * n);
        Sums sums = new Sums(n);
        for (int i = 0; i < m * n; i++) {
            sums.add(i % n, a[i]);
        }
        made.shape("m %d, n %d".formatted(m, n));
        made.runs(new Dense(made.device(), Dense.Products.KERNELS)
                .columnSums(m, n, made.input(a), made.output("sums", sums, TOLERANCE)));
    }
}
