package plateau.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import plateau.cuda.Device;
import plateau.cuda.Dim;
import plateau.reference.Seeds;

/** Dense layers and their gradients against float64 sums. */
class DenseTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put(
                "dense_forward",
                (device, seeds) ->
                        denseForward(device, seeds, seeds.choose(SIZES), 1 + seeds.choose(SIZES), seeds.choose(SIZES)));
        cases.put(
                "dense_forward, deep",
                (device, seeds) -> denseForward(device, seeds, 5, 67, seeds.choose(255, 256, 257, 600)));
        cases.put(
                "dense_forward_single",
                (device, seeds) -> denseForward(device, seeds, seeds.choose(SIZES), 1, seeds.choose(SIZES)));
        cases.put(
                "dense_backward_input",
                (device, seeds) -> denseBackwardInput(
                        device, seeds, seeds.choose(SIZES), 1 + seeds.choose(SIZES), seeds.choose(SIZES)));
        cases.put(
                "dense_backward_input_single",
                (device, seeds) -> denseBackwardInput(device, seeds, seeds.choose(SIZES), 1, seeds.choose(SIZES)));
        cases.put(
                "dense_backward_weights",
                (device, seeds) -> denseBackwardWeights(
                        device, seeds, seeds.choose(SIZES), 1 + seeds.choose(SIZES), seeds.choose(SIZES)));
        cases.put(
                "dense_backward_weights, deep",
                (device, seeds) -> denseBackwardWeights(device, seeds, seeds.choose(300, 513), 33, 9));
        cases.put(
                "dense_backward_weights_single",
                (device, seeds) -> denseBackwardWeights(
                        device, seeds, seeds.choose(SIZES), 1, seeds.choose(1, 255, 256, 257, 600)));
        cases.put("bias_activation", DenseTest::biasActivation);
        cases.put("relu_mask", DenseTest::reluMask);
        cases.put("column_sums", DenseTest::columnSums);
        return cases;
    }

    private static KernelCase denseForward(Device device, Seeds seeds, int m, int n, int k) {
        boolean relu = seeds.random().nextBoolean(), biased = seeds.random().nextBoolean();
        float[] x = seeds.floats(m * k), w = seeds.floats(k * n), bias = seeds.floats(n);
        double[] y = new double[m * n];
        for (int r = 0; r < m; r++) {
            for (int c = 0; c < n; c++) {
                double sum = biased ? bias[c] : 0;
                for (int i = 0; i < k; i++) {
                    sum += (double) x[r * k + i] * w[i * n + c];
                }
                y[r * n + c] = relu ? Math.max(sum, 0) : sum;
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
                        made.sums("y", y, 1e-5)));
        return made;
    }

    private static KernelCase denseBackwardInput(Device device, Seeds seeds, int m, int n, int k) {
        boolean masked = seeds.random().nextBoolean();
        float[] dy = seeds.floats(m * n), w = seeds.floats(k * n), x = seeds.floats(m * k);
        double[] dx = new double[m * k];
        for (int r = 0; r < m; r++) {
            for (int i = 0; i < k; i++) {
                double sum = 0;
                for (int c = 0; c < n; c++) {
                    sum += (double) dy[r * n + c] * w[i * n + c];
                }
                dx[r * k + i] = !masked || x[r * k + i] > 0 ? sum : 0;
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
                        made.sums("dx", dx, 1e-5)));
        return made;
    }

    private static KernelCase denseBackwardWeights(Device device, Seeds seeds, int m, int n, int k) {
        boolean biased = seeds.random().nextBoolean();
        float[] x = seeds.floats(m * k), dy = seeds.floats(m * n);
        double[] dw = new double[k * n], dbias = new double[n];
        for (int r = 0; r < m; r++) {
            for (int c = 0; c < n; c++) {
                dbias[c] += dy[r * n + c];
                for (int i = 0; i < k; i++) {
                    dw[i * n + c] += (double) x[r * k + i] * dy[r * n + c];
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
                        made.sums("dw", dw, 1e-5),
                        biased ? made.sums("dbias", dbias, 1e-5) : null));
        return made;
    }

    private static KernelCase biasActivation(Device device, Seeds seeds) {
        int m = seeds.choose(SIZES), n = seeds.choose(SIZES);
        boolean relu = seeds.random().nextBoolean();
        float[] before = seeds.floats(m * n), bias = seeds.floats(n);
        double[] y = new double[m * n];
        for (int i = 0; i < m * n; i++) {
            double z = before[i] + (double) bias[i % n];
            y[i] = relu ? Math.max(z, 0) : z;
        }
        KernelCase made = new KernelCase(device, "m %d, n %d, relu %s".formatted(m, n, relu));
        made.runs(device.module("dense")
                .kernel("bias_activation")
                .cooperative(Dim.of(m), 128, n, made.input(bias), relu ? 1 : 0, made.outputOver("y", before, y, 1e-6)));
        return made;
    }

    private static KernelCase reluMask(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] output = seeds.floats(n), before = seeds.floats(n);
        double[] dx = new double[n];
        for (int i = 0; i < n; i++) {
            dx[i] = output[i] > 0 ? before[i] : 0;
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(device.module("dense")
                .kernel("relu_mask")
                .elementwise(n, n, made.input(output), made.outputOver("dx", before, dx, 0)));
        return made;
    }

    private static KernelCase columnSums(Device device, Seeds seeds) {
        int m = seeds.choose(SIZES), n = seeds.choose(1, 31, 255, 256, 257, 600);
        float[] a = seeds.floats(m * n);
        double[] sums = new double[n];
        for (int i = 0; i < m * n; i++) {
            sums[i % n] += a[i];
        }
        KernelCase made = new KernelCase(device, "m %d, n %d".formatted(m, n));
        made.runs(new Dense(device, Dense.Products.KERNELS)
                .columnSums(m, n, made.input(a), made.sums("sums", sums, 1e-5)));
        return made;
    }
}
