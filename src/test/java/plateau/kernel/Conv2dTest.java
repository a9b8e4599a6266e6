package plateau.kernel;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.reference.Seeds;

/** Two-dimensional convolution with pooling and its gradients against the definition. */
class Conv2dTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("conv2d_pack + conv2d_base + conv2d_pool_forward", Conv2dTest::conv2dForward);
        cases.put(
                "conv2d_pool_backward_data",
                (device, seeds) ->
                        conv2dBackward(device, seeds, true, seeds.random().nextBoolean()));
        cases.put(
                "conv2d_pool_backward_filter + conv2d_sum_shares",
                (device, seeds) ->
                        conv2dBackward(device, seeds, false, seeds.random().nextBoolean()));
        cases.put("conv2d_background_gradient", (device, seeds) -> conv2dBackward(device, seeds, false, true));
        return cases;
    }

    /** Small integers, so that every sum is exact, and equal maxima are common. */
    private static KernelCase conv2dForward(Device device, Seeds seeds) {
        Conv2d.Geometry s = conv2dShape(seeds);
        float[] background = seeds.random().nextBoolean() ? integers(seeds, s.in()) : null;
        float[] x = over(background, s.in(), seeds, integers(seeds, s.batch() * s.inputs())),
                w = integers(seeds, s.weights()),
                bias = integers(seeds, s.out());
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
        made.runs(conv2d.forward(
                s,
                made.input(x),
                background == null ? null : made.input(background),
                made.input(w),
                made.input(bias),
                made.output("y", y, 0),
                memory));
        return made;
    }

    /**
     * The backwards are given their winners, and what else the forward leaves them by a forward.
     * The background's gradient is what is left of sums over the whole batch.
     *
     * @param data whether dx is asked for, else dw
     * @param sparse whether most pixels equal a background
     */
    private static KernelCase conv2dBackward(Device device, Seeds seeds, boolean data, boolean sparse) {
        Conv2d.Geometry s = conv2dShape(seeds);
        float[] background = sparse ? seeds.floats(s.in()) : null;
        float[] x = over(background, s.in(), seeds, seeds.floats(s.batch() * s.inputs())),
                w = seeds.floats(s.weights()),
                dy = seeds.floats(s.batch() * s.outputs());
        if (s.batch() > 1) {
            Arrays.fill(dy, s.outputs(), 2 * s.outputs(), 0); // a sample whose loss is at rest
        }
        double[] dz = new double[s.batch() * s.rows() * s.columns() * s.out()],
                dx = new double[x.length],
                dw = new double[w.length],
                dbias = new double[s.out()],
                dbackground = new double[s.in()];
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
        DeviceBuffer pixels = made.input(x),
                gradient = made.input(dy),
                behind = background == null ? null : made.input(background);
        Work forward = conv2d.forward(
                s,
                pixels,
                behind,
                made.input(w),
                made.input(new float[s.out()]),
                made.scratch(dy.length * (long) Float.BYTES),
                memory);
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

    private static Conv2d.Geometry conv2dShape(Seeds seeds) {
        while (true) {
            int[] sides = {2, 4, 6, 14, 28, 34};
            Conv2d.Geometry shape = new Conv2d.Geometry(
                    seeds.choose(1, 2, 3, 7),
                    seeds.choose(sides),
                    seeds.choose(sides),
                    seeds.choose(1, 3, 16, 17),
                    seeds.choose(1, 5, 16, 33),
                    seeds.choose(1, 3, 5, 7));
            if ((long) shape.batch() * shape.rows() * shape.columns() * shape.weights() <= 3_000_000) {
                return shape;
            }
        }
    }

    /**
     * Calls back for each product of a convolution: the indices of z(batch, rows, columns, out), x
     * and w.
     */
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
        int row = cell % cells / (s.columns() / 2) * 2 + quadrant / 2,
                column = cell % (s.columns() / 2) * 2 + quadrant % 2;
        return ((b * s.rows() + row) * s.columns() + column) * s.out() + o;
    }

    private static Conv2d.Memory withWinners(Conv2d.Memory m, DeviceBuffer winners) {
        return new Conv2d.Memory(
                winners, m.packed(), m.response(), m.base(), m.pooled(), m.pooledWinners(), m.shares(), m.inactive());
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
}
