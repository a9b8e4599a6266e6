package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.Launch;
import plateau.cuda.LiveObjects;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.KernelImages;
import plateau.reference.Seeds;

/**
 * Every kernel against a float64 reference at random shapes: as it is used, vectorised for this CPU, and with real threads, barriers and shuffles at every
 * block size it is right for. One table of cases drives all.
 */
class KernelTest {
    private static final int[] BLOCKS = {1, 32, 96, 256, 1024};
    private static final int ROUNDS = 6;
    private static final Set<String> ELEMENTWISE = Set.of("dense_backward_input_single", "bias_activation", "relu_mask", "hinge_forward_backward", "hinge_forward", "sgd", "adam", "adam_rate", "accumulate", "squared_error_single", "step_forward", "smooth_step_backward", "miss_update", "sigmoid_forward", "sigmoid_backward");

    /** One, primes, and sizes around a warp, a tile and a block. */
    private static final int[] SIZES = {1, 2, 3, 7, 31, 32, 33, 61, 63, 64, 65, 100, 127, 128, 131, 257};

    /** Makes a case at a random shape. */
    private interface Maker {
        KernelCase make(Device device, Seeds seeds);
    }

    private static Map<String, Maker> table() {
        Map<String, Maker> table = new LinkedHashMap<>();
        table.put("dense_forward", (device, seeds) -> denseForward(device, seeds, seeds.choose(SIZES), 1 + seeds.choose(SIZES), seeds.choose(SIZES)));
        table.put("dense_forward, deep", (device, seeds) -> denseForward(device, seeds, 5, 67, seeds.choose(255, 256, 257, 600)));
        table.put("dense_forward_single", (device, seeds) -> denseForward(device, seeds, seeds.choose(SIZES), 1, seeds.choose(SIZES)));
        table.put("dense_backward_input", (device, seeds) -> denseBackwardInput(device, seeds, seeds.choose(SIZES), 1 + seeds.choose(SIZES), seeds.choose(SIZES)));
        table.put("dense_backward_input_single", (device, seeds) -> denseBackwardInput(device, seeds, seeds.choose(SIZES), 1, seeds.choose(SIZES)));
        table.put("dense_backward_weights", (device, seeds) -> denseBackwardWeights(device, seeds, seeds.choose(SIZES), 1 + seeds.choose(SIZES), seeds.choose(SIZES)));
        table.put("dense_backward_weights, deep", (device, seeds) -> denseBackwardWeights(device, seeds, seeds.choose(300, 513), 33, 9));
        table.put("dense_backward_weights_single", (device, seeds) -> denseBackwardWeights(device, seeds, seeds.choose(SIZES), 1, seeds.choose(1, 255, 256, 257, 600)));
        table.put("bias_activation", KernelTest::biasActivation);
        table.put("relu_mask", KernelTest::reluMask);
        table.put("column_sums", KernelTest::columnSums);
        table.put("hinge_forward_backward", KernelTest::hingeForwardBackward);
        table.put("hinge_forward", KernelTest::hingeForward);
        table.put("sigmoid_forward", KernelTest::sigmoidForward);
        table.put("sigmoid_backward", KernelTest::sigmoidBackward);
        table.put("tuple_metrics", KernelTest::tupleMetrics);
        table.put("sgd", KernelTest::sgd);
        table.put("conv1d_forward", (device, seeds) -> conv1d(device, seeds, 0));
        table.put("conv1d_backward_data", (device, seeds) -> conv1d(device, seeds, 1));
        table.put("conv1d_backward_filter", (device, seeds) -> conv1d(device, seeds, 2));
        table.put("conv2d_pool_forward", KernelTest::conv2dForward);
        table.put("conv2d_pool_backward_data", (device, seeds) -> conv2dBackward(device, seeds, true));
        table.put("conv2d_pool_backward_filter", (device, seeds) -> conv2dBackward(device, seeds, false));
        table.put("pwl_decode", KernelTest::pwlDecode);
        table.put("loss_and_distance", KernelTest::lossAndDistance);
        table.put("adam", KernelTest::adam);
        table.put("accumulate", KernelTest::accumulate);
        table.put("loss_and_accuracy", KernelTest::lossAndAccuracy);
        table.put("squared_error", (device, seeds) -> squaredError(device, seeds, 1 + seeds.choose(SIZES)));
        table.put("squared_error_single", (device, seeds) -> squaredError(device, seeds, 1));
        table.put("softmax_cross_entropy", KernelTest::softmaxCrossEntropy);
        table.put("step_forward", KernelTest::stepForward);
        table.put("smooth_step_forward", KernelTest::smoothStepForward);
        table.put("smooth_step_backward", KernelTest::smoothStepBackward);
        table.put("likeliest_level", KernelTest::likeliestLevel);
        table.put("step_metrics", KernelTest::stepMetrics);
        table.put("gather_rows", KernelTest::gatherRows);
        table.put("miss_update", KernelTest::missUpdate);
        table.put("adam_rows", KernelTest::adamRows);
        table.put("softmax_dot", KernelTest::softmaxDot);
        table.put("softmax_gradient_moments", KernelTest::gradientMoments);
        table.put("stock_metrics", KernelTest::stockMetrics);
        return table;
    }

    @TestFactory
    java.util.stream.Stream<DynamicTest> asUsed() {
        return table().entrySet().stream().map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> check(entry.getKey(), entry.getValue(), KernelImages.PRODUCTION, 0)));
    }

    @TestFactory
    java.util.stream.Stream<DynamicTest> withRealThreads() {
        return table().entrySet().stream()
                .flatMap(entry -> IntStream.of(BLOCKS).mapToObj(block -> DynamicTest.dynamicTest(entry.getKey() + ", " + block + " threads", () -> check(entry.getKey(), entry.getValue(), KernelImages.FIBERS, block))));
    }

    /** @param block threads, where the kernel allows so many; 0 for the launcher's choice */
    private static void check(String name, Maker maker, KernelImages images, int block) {
        for (int round = 0; round < ROUNDS; round++) {
            Seeds seeds = Seeds.next();
            try (Device device = Device.open(DeviceOptions.cpu().withImages(images))) {
                KernelCase tested = maker.make(device, seeds);
                try (Stream stream = device.createStream()) {
                    atBlock(tested.work(), block).enqueue(stream);
                    stream.synchronize();
                }
                assertNull(tested.complaint(), seeds.message(name + ": " + tested.name()));
                tested.close();
                assertEquals(LiveObjects.NONE, device.live());
            }
        }
    }

    /** The same launch with another block, where that is one the kernel is right for. */
    private static Work atBlock(Work work, int block) {
        if (work.parts().size() > 1) {
            return Work.sequence(work.name(), work.parts().stream().map(part -> atBlock(part, block)).toList());
        }
        if (block == 0 || !(work instanceof Launch launch) || block > launch.kernel().maxThreadsPerBlock()) {
            return work;
        }
        // An elementwise launch covers its elements with the blocks it has: they may only grow.
        return block < launch.threads() && ELEMENTWISE.contains(launch.name()) ? launch : launch.withBlock(block);
    }

    /** Fast arithmetic may not swallow what shows that a run has diverged. */
    @Test
    void nonFiniteValuesSurvive() {
        float nan = Float.NaN, infinity = Float.POSITIVE_INFINITY;
        try (Device device = Device.open(DeviceOptions.cpu());
                DeviceBuffer x = device.upload(nan, 1, infinity, 1, 1, 1);
                DeviceBuffer w = device.upload(1f, 1f, 1f, 1f, 1f, 1f);
                DeviceBuffer y = device.allocate(6 * Float.BYTES);
                DeviceBuffer signs = device.upload(1f, 1f, 1f, 1f, 1f, 1f);
                DeviceBuffer loss = device.allocate(6 * Float.BYTES);
                DeviceBuffer gradient = device.allocate(6 * Float.BYTES);
                DeviceBuffer step = device.upload(0);
                DeviceBuffer ring = device.allocate(3 * Float.BYTES);
                Stream stream = device.createStream()) {
            new Dense(device, Dense.Products.KERNELS).forward(3, 2, 2, x, w, null, true, y).enqueue(stream);
            new Hinge(device).forwardBackward(6, 1, y, signs, loss, gradient).enqueue(stream);
            new Metrics(device).lossAndAccuracy(6, loss, y, signs, step, ring, 1).enqueue(stream);
            new Updates(device).sgd(6, w, x, y).enqueue(stream);
            stream.synchronize();
            assertArrayEquals(new float[] {nan, nan, infinity, infinity, 2, 2}, y.toFloats());
            assertTrue(Float.isNaN(loss.toFloats()[0]), "hinge of NaN");
            assertTrue(Float.isNaN(ring.toFloats()[1]), "mean of NaN");
            assertTrue(Float.isNaN(x.toFloats()[0]), "sgd of NaN");
            assertEquals(Float.NaN, x.toFloats()[2], "infinity minus infinity");
        }
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
        made.runs(new Dense(device, Dense.Products.KERNELS).forward(m, n, k, made.input(x), made.input(w), biased ? made.input(bias) : null, relu, made.sums("y", y, 1e-5)));
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
        made.runs(new Dense(device, Dense.Products.KERNELS).backwardInput(m, n, k, made.input(dy), made.input(w), masked ? made.input(x) : null, made.sums("dx", dx, 1e-5)));
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
                .backwardWeights(m, n, k, made.input(x), made.input(dy), made.sums("dw", dw, 1e-5), biased ? made.sums("dbias", dbias, 1e-5) : null));
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
        made.runs(device.module("dense").kernel("bias_activation").elementwiseRows(m, n, n, made.input(bias), relu ? 1 : 0, made.outputOver("y", before, y, 1e-6)));
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
        made.runs(device.module("dense").kernel("relu_mask").elementwise(n, n, made.input(output), made.outputOver("dx", before, dx, 0)));
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
        made.runs(new Dense(device, Dense.Products.KERNELS).columnSums(m, n, made.input(a), made.sums("sums", sums, 1e-5)));
        return made;
    }

    private static KernelCase hingeForwardBackward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float scale = 1f / n;
        float[] p = seeds.floats(n), y = seeds.signs(n);
        double[] loss = new double[n], dp = new double[n];
        for (int i = 0; i < n; i++) {
            loss[i] = Math.max(0, 1 - (double) y[i] * p[i]);
            dp[i] = loss[i] > 0 ? -scale * (double) y[i] : 0;
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Hinge(device).forwardBackward(n, scale, made.input(p), made.input(y), made.output("loss", loss, 1e-6), made.output("dp", dp, 1e-6)));
        return made;
    }

    private static KernelCase hingeForward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] p = seeds.floats(n), y = seeds.signs(n);
        double[] loss = new double[n];
        for (int i = 0; i < n; i++) {
            loss[i] = Math.max(0, 1 - (double) y[i] * p[i]);
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Hinge(device).forward(n, made.input(p), made.input(y), made.output("loss", loss, 1e-6)));
        return made;
    }

    private static KernelCase sigmoidForward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), spread = seeds.choose(1, 60);
        float[] x = seeds.floats(n);
        double[] y = new double[n];
        for (int i = 0; i < n; i++) {
            x[i] *= spread;
            y[i] = 1 / (1 + Math.exp(-x[i]));
        }
        KernelCase made = new KernelCase(device, "n %d, spread %d".formatted(n, spread));
        made.runs(new Sigmoid(device).forward(n, made.input(x), made.output("y", y, 1e-6)));
        return made;
    }

    private static KernelCase sigmoidBackward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] y = seeds.floats(n), dy = seeds.floats(n);
        double[] dx = new double[n];
        for (int i = 0; i < n; i++) {
            y[i] = 1 / (1 + (float) Math.exp(-3 * y[i]));
            dx[i] = dy[i] * (double) y[i] * (1 - (double) y[i]);
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Sigmoid(device).backward(n, made.input(y), made.input(dy), made.output("dx", dx, 1e-6)));
        return made;
    }

    private static KernelCase tupleMetrics(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), k = seeds.choose(1, 2, 3, 5), slots = seeds.choose(1, 3, 8), step = seeds.random().nextInt(100), row = step % slots * 4;
        boolean decomposed = seeds.random().nextBoolean();
        float[] tupleLoss = seeds.losses(n), imageLoss = seeds.losses(n * k), tupleScore = seeds.floats(n), imageScore = seeds.floats(n * k); // with ties among the zeros
        float[] tupleLabel = seeds.signs(n), imageLabel = seeds.signs(n * k), before = new float[4 * slots];
        double[] ring = new double[4 * slots];
        ring[row] = Float.intBitsToFloat(step);
        for (int i = 0; i < n; i++) {
            ring[row + 1] += tupleLoss[i] / (double) n;
            ring[row + 2] += tupleLabel[i] * tupleScore[i] > 0 ? 1.0 / n : 0;
        }
        for (int i = 0; i < n * k; i++) {
            ring[row + 1] += decomposed ? imageLoss[i] / (double) (n * k) : 0;
            ring[row + 3] += imageLabel[i] * imageScore[i] > 0 ? 1.0 / (n * k) : 0;
        }
        KernelCase made = new KernelCase(device, "n %d, k %d, decomposed %s, slots %d, step %d".formatted(n, k, decomposed, slots, step));
        made.runs(new TupleMetrics(device).measure(
                n,
                k,
                new TupleMetrics.Scored(made.input(tupleLoss), made.input(tupleScore), made.input(tupleLabel)),
                new TupleMetrics.Scored(decomposed ? made.input(imageLoss) : null, made.input(imageScore), made.input(imageLabel)),
                made.input(step),
                made.outputOver("ring", before, ring, 1e-5),
                slots));
        return made;
    }

    private static KernelCase sgd(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float rate = 0.01f;
        float[] before = seeds.floats(n), gradient = seeds.floats(n);
        double[] w = new double[n];
        for (int i = 0; i < n; i++) {
            w[i] = before[i] - (double) rate * gradient[i];
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Updates(device).sgd(n, made.input(rate), made.outputOver("w", before, w, 1e-6), made.input(gradient)));
        return made;
    }

    /** @param part 0: forward, 1: backward data, 2: backward filter */
    private static KernelCase conv1d(Device device, Seeds seeds, int part) {
        int taps = seeds.choose(1, 2, 3, 5, 8), length = taps + seeds.choose(0, 1, 30, 97, 131), batch = seeds.choose(1, 3, 7), in = seeds.choose(1, 2, 5), out = seeds.choose(1, 3, 4);
        Conv1d.Geometry shape = taps % 2 == 1 && seeds.random().nextBoolean() ? Conv1d.Geometry.same(batch, in, out, length, taps) : Conv1d.Geometry.valid(batch, in, out, length, taps);
        int outLength = shape.outLength();
        float[] x = seeds.floats(batch * in * length), w = seeds.floats(out * in * taps), dy = seeds.floats(batch * out * outLength);
        double[] y = new double[dy.length], dx = new double[x.length], dw = new double[w.length];
        for (int b = 0; b < batch; b++) {
            for (int o = 0; o < out; o++) {
                for (int t = 0; t < outLength; t++) {
                    for (int c = 0; c < in; c++) {
                        for (int j = 0; j < taps; j++) {
                            int at = t + j - shape.padding(), weight = (o * in + c) * taps + j, to = (b * out + o) * outLength + t, from = (b * in + c) * length + at;
                            if (at >= 0 && at < length) {
                                y[to] += (double) w[weight] * x[from];
                                dx[from] += (double) w[weight] * dy[to];
                                dw[weight] += (double) dy[to] * x[from];
                            }
                        }
                    }
                }
            }
        }
        KernelCase made = new KernelCase(device, shape.toString());
        Conv1d conv1d = new Conv1d(device);
        made.runs(switch (part) {
            case 0 -> conv1d.forward(shape, made.input(x), made.input(w), made.sums("y", y, 1e-5));
            case 1 -> conv1d.backwardData(shape, made.input(dy), made.input(w), made.sums("dx", dx, 1e-5));
            default -> conv1d.backwardFilter(shape, made.input(x), made.input(dy), made.sums("dw", dw, 1e-5));
        });
        return made;
    }

    private static Conv2d.Geometry conv2dShape(Seeds seeds) {
        while (true) {
            int[] sides = {2, 4, 6, 14, 28, 34};
            Conv2d.Geometry shape = new Conv2d.Geometry(seeds.choose(1, 2, 3, 7), seeds.choose(sides), seeds.choose(sides), seeds.choose(1, 3, 16, 17), seeds.choose(1, 5, 16, 33), seeds.choose(1, 3, 5, 7));
            if ((long) shape.batch() * shape.rows() * shape.columns() * shape.weights() <= 3_000_000) {
                return shape;
            }
        }
    }

    /** Calls back for each product of a convolution: the indices of z(batch, rows, columns, out), x and w. */
    private static void conv2dProducts(Conv2d.Geometry s, IndexTriples visit) {
        int half = s.window() / 2;
        for (int b = 0; b < s.batch(); b++) {
            for (int p = 0; p < s.rows(); p++) {
                for (int q = 0; q < s.columns(); q++) {
                    for (int tap = 0; tap < s.window() * s.window(); tap++) {
                        int row = p + tap / s.window() - half, column = q + tap % s.window() - half;
                        if (row < 0 || row >= s.rows() || column < 0 || column >= s.columns()) {
                            continue;
                        }
                        for (int o = 0; o < s.out(); o++) {
                            for (int c = 0; c < s.in(); c++) {
                                visit.at(
                                        ((b * s.rows() + p) * s.columns() + q) * s.out() + o,
                                        ((b * s.rows() + row) * s.columns() + column) * s.in() + c,
                                        (o * s.window() * s.window() + tap) * s.in() + c);
                            }
                        }
                    }
                }
            }
        }
    }

    private interface IndexTriples {
        void at(int z, int x, int w);
    }

    /** Where element i of the pooled output lies in z when the maximum stood in this quadrant. */
    private static int unpooled(Conv2d.Geometry s, int i, int quadrant) {
        int o = i % s.out(), cell = i / s.out(), cells = s.rows() / 2 * (s.columns() / 2), b = cell / cells;
        int row = cell % cells / (s.columns() / 2) * 2 + quadrant / 2, column = cell % (s.columns() / 2) * 2 + quadrant % 2;
        return ((b * s.rows() + row) * s.columns() + column) * s.out() + o;
    }

    /** Small integers, so that every sum is exact, and equal maxima are common. */
    private static KernelCase conv2dForward(Device device, Seeds seeds) {
        Conv2d.Geometry s = conv2dShape(seeds);
        float[] background = seeds.random().nextBoolean() ? integers(seeds, s.in()) : null;
        float[] x = over(background, s.in(), seeds, integers(seeds, s.batch() * s.inputs())), w = integers(seeds, s.weights()), bias = integers(seeds, s.out());
        double[] z = new double[s.batch() * s.rows() * s.columns() * s.out()], y = new double[s.batch() * s.outputs()];
        byte[] winners = new byte[y.length];
        for (int i = 0; i < z.length; i++) {
            z[i] = bias[i % s.out()];
        }
        conv2dProducts(s, (iz, ix, iw) -> z[iz] += (double) x[ix] * w[iw]);
        for (int i = 0; i < y.length; i++) {
            y[i] = z[unpooled(s, i, 0)];
            for (int quadrant = 1; quadrant < 4; quadrant++) {
                if (z[unpooled(s, i, quadrant)] > y[i]) {
                    y[i] = z[unpooled(s, i, quadrant)];
                    winners[i] = (byte) quadrant;
                }
            }
        }
        KernelCase made = new KernelCase(device, s + (background == null ? "" : " over a background"));
        Conv2d conv2d = new Conv2d(device, Conv2d.Convolutions.KERNELS);
        Conv2d.Memory memory = withWinners(conv2d.memory(s, made::scratch), made.output("winners", winners));
        made.runs(conv2d.forward(s, made.input(x), background == null ? null : made.input(background), made.input(w), made.input(bias), made.output("y", y, 0), memory));
        return made;
    }

    /** The backwards are given their winners, and what else the forward leaves them by a forward. The background's gradient is what is left of sums over the whole batch. */
    private static KernelCase conv2dBackward(Device device, Seeds seeds, boolean data) {
        Conv2d.Geometry s = conv2dShape(seeds);
        float[] background = seeds.random().nextBoolean() ? seeds.floats(s.in()) : null;
        float[] x = over(background, s.in(), seeds, seeds.floats(s.batch() * s.inputs())), w = seeds.floats(s.weights()), dy = seeds.floats(s.batch() * s.outputs());
        if (s.batch() > 1) {
            Arrays.fill(dy, s.outputs(), 2 * s.outputs(), 0); // a sample whose loss is at rest
        }
        double[] dz = new double[s.batch() * s.rows() * s.columns() * s.out()], dx = new double[x.length], dw = new double[w.length], dbias = new double[s.out()], dbackground = new double[s.in()];
        byte[] winners = new byte[dy.length];
        for (int i = 0; i < dy.length; i++) {
            winners[i] = (byte) seeds.random().nextInt(4);
            dz[unpooled(s, i, winners[i])] = dy[i];
            dbias[i % s.out()] += dy[i];
        }
        conv2dProducts(s, (iz, ix, iw) -> {
            dx[ix] += dz[iz] * w[iw];
            dw[iw] += dz[iz] * x[ix];
        });
        for (int i = 0; background != null && i < x.length; i++) {
            if (isBackground(background, x, i, s.in())) {
                dbackground[i % s.in()] += dx[i];
                dx[i] = 0;
            }
        }
        KernelCase made = new KernelCase(device, s + (background == null ? "" : " over a background"));
        Conv2d conv2d = new Conv2d(device, Conv2d.Convolutions.KERNELS);
        Conv2d.Memory memory = conv2d.memory(s, made::scratch);
        DeviceBuffer pixels = made.input(x), gradient = made.input(dy), behind = background == null ? null : made.input(background);
        Work forward = conv2d.forward(s, pixels, behind, made.input(w), made.input(new float[s.out()]), made.scratch(dy.length * (long) Float.BYTES), memory);
        Conv2d.Memory given = withWinners(memory, made.input(winners));
        made.runs(Work.sequence(
                "conv2d backward",
                List.of(
                        forward,
                        data
                                ? conv2d.backwardData(s, pixels, behind, gradient, given, made.sums("dx", dx, 1e-5))
                                : conv2d.backwardFilter(
                                        s,
                                        pixels,
                                        behind,
                                        gradient,
                                        given,
                                        made.sums("dw", dw, 1e-5),
                                        seeds.random().nextBoolean() ? made.sums("dbias", dbias, 1e-5) : null,
                                        background == null ? null : made.sums("dbackground", dbackground, 1e-4)))));
        return made;
    }

    private static Conv2d.Memory withWinners(Conv2d.Memory m, DeviceBuffer winners) {
        return new Conv2d.Memory(winners, m.packed(), m.response(), m.base(), m.pooled(), m.pooledWinners(), m.shares(), m.inactive());
    }

    /** Images most of whose pixels equal a background (null: 0); some of a pixel's channels may. */
    private static float[] over(float[] background, int in, Seeds seeds, float[] x) {
        for (int i = 0; i < x.length; i++) {
            boolean whole = i % in == 0 && seeds.random().nextInt(3) > 0;
            for (int c = 0; whole && c < in; c++) {
                x[i + c] = Float.NaN;
            }
            if (Float.isNaN(x[i])) {
                x[i] = background == null ? 0 : background[i % in];
            }
        }
        return x;
    }

    /** Whether the sixteen channels that element i of x belongs to all equal the background. */
    private static boolean isBackground(float[] background, float[] x, int i, int in) {
        int pixel = i / in * in, first = i % in / 16 * 16;
        for (int c = first; c < Math.min(in, first + 16); c++) {
            if (x[pixel + c] != background[c]) {
                return false;
            }
        }
        return true;
    }

    private static float[] integers(Seeds seeds, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = seeds.random().nextInt(-2, 3);
        }
        return values;
    }

    private static KernelCase pwlDecode(Device device, Seeds seeds) {
        int rows = seeds.choose(1, 2, 7), n = seeds.choose(3, 33, 100, 131), skipped = seeds.choose(0, 2);
        float[] p = seeds.floats(rows * (n - skipped));
        double[] f = new double[rows * n];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < n; i++) {
                for (int j = skipped; j <= i; j++) {
                    f[r * n + i] += (i - j + 1) * (double) p[r * (n - skipped) + j - skipped];
                }
            }
        }
        KernelCase made = new KernelCase(device, "rows %d, n %d, skipped %d".formatted(rows, n, skipped));
        made.runs(new PwlEncoding(device).decode(rows, n, skipped, made.input(p), made.output("f", f, 1e-5)));
        return made;
    }

    private static KernelCase lossAndDistance(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), m = seeds.choose(0, 1, 3, 257), slots = seeds.choose(1, 4), step = seeds.random().nextInt(100), width = m > 0 ? 3 : 2;
        float[] loss = seeds.losses(n), a = seeds.floats(Math.max(m, 1)), b = seeds.floats(Math.max(m, 1)), before = new float[width * slots];
        double[] ring = new double[width * slots];
        int row = step % slots * width;
        ring[row] = Float.intBitsToFloat(step);
        for (float value : loss) {
            ring[row + 1] += value / (double) n;
        }
        for (int i = 0; i < m; i++) {
            ring[row + 2] = Math.max(ring[row + 2], Math.abs((double) a[i] - b[i]));
        }
        KernelCase made = new KernelCase(device, "n %d, m %d, slots %d".formatted(n, m, slots));
        made.runs(new Metrics(device).lossAndDistance(n, made.input(loss), m, made.input(a), made.input(b), made.input(step), made.outputOver("ring", before, ring, 1e-5), slots));
        return made;
    }

    /** EXPERIMENTS' formula: epsilon outside the bias correction. */
    private static KernelCase adam(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), step = seeds.choose(0, 1, 9, 4999);
        float rate = 0.1f, beta1 = 0.9f, beta2 = 0.99f, epsilon = 1e-5f;
        float[] before = seeds.floats(n), gradient = seeds.floats(n), mean = seeds.floats(n), square = seeds.floats(n);
        double[] w = new double[n], m = new double[n], v = new double[n];
        double corrected = rate * Math.sqrt(1 - Math.pow(beta2, step + 1)) / (1 - Math.pow(beta1, step + 1));
        for (int i = 0; i < n; i++) {
            square[i] = Math.abs(square[i]);
            m[i] = beta1 * (double) mean[i] + (1 - (double) beta1) * gradient[i];
            v[i] = beta2 * (double) square[i] + (1 - (double) beta2) * gradient[i] * gradient[i];
            w[i] = before[i] - corrected * m[i] / (Math.sqrt(v[i]) + epsilon);
        }
        KernelCase made = new KernelCase(device, "n %d, step %d".formatted(n, step));
        Updates updates = new Updates(device);
        DeviceBuffer rates = made.output("rate", new double[] {corrected}, 1e-6);
        made.runs(Work.sequence(
                "adam",
                List.of(
                        updates.rate(made.input(rate), made.input(step), beta1, beta2, rates),
                        updates.adam(n, rates, beta1, beta2, epsilon, made.outputOver("w", before, w, 1e-5), made.input(gradient), made.outputOver("m", mean, m, 1e-6), made.outputOver("v", square, v, 1e-6)))));
        return made;
    }

    private static KernelCase accumulate(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] before = seeds.floats(n), term = seeds.floats(n);
        double[] sum = new double[n];
        for (int i = 0; i < n; i++) {
            sum[i] = (double) before[i] + term[i];
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new Accumulate(device).add(n, made.input(term), made.outputOver("sum", before, sum, 1e-6)));
        return made;
    }

    private static KernelCase lossAndAccuracy(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), slots = seeds.choose(1, 3, 8), step = seeds.random().nextInt(100);
        float[] loss = seeds.losses(n), p = seeds.floats(n), y = seeds.signs(n), before = new float[3 * slots];
        double[] ring = new double[3 * slots];
        int row = step % slots * 3;
        ring[row] = Float.intBitsToFloat(step);
        for (int i = 0; i < n; i++) {
            ring[row + 1] += loss[i] / (double) n;
            ring[row + 2] += y[i] * p[i] > 0 ? 1.0 / n : 0;
        }
        KernelCase made = new KernelCase(device, "n %d, slots %d, step %d".formatted(n, slots, step));
        made.runs(new Metrics(device).lossAndAccuracy(n, made.input(loss), made.input(p), made.input(y), made.input(step), made.outputOver("ring", before, ring, 1e-5), slots));
        return made;
    }

    private static KernelCase squaredError(Device device, Seeds seeds, int columns) {
        int rows = seeds.choose(SIZES);
        boolean differentiated = seeds.random().nextBoolean();
        float weight = 0.5f, scale = 1f / rows;
        float[] p = seeds.floats(rows * columns), y = seeds.floats(rows * columns);
        double[] loss = new double[rows], dp = new double[rows * columns];
        for (int i = 0; i < p.length; i++) {
            double error = (double) p[i] - y[i];
            loss[i / columns] += weight * error * error;
            dp[i] = 2 * weight * scale * error;
        }
        KernelCase made = new KernelCase(device, "rows %d, columns %d, differentiated %s".formatted(rows, columns, differentiated));
        made.runs(new Losses(device)
                .squaredError(rows, columns, weight, scale, made.input(p), made.input(y), made.output("loss", loss, 1e-5), differentiated ? made.output("dp", dp, 1e-6) : null));
        return made;
    }

    private static KernelCase softmaxCrossEntropy(Device device, Seeds seeds) {
        int rows = seeds.choose(SIZES), classes = seeds.choose(SIZES);
        boolean differentiated = seeds.random().nextBoolean();
        float scale = 1f / rows, spread = seeds.choose(1, 30);
        float[] p = seeds.floats(rows * classes);
        int[] label = new int[rows];
        double[] loss = new double[rows], dp = new double[rows * classes];
        for (int r = 0; r < rows; r++) {
            double sum = 0;
            int least = 0;
            for (int i = r * classes; i < (r + 1) * classes; i++) {
                p[i] = 40 + spread * p[i]; // exponentials of these overflow a float
                sum += Math.exp(p[i]);
                least = p[i] < p[r * classes + least] ? i - r * classes : least;
            }
            label[r] = r == 0 ? least : seeds.random().nextInt(classes); // one large loss: the others' errors are measured against it
            for (int i = r * classes; i < (r + 1) * classes; i++) {
                dp[i] = scale * (Math.exp(p[i]) / sum - (i - r * classes == label[r] ? 1 : 0));
            }
            loss[r] = Math.log(sum) - p[r * classes + label[r]];
        }
        KernelCase made = new KernelCase(device, "rows %d, classes %d, differentiated %s".formatted(rows, classes, differentiated));
        made.runs(new Losses(device)
                .softmaxCrossEntropy(rows, classes, scale, made.input(p), made.input(label), made.output("loss", loss, 2e-5), differentiated ? made.output("dp", dp, 2e-5) : null));
        return made;
    }

    private static float[] levels(Seeds seeds, int count) {
        float[] z = new float[count];
        for (int i = 0; i < count; i++) {
            z[i] = -2 + 4f * i / count + 2f * seeds.random().nextFloat() / count;
        }
        return z;
    }

    /** The largest level that is at most r, or the lowest: searched one by one. */
    private static int level(float[] z, float r) {
        int level = 0;
        while (level + 1 < z.length && z[level + 1] <= r) {
            level++;
        }
        return level;
    }

    private static KernelCase stepForward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] z = levels(seeds, seeds.choose(SIZES)), r = seeds.floats(n);
        r[0] = z[z.length / 2]; // exactly on a level
        double[] y = new double[n];
        for (int i = 0; i < n; i++) {
            y[i] = z[level(z, r[i])];
        }
        KernelCase made = new KernelCase(device, "n %d, levels %d".formatted(n, z.length));
        made.runs(new StepFunction(device).forward(n, z.length, made.input(z), made.input(r), made.output("y", y, 0)));
        return made;
    }

    private static KernelCase smoothStepForward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), levels = seeds.choose(1, 2, 17, 52);
        float[] z = levels(seeds, levels), m = seeds.floats(levels), c = new float[levels], r = seeds.floats(n);
        double[] y = new double[n], derivative = new double[n];
        for (int j = 1; j < levels; j++) {
            c[j] = seeds.choose(1, 10, 2000) * (0.5f + seeds.random().nextFloat());
        }
        for (int i = 0; i < n; i++) {
            r[i] = seeds.random().nextInt(8) == 0 ? r[i] * 100 : r[i]; // far out on some sigmoids
            y[i] = z[0];
            for (int j = 1; j < levels; j++) {
                // The argument rounds as a float's; at steepness 2000 that is most of the error.
                double sigmoid = 1 / (1 + Math.exp(-c[j] * (double) (r[i] - m[j])));
                y[i] += ((double) z[j] - z[j - 1]) * sigmoid;
                derivative[i] += ((double) z[j] - z[j - 1]) * c[j] * sigmoid * (1 - sigmoid);
            }
        }
        KernelCase made = new KernelCase(device, "n %d, levels %d".formatted(n, levels));
        made.runs(new StepFunction(device)
                .smoothForward(n, levels, made.input(z), made.input(m), made.input(c), made.input(r), made.output("y", y, 1e-5), made.output("derivative", derivative, 1e-4)));
        return made;
    }

    private static KernelCase smoothStepBackward(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES);
        float[] derivative = seeds.floats(n), dy = seeds.floats(n);
        double[] dr = new double[n];
        for (int i = 0; i < n; i++) {
            dr[i] = (double) dy[i] * derivative[i];
        }
        KernelCase made = new KernelCase(device, "n " + n);
        made.runs(new StepFunction(device).smoothBackward(n, made.input(derivative), made.input(dy), made.output("dr", dr, 1e-6)));
        return made;
    }

    private static KernelCase likeliestLevel(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), levels = seeds.choose(SIZES);
        float[] z = levels(seeds, levels), logits = seeds.floats(n * levels); // with ties among the zeros
        double[] score = new double[n];
        for (int i = 0; i < n; i++) {
            int likeliest = 0;
            for (int j = 0; j < levels; j++) {
                logits[i * levels + j] = -Math.abs(logits[i * levels + j]);
                likeliest = logits[i * levels + j] > logits[i * levels + likeliest] ? j : likeliest;
            }
            score[i] = z[likeliest];
        }
        KernelCase made = new KernelCase(device, "n %d, levels %d".formatted(n, levels));
        made.runs(new StepFunction(device).likeliestLevel(n, levels, made.input(z), made.input(logits), made.output("score", score, 0)));
        return made;
    }

    private static KernelCase stepMetrics(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), slots = seeds.choose(1, 3, 8), step = seeds.random().nextInt(100), row = step % slots * 4;
        float[] z = levels(seeds, seeds.choose(SIZES)), loss = seeds.losses(n), score = seeds.floats(n), y = new float[n], before = new float[4 * slots];
        double[] ring = new double[4 * slots];
        ring[row] = Float.intBitsToFloat(step);
        for (int i = 0; i < n; i++) {
            y[i] = z[seeds.random().nextBoolean() ? level(z, score[i]) : seeds.random().nextInt(z.length)];
            double error = (double) z[level(z, score[i])] - y[i];
            ring[row + 1] += loss[i] / (double) n;
            ring[row + 2] += error * error / n;
            ring[row + 3] += error == 0 ? 1.0 / n : 0;
        }
        KernelCase made = new KernelCase(device, "n %d, levels %d, slots %d, step %d".formatted(n, z.length, slots, step));
        made.runs(new StepFunction(device)
                .metrics(n, z.length, made.input(z), made.input(loss), made.input(score), made.input(y), made.input(step), made.outputOver("ring", before, ring, 1e-5), slots));
        return made;
    }

    private static int[] indices(Seeds seeds, int n, int below) {
        return IntStream.range(0, n).map(i -> seeds.random().nextInt(below)).toArray();
    }

    private static float[] magnitudes(Seeds seeds, int n) {
        float[] values = seeds.floats(n);
        for (int i = 0; i < n; i++) {
            values[i] = Math.abs(values[i]);
        }
        return values;
    }

    private static KernelCase gatherRows(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), d = seeds.choose(SIZES), k = seeds.choose(SIZES), words = SparseRows.CATCH_UP_WORDS;
        int[] x = indices(seeds, n, d);
        float[] w = seeds.floats(d * k), m = seeds.floats(d * k), s = magnitudes(seeds, d * k), catchUp = magnitudes(seeds, n * words);
        double[] rows = new double[n * k];
        for (int i = 0; i < n; i++) {
            catchUp[i * words + 2] += 0.1f;
            catchUp[i * words + 3] += 0.1f;
            for (int j = 0; j < k; j++) {
                int from = x[i] * k + j;
                double constant = catchUp[i * words], slope = catchUp[i * words + 1], low = catchUp[i * words + 2], high = catchUp[i * words + 3];
                rows[i * k + j] = w[from] - m[from] * (constant + slope * s[from]) / ((s[from] + low) * (s[from] + high));
            }
        }
        KernelCase made = new KernelCase(device, "n %d, d %d, k %d".formatted(n, d, k));
        SparseRows.Table table = new SparseRows.Table(d, k, made.input(w), made.input(m), made.input(s), made.input(new int[d]), made.scratch(4L * d * Float.BYTES));
        made.runs(new SparseRows(device).gather(table, n, made.input(x), made.input(catchUp), made.output("rows", rows, 1e-5)));
        return made;
    }

    /** Each row's moments go on by rate γʲ jᵖ, where this is its j-th update without a gradient. */
    private static KernelCase missUpdate(Device device, Seeds seeds) {
        int d = seeds.choose(SIZES), step = seeds.choose(0, 1, 40, 70_000);
        float rate = 0.07f;
        double logGamma = Math.log(0.9) - Math.log(0.99) / 4;
        int[] last = indices(seeds, d, Math.min(step, 300) + 1);
        float[] before = magnitudes(seeds, 4 * d);
        double[] missed = new double[4 * d];
        for (int row = 0; row < d; row++) {
            last[row] = step - last[row];
            int age = step + 1 - last[row];
            for (int p = 0; p < 4; p++) {
                before[p * d + row] *= (float) Math.pow(10, p);
                missed[p * d + row] = before[p * d + row] + rate * Math.exp(logGamma * age) * Math.pow(age, p);
            }
        }
        KernelCase made = new KernelCase(device, "d %d, step %d".formatted(d, step));
        made.runs(device.module("rows")
                .kernel("miss_update")
                .elementwise(d, d, (float) logGamma, made.input(rate), made.input(step), made.input(last), made.outputOver("missed", before, missed, 1e-6)));
        return made;
    }

    /** Rows that are read once, several times, and not at all. */
    private static KernelCase adamRows(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), d = seeds.choose(1, 2, 17, 61), k = seeds.choose(SIZES), words = SparseRows.CATCH_UP_WORDS, step = 41;
        float rate = 0.07f, beta1 = 0.9f, beta2 = 0.99f, epsilon = 1e-5f;
        int[] x = indices(seeds, n, d), links = links(x);
        float[] w = seeds.floats(d * k), m = seeds.floats(d * k), s = magnitudes(seeds, d * k), rows = seeds.floats(n * k), gradient = seeds.floats(n * k), catchUp = magnitudes(seeds, n * words);
        float[] missed = magnitudes(seeds, 4 * d);
        for (int i = 0; i < s.length; i++) {
            s[i] += 0.1f; // a sum of gradients that cancel, over a root near 0, would say nothing
        }
        for (int i = 0; i < n; i++) {
            catchUp[i * words + 5] += 0.1f;
        }
        double[] newW = doubles(w), newM = doubles(m), newS = doubles(s), sums = doubles(gradient), newMissed = doubles(missed);
        for (int i = 0; i < n; i++) {
            if (links[i] >= 0) {
                continue;
            }
            for (int j = 0; j < k; j++) {
                int from = x[i] * k + j;
                for (int other = i + 1; other < n; other++) {
                    sums[i * k + j] += x[other] == x[i] ? gradient[other * k + j] : 0;
                }
                double g = sums[i * k + j];
                newM[from] = beta1 * (double) catchUp[i * words + 4] * m[from] + (1 - (double) beta1) * g;
                newS[from] = Math.sqrt(beta2 * Math.pow(catchUp[i * words + 5] * (double) s[from], 2) + (1 - (double) beta2) * g * g);
                newW[from] = rows[i * k + j] - rate * newM[from] / (newS[from] + epsilon);
            }
            for (int p = 0; p < 4; p++) {
                newMissed[p * d + x[i]] = 0;
            }
        }
        KernelCase made = new KernelCase(device, "n %d, d %d, k %d".formatted(n, d, k));
        made.runs(device.module("rows")
                .kernel("adam_rows")
                .cooperative(
                        Dim.of(n), 256, n, d, k, beta1, beta2, epsilon, made.input(rate), made.input(step), made.input(x), made.input(links), made.input(catchUp), made.input(rows),
                        made.outputOver("gradient", gradient, sums, 1e-5), made.outputOver("w", w, newW, 1e-4), made.outputOver("m", m, newM, 1e-5), made.outputOver("s", s, newS, 1e-5),
                        made.input(new int[d]), made.outputOver("missed", missed, newMissed, 0)));
        return made;
    }

    /** For each sample the one before it and the one behind it of the same row, by looking at all. */
    static int[] links(int[] x) {
        int n = x.length;
        int[] links = new int[2 * n];
        for (int i = 0; i < n; i++) {
            int row = x[i];
            links[i] = IntStream.range(0, i).filter(j -> x[j] == row).max().orElse(-1);
            links[n + i] = IntStream.range(i + 1, n).filter(j -> x[j] == row).min().orElse(-1);
        }
        return links;
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    /** softmax(p + bias) of one row, in float64. */
    private static double[] softmax(float[] p, float[] bias, int row) {
        int k = bias.length;
        double largest = IntStream.range(0, k).mapToDouble(j -> p[row * k + j] + (double) bias[j]).max().orElseThrow();
        double[] shares = IntStream.range(0, k).mapToDouble(j -> Math.exp(p[row * k + j] + (double) bias[j] - largest)).toArray();
        double sum = DoubleStream.of(shares).sum();
        return DoubleStream.of(shares).map(share -> share / sum).toArray();
    }

    private static KernelCase softmaxDot(Device device, Seeds seeds) {
        int rows = seeds.choose(SIZES), k = seeds.choose(SIZES), words = Math.ceilDiv(k, 32);
        boolean differentiated = seeds.random().nextBoolean(), decomposed = seeds.random().nextBoolean();
        float scale = 1f / rows, spread = seeds.choose(1, 30);
        float[] p = seeds.floats(rows * k), bias = seeds.floats(k);
        int[] label = indices(seeds, rows, k), signs = IntStream.range(0, rows * words).map(i -> seeds.random().nextInt()).toArray();
        double[] loss = new double[rows], dp = new double[rows * k];
        double largestTerm = 0;
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < k; j++) {
                p[r * k + j] = 90 + spread * p[r * k + j]; // exponentials of these overflow a float
            }
            double[] share = softmax(p, bias, r), z = new double[k];
            for (int j = 0; j < k; j++) {
                z[j] = decomposed ? j == label[r] ? 1 : 0 : (signs[r * words + j / 32] >>> j % 32 & 1) == 0 ? 1 : -1;
                loss[r] -= z[j] * share[j];
            }
            for (int j = 0; j < k; j++) {
                dp[r * k + j] = scale * share[j] * (-loss[r] - z[j]);
                largestTerm = Math.max(largestTerm, scale * share[j]);
            }
        }
        KernelCase made = new KernelCase(device, "rows %d, k %d, decomposed %s, differentiated %s".formatted(rows, k, decomposed, differentiated));
        made.runs(new StocksLoss(device)
                .softmaxDot(rows, k, scale, made.input(p), made.input(bias), made.input(label), decomposed ? null : made.input(signs), made.sums("loss", loss, 3e-5), differentiated ? made.sums("dp", dp, 3e-5, largestTerm) : null));
        return made;
    }

    /** Against the paper's sums over the Jacobian p_i (δ_ij − p_j), one after the other. */
    private static KernelCase gradientMoments(Device device, Seeds seeds) {
        int rows = seeds.choose(SIZES), k = 1 + seeds.choose(SIZES);
        float spread = seeds.choose(1, 6);
        float[] p = seeds.floats(rows * k), bias = seeds.floats(k);
        int[] label = indices(seeds, rows, k);
        double[] right = new double[rows], endToEnd = new double[rows], decomposed = new double[rows];
        for (int r = 0; r < rows; r++) {
            int largest = 0;
            for (int j = 0; j < k; j++) {
                p[r * k + j] *= spread;
                largest = p[r * k + j] + bias[j] > p[r * k + largest] + bias[largest] ? j : largest;
            }
            label[r] = seeds.random().nextBoolean() ? largest : label[r];
            right[r] = label[r] == largest ? 1 : 0;
            double[] share = softmax(p, bias, r);
            for (int i = 0; i < k; i++) {
                double square = 0;
                for (int j = 0; j < k; j++) {
                    square += Math.pow(share[i] * ((i == j ? 1 : 0) - share[j]), 2);
                }
                endToEnd[r] += square;
                decomposed[r] += i == label[r] ? square : 0;
            }
        }
        KernelCase made = new KernelCase(device, "rows %d, k %d".formatted(rows, k));
        made.runs(new StocksLoss(device)
                .gradientMoments(rows, k, made.input(p), made.input(bias), made.input(label), made.output("right", right, 0), made.output("end to end", endToEnd, 2e-5), made.output("decomposed", decomposed, 2e-5)));
        return made;
    }

    private static KernelCase stockMetrics(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES), d = seeds.choose(SIZES), k = seeds.choose(SIZES), slots = seeds.choose(1, 3, 8), step = seeds.random().nextInt(100), row = step % slots * 9;
        float[] loss = seeds.floats(n), exact = seeds.floats(d), right = magnitudes(seeds, d), endToEnd = magnitudes(seeds, d), decomposed = magnitudes(seeds, d), mean = seeds.floats(k), before = new float[9 * slots];
        double most = Math.sqrt(doubleMean(decomposed) / k) / 2;
        for (int j = 0; j < k; j++) {
            mean[j] *= (float) most; // the square of a mean is below the mean square
        }
        double[] ring = new double[9 * slots];
        double signal = IntStream.range(0, k).mapToDouble(j -> mean[j] * (double) mean[j]).sum() + IntStream.range(0, d).mapToDouble(i -> decomposed[i] / (double) d / d).sum();
        ring[row] = Float.intBitsToFloat(step);
        ring[row + 1] = doubleMean(loss);
        ring[row + 2] = doubleMean(exact);
        ring[row + 3] = doubleMean(right);
        ring[row + 4] = 2 * doubleMean(endToEnd) - signal;
        ring[row + 5] = Math.max(2 * doubleMean(decomposed) - signal, 0);
        ring[row + 6] = ring[row + 5] > 0 ? ring[row + 4] / ring[row + 5] : 0;
        ring[row + 7] = 2 * doubleMean(endToEnd);
        ring[row + 8] = 2 * doubleMean(decomposed);
        KernelCase made = new KernelCase(device, "n %d, d %d, k %d, slots %d, step %d".formatted(n, d, k, slots, step));
        made.runs(new StocksLoss(device)
                .metrics(
                        n, d, k, made.input(loss), made.input(exact), made.input(right), made.input(endToEnd), made.input(decomposed), made.input(mean), made.input(step), made.outputOver("ring", before, ring, 1e-4), slots));
        return made;
    }

    private static double doubleMean(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).average().orElseThrow();
    }
}
