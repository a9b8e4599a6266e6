package plateau.check;

import java.util.Arrays;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.Conv2d;

/** Two-dimensional convolution with pooling and its gradients against the definition. */
final class Conv2dCases {
    private Conv2dCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("conv2d_pack + conv2d_base + conv2d_pool_forward", Conv2dCases::conv2dForward),
                Row.random(
                        "conv2d_pool_backward_data",
                        (made, draws) ->
                                conv2dBackward(made, draws, true, draws.random().nextBoolean())),
                Row.random(
                        "conv2d_pool_backward_filter + conv2d_sum_shares",
                        (made, draws) -> conv2dBackward(
                                made, draws, false, draws.random().nextBoolean())),
                Row.random("conv2d_background_gradient", (made, draws) -> conv2dBackward(made, draws, false, true)));
    }

    /** Small integers, so that every sum is exact, and equal maxima are common. */
    private static void conv2dForward(KernelCase made, Draws draws) {
        Conv2d.Geometry s = conv2dShape(draws);
        float[] background = draws.random().nextBoolean() ? integers(draws, s.in()) : null;
        float[] x = over(background, s.in(), draws, integers(draws, s.batch() * s.inputs())),
                w = integers(draws, s.weights()),
                bias = integers(draws, s.out());
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
        made.shape(s + (background == null ? "" : " over a background"));
        Conv2d conv2d = new Conv2d(made.device(), Conv2d.Convolutions.KERNELS);
        Conv2d.Memory memory = withWinners(conv2d.memory(s, made::scratch), made.exactly("winners", winners));
        made.runs(conv2d.forward(
                s,
                made.input(x),
                background == null ? null : made.input(background),
                made.input(w),
                made.input(bias),
                made.output("y", y, 0),
                memory));
    }

    /**
     * The backwards are given their winners, and what else the forward leaves them by a forward.
     * Pixels count by what they differ from the background, and the background's gradient is what
     * the active ones leave of sums over the whole batch: hence the terms.
     *
     * @param data whether dx is asked for, else dw
     * @param sparse whether most pixels equal a background
     */
    private static void conv2dBackward(KernelCase made, Draws draws, boolean data, boolean sparse) {
        Conv2d.Geometry s = conv2dShape(draws);
        float[] background = sparse ? draws.floats(s.in()) : null;
        float[] x = over(background, s.in(), draws, draws.floats(s.batch() * s.inputs())),
                w = draws.floats(s.weights()),
                dy = draws.floats(s.batch() * s.outputs());
        if (s.batch() > 1) {
            Arrays.fill(dy, s.outputs(), 2 * s.outputs(), 0); // a sample whose loss is at rest
        }
        double[] dz = new double[s.batch() * s.rows() * s.columns() * s.out()];
        Sums dx = new Sums(x.length),
                dw = new Sums(w.length),
                dbias = new Sums(s.out()),
                dbackground = new Sums(s.in());
        byte[] winners = new byte[dy.length];
        boolean[] active = new boolean[x.length];
        for (int i = 0; i < dy.length; i++) {
            winners[i] = (byte) draws.random().nextInt(4);
            dz[unpooled(s, i, winners[i])] = dy[i];
            dbias.add(i % s.out(), dy[i]);
        }
        for (int i = 0; i < x.length; i++) {
            active[i] = background == null || !isBackground(background, x, i, s.in());
        }
        conv2dProducts(s, (iz, ix, iw) -> {
            int c = ix % s.in();
            double term = dz[iz] * w[iw], behind = background == null ? 0 : dz[iz] * background[c];
            if (active[ix]) {
                dx.add(ix, term);
                dbackground.add(c, -term);
            }
            dbackground.add(c, term);
            dw.add(iw, dz[iz] * x[ix] - behind);
            dw.add(iw, behind);
        });
        made.shape(s + (background == null ? "" : " over a background"));
        Conv2d conv2d = new Conv2d(made.device(), Conv2d.Convolutions.KERNELS);
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
                                ? conv2d.backwardData(s, pixels, behind, gradient, given, made.output("dx", dx, 1e-6))
                                : conv2d.backwardFilter(
                                        s,
                                        pixels,
                                        behind,
                                        gradient,
                                        given,
                                        made.output("dw", dw, 1e-6),
                                        draws.random().nextBoolean() ? made.output("dbias", dbias, 1e-6) : null,
                                        background == null ? null : made.output("dbackground", dbackground, 1e-6)))));
    }

    private static Conv2d.Geometry conv2dShape(Draws draws) {
        while (true) {
            int[] sides = {2, 4, 6, 14, 28, 34};
            Conv2d.Geometry shape = new Conv2d.Geometry(
                    draws.choose(1, 2, 3, 7),
                    draws.choose(sides),
                    draws.choose(sides),
                    draws.choose(1, 3, 16, 17),
                    draws.choose(1, 5, 16, 33),
                    draws.choose(1, 3, 5, 7));
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
    private static float[] over(float[] background, int in, Draws draws, float[] x) {
        for (int i = 0; i < x.length; i++) {
            boolean whole = i % in == 0 && draws.random().nextInt(3) > 0;
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

    private static float[] integers(Draws draws, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = draws.random().nextInt(-2, 3);
        }
        return values;
    }
}
