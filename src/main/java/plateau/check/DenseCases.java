package plateau.check;

import java.util.List;
import plateau.cuda.Device;
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
                        (device, draws) -> denseForward(device, draws, draws.size(), 1 + draws.size(), draws.size())),
                Row.random(
                        "dense_forward, deep",
                        (device, draws) -> denseForward(device, draws, 5, 67, draws.choose(255, 256, 257, 600))),
                Row.random(
                        "dense_forward_single",
                        (device, draws) -> denseForward(device, draws, draws.size(), 1, draws.size())),
                Row.random(
                        "dense_backward_input",
                        (device, draws) ->
                                denseBackwardInput(device, draws, draws.size(), 1 + draws.size(), draws.size())),
                Row.random(
                        "dense_backward_input_single",
                        (device, draws) -> denseBackwardInput(device, draws, draws.size(), 1, draws.size())),
                Row.random(
                        "dense_backward_weights",
                        (device, draws) ->
                                denseBackwardWeights(device, draws, draws.size(), 1 + draws.size(), draws.size())),
                Row.random(
                        "dense_backward_weights, deep",
                        (device, draws) -> denseBackwardWeights(device, draws, draws.choose(300, 513), 33, 9)),
                Row.random(
                        "dense_backward_weights_single",
                        (device, draws) -> denseBackwardWeights(
                                device, draws, draws.size(), 1, draws.choose(1, 255, 256, 257, 600))),
                Row.random("bias_activation", DenseCases::biasActivation),
                Row.random("relu_mask", DenseCases::reluMask),
                Row.random("column_sums", DenseCases::columnSums));
    }

    private static KernelCase denseForward(Device device, Draws draws, int m, int n, int k) {
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
        KernelCase made = new KernelCase(device, "m %d, n %d, k %d, relu %s, bias %s".formatted(m, n, k, relu, biased));
        made.runs(new Dense(device, Dense.Products.KERNELS)
                .forward(
                        m,
                        n,
                        k,
                        made.input(x),
                        made.input(w),
                        biased ? made.input(bias) : null,
                        relu,
                        made.output("y", y, TOLERANCE)));
        return made;
    }

    private static KernelCase denseBackwardInput(Device device, Draws draws, int m, int n, int k) {
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
        KernelCase made = new KernelCase(device, "m %d, n %d, k %d, masked %s".formatted(m, n, k, masked));
        made.runs(new Dense(device, Dense.Products.KERNELS)
                .backwardInput(
                        m,
                        n,
                        k,
                        made.input(dy),
                        made.input(w),
                        masked ? made.input(x) : null,
                        made.output("dx", dx, TOLERANCE)));
        return made;
    }

    private static KernelCase denseBackwardWeights(Device device, Draws draws, int m, int n, int k) {
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
        KernelCase made = new KernelCase(device, "m %d, n %d, k %d, bias %s".formatted(m, n, k, biased));
        made.runs(new Dense(device, Dense.Products.KERNELS)
                .backwardWeights(
                        m,
                        n,
                        k,
                        made.input(x),
                        made.input(dy),
                        made.output("dw", dw, TOLERANCE),
                        biased ? made.output("dbias", dbias, TOLERANCE) : null));
        return made;
    }

    private static KernelCase biasActivation(Device device, Draws draws) {
        int m = draws.size(), n = draws.size();
        boolean relu = draws.random().nextBoolean();
        float[] before = draws.floats(m * n), bias = draws.floats(n);
        double[] y = new double[m * n];
        for (int i = 0; i < m * n; i++) {
            double z = before[i] + (double) bias[i % n];
            y[i] = relu ? Math.max(z, 0) : z;
        }
        KernelCase made = new KernelCase(device, "m %d, n %d, relu %s".formatted(m, n, relu));
        made.runs(new Dense(device, Dense.Products.KERNELS)
                .biasActivation(m, n, made.input(bias), relu, made.outputOver("y", before, y, 1e-6)));
        return made;
    }

    private static KernelCase reluMask(Device device, Draws draws) {
        int n = draws.size();
        float[] output = draws.floats(n), before = draws.floats(n);
        double[] dx = new double[n];
        for (int i = 0; i < n; i++) {
            dx[i] = output[i] > 0 ? before[i] : 0;
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Dense(device, Dense.Products.KERNELS)
                .reluMask(n, made.input(output), made.outputOver("dx", before, dx, 0)));
        return made;
    }

    private static KernelCase columnSums(Device device, Draws draws) {
        int m = draws.size(), n = draws.choose(1, 31, 255, 256, 257, 600);
        float[] a = draws.floats(m * n);
        Sums sums = new Sums(n);
        for (int i = 0; i < m * n; i++) {
            sums.add(i % n, a[i]);
        }
        KernelCase made = new KernelCase(device, "m %d, n %d".formatted(m, n));
        made.runs(new Dense(device, Dense.Products.KERNELS)
                .columnSums(m, n, made.input(a), made.output("sums", sums, TOLERANCE)));
        return made;
    }
}
