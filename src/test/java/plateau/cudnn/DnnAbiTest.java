package plateau.cudnn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static plateau.cudnn.bindings.CuDnn.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.cuda.CudaException;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Graph;
import plateau.cuda.GraphExec;
import plateau.cuda.LiveObjects;
import plateau.cuda.Stream;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.cudnn.bindings.CuDnn;
import plateau.reference.Seeds;

/**
 * The CPU's cuDNN through its C interface: every function's numbers against float64, in both
 * layouts and with alpha and beta, and the statuses of wrong calls.
 */
class DnnAbiTest {
    private static final int NCHW = CUDNN_TENSOR_NCHW(), NHWC = CUDNN_TENSOR_NHWC(), FLOAT = CUDNN_DATA_FLOAT();
    private static final int FORWARD = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM(),
            DATA = CUDNN_CONVOLUTION_BWD_DATA_ALGO_1(),
            FILTER = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1();
    private static final MemorySegment NULL = MemorySegment.NULL;

    private final Seeds seeds = Seeds.next();
    private final Arena arena = Arena.ofShared();
    private final List<DeviceBuffer> buffers = new ArrayList<>();
    private final List<Runnable> descriptors = new ArrayList<>();
    private Device device;
    private Stream stream;
    private MemorySegment handle;
    private final MemorySegment one = host(1), zero = host(0);

    @BeforeEach
    void open() {
        device = Device.open(DeviceOptions.cpu());
        Dnn.of(device).orElseThrow();
        stream = device.createStream();
        handle = made(CuDnn::cudnnCreate);
        ok(cudnnSetStream(handle, MemorySegment.ofAddress(stream.handle())));
    }

    @AfterEach
    void close() {
        stream.synchronize();
        descriptors.forEach(Runnable::run);
        ok(cudnnDestroy(handle));
        buffers.forEach(DeviceBuffer::close);
        stream.close();
        assertEquals(LiveObjects.NONE, device.live());
        device.close();
        arena.close();
    }

    private static void ok(int status) {
        is(CUDNN_STATUS_SUCCESS(), status);
    }

    private static void is(int expected, int status) {
        assertEquals(
                cudnnGetErrorString(expected).getString(0),
                cudnnGetErrorString(status).getString(0));
    }

    private MemorySegment host(float value) {
        return arena.allocateFrom(C_FLOAT, value);
    }

    private MemorySegment made(ToIntFunction<MemorySegment> create) {
        MemorySegment out = arena.allocate(C_POINTER);
        ok(create.applyAsInt(out));
        return MemorySegment.ofAddress(out.get(C_POINTER, 0).address());
    }

    private MemorySegment owned(ToIntFunction<MemorySegment> create, ToIntFunction<MemorySegment> destroy) {
        MemorySegment descriptor = made(create);
        descriptors.add(() -> ok(destroy.applyAsInt(descriptor)));
        return descriptor;
    }

    /** Four dimensions in a layout: (n, c, h, w), or a filter's (k, c, r, s). */
    private record Layout(int format, int n, int c, int h, int w) {
        int elements() {
            return n * c * h * w;
        }

        int at(int in, int ic, int ih, int iw) {
            return format == NHWC ? ((in * h + ih) * w + iw) * c + ic : ((in * c + ic) * h + ih) * w + iw;
        }
    }

    /** A tensor or filter: what describes it, its values, and where they are on the device. */
    private record Operand(Layout layout, MemorySegment descriptor, float[] values, DeviceBuffer buffer) {
        MemorySegment pointer() {
            return MemorySegment.ofAddress(buffer.address());
        }

        double value(int n, int c, int h, int w) {
            return values[layout.at(n, c, h, w)];
        }
    }

    private MemorySegment tensorDescriptor(Layout layout) {
        MemorySegment descriptor = owned(CuDnn::cudnnCreateTensorDescriptor, CuDnn::cudnnDestroyTensorDescriptor);
        ok(cudnnSetTensor4dDescriptor(descriptor, layout.format, FLOAT, layout.n, layout.c, layout.h, layout.w));
        return descriptor;
    }

    private MemorySegment filterDescriptor(Layout layout) {
        MemorySegment descriptor = owned(CuDnn::cudnnCreateFilterDescriptor, CuDnn::cudnnDestroyFilterDescriptor);
        ok(cudnnSetFilter4dDescriptor(descriptor, FLOAT, layout.format, layout.n, layout.c, layout.h, layout.w));
        return descriptor;
    }

    private MemorySegment convolutionDescriptor(
            int padRows, int padColumns, int strideRows, int strideColumns, int dilationRows, int dilationColumns) {
        MemorySegment descriptor =
                owned(CuDnn::cudnnCreateConvolutionDescriptor, CuDnn::cudnnDestroyConvolutionDescriptor);
        ok(cudnnSetConvolution2dDescriptor(
                descriptor,
                padRows,
                padColumns,
                strideRows,
                strideColumns,
                dilationRows,
                dilationColumns,
                CUDNN_CROSS_CORRELATION(),
                FLOAT));
        ok(cudnnSetConvolutionMathType(descriptor, CUDNN_FMA_MATH()));
        return descriptor;
    }

    private DeviceBuffer keep(DeviceBuffer buffer) {
        buffers.add(buffer);
        return buffer;
    }

    private Operand tensor(Layout layout) {
        float[] values = seeds.floats(layout.elements());
        return new Operand(layout, tensorDescriptor(layout), values, keep(device.upload(values)));
    }

    private Operand filter(Layout layout) {
        float[] values = seeds.floats(layout.elements());
        return new Operand(layout, filterDescriptor(layout), values, keep(device.upload(values)));
    }

    /** Where beta is 0 the result's memory stays NaN: it must not be read. */
    private Operand result(Layout layout, MemorySegment descriptor, float beta) {
        float[] values = seeds.floats(layout.elements());
        DeviceBuffer buffer = keep(device.allocate(4L * layout.elements()));
        if (beta != 0) {
            buffer.upload(values);
        }
        return new Operand(layout, descriptor, values, buffer);
    }

    private void assertResult(
            String what, double[] computed, Operand result, float alpha, float beta, double tolerance) {
        stream.synchronize();
        float[] got = result.buffer.toFloats();
        double scale = Arrays.stream(computed).map(Math::abs).max().orElse(0) * Math.abs(alpha) + 1;
        for (int i = 0; i < got.length; i++) {
            double want = alpha * computed[i] + (beta == 0 ? 0 : beta * result.values[i]);
            if (!(Math.abs(got[i] - want) <= tolerance * scale)) {
                throw new AssertionError(seeds.message("%s[%d] is %s, not %s, of %s with alpha %s, beta %s"
                        .formatted(what, i, got[i], want, result.layout, alpha, beta)));
            }
        }
    }

    // ---- convolution ----

    /** A convolution of random shape, with its operands. */
    private final class Problem {
        final int padRows = seeds.choose(0, 1, 2, 3),
                padColumns = seeds.choose(0, 1, 2),
                strideRows = seeds.choose(1, 1, 2, 3),
                strideColumns = seeds.choose(1, 1, 2);
        final int dilationRows = seeds.choose(1, 1, 2), dilationColumns = seeds.choose(1, 1, 3);
        final int format = seeds.choose(NCHW, NHWC), filterFormat = format == NCHW ? NCHW : seeds.choose(NCHW, NHWC);
        final float alpha = seeds.choose(1, 1, 2, -3), beta = seeds.choose(0, 0, 1, -2);
        final MemorySegment descriptor =
                convolutionDescriptor(padRows, padColumns, strideRows, strideColumns, dilationRows, dilationColumns);
        final Layout x, w, y;

        Problem() {
            int r = seeds.choose(1, 2, 3, 5),
                    s = seeds.choose(1, 3, 4, 5),
                    c = seeds.choose(1, 2, 3, 16, 17),
                    k = seeds.choose(1, 5, 16, 19);
            w = new Layout(filterFormat, k, c, r, s);
            x = new Layout(
                    format,
                    seeds.choose(1, 2, 7, 13, 33),
                    c,
                    (r - 1) * dilationRows + 1 + seeds.choose(0, 3, 8),
                    (s - 1) * dilationColumns + 1 + seeds.choose(0, 5, 9));
            MemorySegment out = arena.allocate(C_INT, 4);
            ok(cudnnGetConvolution2dForwardOutputDim(
                    descriptor,
                    tensorDescriptor(x),
                    filterDescriptor(w),
                    out,
                    out.asSlice(4),
                    out.asSlice(8),
                    out.asSlice(12)));
            y = new Layout(
                    format,
                    x.n,
                    k,
                    (x.h + 2 * padRows - (r - 1) * dilationRows - 1) / strideRows + 1,
                    (x.w + 2 * padColumns - (s - 1) * dilationColumns - 1) / strideColumns + 1);
            assertArrayEquals(new int[] {y.n, y.c, y.h, y.w}, out.toArray(C_INT));
        }

        /** Visits each product: the indices of x, w and y. */
        void forEachProduct(Indices visit) {
            for (int n = 0; n < y.n; n++) {
                for (int k = 0; k < y.c; k++) {
                    for (int p = 0; p < y.h; p++) {
                        for (int q = 0; q < y.w; q++) {
                            for (int r = 0; r < w.h; r++) {
                                for (int s = 0; s < w.w; s++) {
                                    int row = p * strideRows - padRows + r * dilationRows,
                                            column = q * strideColumns - padColumns + s * dilationColumns;
                                    for (int c = 0;
                                            row >= 0 && row < x.h && column >= 0 && column < x.w && c < x.c;
                                            c++) {
                                        visit.at(x.at(n, c, row, column), w.at(k, c, r, s), y.at(n, k, p, q));
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private interface Indices {
        void at(int x, int w, int y);
    }

    private long bytes(ToIntFunction<MemorySegment> query) {
        MemorySegment size = arena.allocate(C_LONG);
        ok(query.applyAsInt(size));
        return size.get(C_LONG, 0);
    }

    private MemorySegment workspace(long bytes) {
        return bytes == 0
                ? NULL
                : MemorySegment.ofAddress(keep(device.allocate(bytes)).address());
    }

    @RepeatedTest(40)
    void convolutionsAreThoseOfFloat64() {
        Problem p = new Problem();
        Operand x = tensor(p.x), w = filter(p.w), y = result(p.y, tensorDescriptor(p.y), p.beta);
        double[] sums = new double[p.y.elements()];
        p.forEachProduct((ix, iw, iy) -> sums[iy] += (double) x.values[ix] * w.values[iw]);
        long bytes = bytes(out -> cudnnGetConvolutionForwardWorkspaceSize(
                handle, x.descriptor, w.descriptor, p.descriptor, y.descriptor, FORWARD, out));
        ok(cudnnConvolutionForward(
                handle,
                host(p.alpha),
                x.descriptor,
                x.pointer(),
                w.descriptor,
                w.pointer(),
                p.descriptor,
                FORWARD,
                workspace(bytes),
                bytes,
                host(p.beta),
                y.descriptor,
                y.pointer()));
        assertResult("y", sums, y, p.alpha, p.beta, 1e-5);
    }

    @RepeatedTest(40)
    void gradientsOfTheInputAreThoseOfFloat64() {
        Problem p = new Problem();
        Operand w = filter(p.w), dy = tensor(p.y), dx = result(p.x, tensorDescriptor(p.x), p.beta);
        double[] sums = new double[p.x.elements()];
        p.forEachProduct((ix, iw, iy) -> sums[ix] += (double) dy.values[iy] * w.values[iw]);
        long bytes = bytes(out -> cudnnGetConvolutionBackwardDataWorkspaceSize(
                handle, w.descriptor, dy.descriptor, p.descriptor, dx.descriptor, DATA, out));
        ok(cudnnConvolutionBackwardData(
                handle,
                host(p.alpha),
                w.descriptor,
                w.pointer(),
                dy.descriptor,
                dy.pointer(),
                p.descriptor,
                DATA,
                workspace(bytes),
                bytes,
                host(p.beta),
                dx.descriptor,
                dx.pointer()));
        assertResult("dx", sums, dx, p.alpha, p.beta, 1e-5);
    }

    @RepeatedTest(40)
    void gradientsOfTheFilterAreThoseOfFloat64() {
        Problem p = new Problem();
        Operand x = tensor(p.x), dy = tensor(p.y), dw = result(p.w, filterDescriptor(p.w), p.beta);
        double[] sums = new double[p.w.elements()];
        p.forEachProduct((ix, iw, iy) -> sums[iw] += (double) dy.values[iy] * x.values[ix]);
        long bytes = bytes(out -> cudnnGetConvolutionBackwardFilterWorkspaceSize(
                handle, x.descriptor, dy.descriptor, p.descriptor, dw.descriptor, FILTER, out));
        ok(cudnnConvolutionBackwardFilter(
                handle,
                host(p.alpha),
                x.descriptor,
                x.pointer(),
                dy.descriptor,
                dy.pointer(),
                p.descriptor,
                FILTER,
                workspace(bytes),
                bytes,
                host(p.beta),
                dw.descriptor,
                dw.pointer()));
        assertResult("dw", sums, dw, p.alpha, p.beta, 1e-5);
    }

    @RepeatedTest(10)
    void gradientsOfTheBiasAreSumsOfTheOutputs() {
        Layout y = new Layout(
                seeds.choose(NCHW, NHWC),
                seeds.choose(1, 3, 40),
                seeds.choose(1, 5, 16),
                seeds.choose(1, 7, 28),
                seeds.choose(1, 9, 28));
        Layout b = new Layout(y.format, 1, y.c, 1, 1);
        float alpha = seeds.choose(1, -2), beta = seeds.choose(0, 3);
        Operand dy = tensor(y), db = result(b, tensorDescriptor(b), beta);
        double[] sums = new double[y.c];
        forEach(y, (n, c, h, w) -> sums[c] += dy.value(n, c, h, w));
        ok(cudnnConvolutionBackwardBias(
                handle, host(alpha), dy.descriptor, dy.pointer(), host(beta), db.descriptor, db.pointer()));
        assertResult("db", sums, db, alpha, beta, 1e-6);
    }

    private interface Place {
        void at(int n, int c, int h, int w);
    }

    private static void forEach(Layout layout, Place visit) {
        for (int n = 0; n < layout.n; n++) {
            for (int c = 0; c < layout.c; c++) {
                for (int h = 0; h < layout.h; h++) {
                    for (int w = 0; w < layout.w; w++) {
                        visit.at(n, c, h, w);
                    }
                }
            }
        }
    }

    /** A convolution large enough for pieces and threads, twice through every direction. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 13, 200})
    void aReplayGivesTheBitsOfAnEagerCall(int batch) {
        Layout lx = new Layout(NHWC, batch, 16, 14, 14), lw = new Layout(NHWC, 16, 16, 5, 5);
        Operand x = tensor(lx), w = filter(lw), dy = tensor(lx);
        Operand y = result(lx, tensorDescriptor(lx), 0),
                dx = result(lx, tensorDescriptor(lx), 0),
                dw = result(lw, filterDescriptor(lw), 0);
        MemorySegment convolution = convolutionDescriptor(2, 2, 1, 1, 1, 1);
        long bytes = Math.max(
                bytes(out -> cudnnGetConvolutionForwardWorkspaceSize(
                        handle, x.descriptor, w.descriptor, convolution, y.descriptor, FORWARD, out)),
                Math.max(
                        bytes(out -> cudnnGetConvolutionBackwardDataWorkspaceSize(
                                handle, w.descriptor, dy.descriptor, convolution, dx.descriptor, DATA, out)),
                        bytes(out -> cudnnGetConvolutionBackwardFilterWorkspaceSize(
                                handle, x.descriptor, dy.descriptor, convolution, dw.descriptor, FILTER, out))));
        MemorySegment scratch = workspace(bytes);
        Runnable all = () -> {
            ok(cudnnConvolutionForward(
                    handle,
                    one,
                    x.descriptor,
                    x.pointer(),
                    w.descriptor,
                    w.pointer(),
                    convolution,
                    FORWARD,
                    scratch,
                    bytes,
                    zero,
                    y.descriptor,
                    y.pointer()));
            ok(cudnnConvolutionBackwardData(
                    handle,
                    one,
                    w.descriptor,
                    w.pointer(),
                    dy.descriptor,
                    dy.pointer(),
                    convolution,
                    DATA,
                    scratch,
                    bytes,
                    zero,
                    dx.descriptor,
                    dx.pointer()));
            ok(cudnnConvolutionBackwardFilter(
                    handle,
                    one,
                    x.descriptor,
                    x.pointer(),
                    dy.descriptor,
                    dy.pointer(),
                    convolution,
                    FILTER,
                    scratch,
                    bytes,
                    zero,
                    dw.descriptor,
                    dw.pointer()));
        };
        all.run();
        stream.synchronize();
        float[] eagerY = y.buffer.toFloats(), eagerDx = dx.buffer.toFloats(), eagerDw = dw.buffer.toFloats();
        for (Operand result : List.of(y, dx, dw)) {
            result.buffer.fill(-1).enqueue(stream);
        }
        try (Graph graph = stream.capture(all);
                GraphExec exec = graph.instantiate()) {
            assertEquals(3, graph.nodeCount());
            exec.enqueue(stream);
            exec.enqueue(stream);
            stream.synchronize();
        }
        assertArrayEquals(eagerY, y.buffer.toFloats());
        assertArrayEquals(eagerDx, dx.buffer.toFloats());
        assertArrayEquals(eagerDw, dw.buffer.toFloats());
    }

    // ---- pooling ----

    @RepeatedTest(40)
    void poolingIsThatOfFloat64() {
        int format = seeds.choose(NCHW, NHWC), mode = seeds.random().nextInt(4);
        int windowRows = seeds.choose(1, 2, 3),
                windowColumns = seeds.choose(1, 2, 4),
                padRows = seeds.random().nextInt(windowRows),
                padColumns = seeds.random().nextInt(windowColumns);
        int strideRows = 1 + seeds.random().nextInt(windowRows),
                strideColumns = 1 + seeds.random().nextInt(windowColumns);
        float alpha = seeds.choose(1, 1, -2), beta = seeds.choose(0, 0, 2);
        Layout in = new Layout(
                format, seeds.choose(1, 2, 21), seeds.choose(1, 3, 16), seeds.choose(4, 7, 28), seeds.choose(4, 9, 28));
        Layout out = new Layout(
                format,
                in.n,
                in.c,
                (in.h + 2 * padRows - windowRows) / strideRows + 1,
                (in.w + 2 * padColumns - windowColumns) / strideColumns + 1);
        Operand x = tensor(in),
                dy = tensor(out),
                y = result(out, tensorDescriptor(out), beta),
                dx = result(in, tensorDescriptor(in), beta);
        boolean max = mode == CUDNN_POOLING_MAX() || mode == CUDNN_POOLING_MAX_DETERMINISTIC();
        double[] pooled = new double[out.elements()], gradient = new double[in.elements()];
        forEach(out, (n, c, i, j) -> {
            int best = -1, count = 0;
            double sum = 0;
            for (int row = Math.max(0, i * strideRows - padRows);
                    row < Math.min(in.h, i * strideRows - padRows + windowRows);
                    row++) {
                for (int column = Math.max(0, j * strideColumns - padColumns);
                        column < Math.min(in.w, j * strideColumns - padColumns + windowColumns);
                        column++) {
                    int at = in.at(n, c, row, column);
                    best = best < 0 || x.values[at] > x.values[best] ? at : best;
                    sum += x.values[at];
                    count++;
                }
            }
            int divisor = mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING() ? windowRows * windowColumns : count;
            pooled[out.at(n, c, i, j)] = max ? x.values[best] : sum / divisor;
            double message = dy.values[out.at(n, c, i, j)];
            if (max) {
                gradient[best] += message;
                return;
            }
            for (int row = Math.max(0, i * strideRows - padRows);
                    row < Math.min(in.h, i * strideRows - padRows + windowRows);
                    row++) {
                for (int column = Math.max(0, j * strideColumns - padColumns);
                        column < Math.min(in.w, j * strideColumns - padColumns + windowColumns);
                        column++) {
                    gradient[in.at(n, c, row, column)] += message / divisor;
                }
            }
        });
        MemorySegment pooling = poolingDescriptor(
                mode, CUDNN_PROPAGATE_NAN(), windowRows, windowColumns, padRows, padColumns, strideRows, strideColumns);
        ok(cudnnPoolingForward(
                handle, pooling, host(alpha), x.descriptor, x.pointer(), host(beta), y.descriptor, y.pointer()));
        ok(cudnnPoolingBackward(
                handle,
                pooling,
                host(alpha),
                y.descriptor,
                y.pointer(),
                dy.descriptor,
                dy.pointer(),
                x.descriptor,
                x.pointer(),
                host(beta),
                dx.descriptor,
                dx.pointer()));
        assertResult("y", pooled, y, alpha, beta, 1e-6);
        assertResult("dx", gradient, dx, alpha, beta, 1e-6);
    }

    private MemorySegment poolingDescriptor(
            int mode,
            int nan,
            int windowRows,
            int windowColumns,
            int padRows,
            int padColumns,
            int strideRows,
            int strideColumns) {
        MemorySegment descriptor = owned(CuDnn::cudnnCreatePoolingDescriptor, CuDnn::cudnnDestroyPoolingDescriptor);
        ok(cudnnSetPooling2dDescriptor(
                descriptor, mode, nan, windowRows, windowColumns, padRows, padColumns, strideRows, strideColumns));
        return descriptor;
    }

    @Test
    void poolingPassesNanOnOrOver() {
        Layout in = new Layout(NHWC, 1, 1, 1, 6), out = new Layout(NHWC, 1, 1, 1, 3);
        Operand x = tensor(in),
                y = result(out, tensorDescriptor(out), 0),
                dy = tensor(out),
                dx = result(in, tensorDescriptor(in), 0);
        x.buffer.upload(Float.NaN, 1, 2, Float.NaN, 3, 3);
        dy.buffer.upload(10f, 20f, 30f);
        float[][] maxima = {{1, 2, 3}, {Float.NaN, Float.NaN, 3}},
                gradients = {{0, 10, 20, 0, 30, 0}, {10, 0, 0, 20, 30, 0}};
        for (int nan : new int[] {CUDNN_NOT_PROPAGATE_NAN(), CUDNN_PROPAGATE_NAN()}) {
            MemorySegment pooling = poolingDescriptor(CUDNN_POOLING_MAX(), nan, 1, 2, 0, 0, 1, 2);
            ok(cudnnPoolingForward(handle, pooling, one, x.descriptor, x.pointer(), zero, y.descriptor, y.pointer()));
            ok(cudnnPoolingBackward(
                    handle,
                    pooling,
                    one,
                    y.descriptor,
                    y.pointer(),
                    dy.descriptor,
                    dy.pointer(),
                    x.descriptor,
                    x.pointer(),
                    zero,
                    dx.descriptor,
                    dx.pointer()));
            stream.synchronize();
            assertArrayEquals(maxima[nan], y.buffer.toFloats());
            assertArrayEquals(gradients[nan], dx.buffer.toFloats());
        }
    }

    // ---- activation, softmax, sums ----

    private static DoubleUnaryOperator activation(int mode, double coefficient) {
        return switch (mode) {
            case 0 -> x -> 1 / (1 + Math.exp(-x));
            case 1 -> x -> Math.max(0, x);
            case 2 -> Math::tanh;
            case 3 -> x -> Math.min(coefficient, Math.max(0, x));
            case 4 -> x -> x > 0 ? x : coefficient * Math.expm1(x);
            default -> x -> x / (1 + Math.exp(-coefficient * x));
        };
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 6})
    void activationsAndTheirGradientsAreThoseOfFloat64(int mode) {
        double coefficient = 0.75, step = 1e-6;
        Layout layout = new Layout(seeds.choose(NCHW, NHWC), 3, 7, 41, 43);
        float alpha = seeds.choose(1, 2), beta = seeds.choose(0, -1);
        Operand x = tensor(layout),
                dy = tensor(layout),
                y = result(layout, tensorDescriptor(layout), 0),
                dx = result(layout, tensorDescriptor(layout), beta),
                scaled = result(layout, tensorDescriptor(layout), beta);
        // Differences mean nothing at the kinks, which lie at 0 and at the coefficient.
        IntStream.range(0, x.values.length)
                .forEach(i -> x.values[i] = Math.abs(x.values[i]) < 1e-4 || Math.abs(x.values[i] - coefficient) < 1e-4
                        ? 0.5f
                        : x.values[i]);
        x.buffer.upload(x.values);
        DoubleUnaryOperator f = activation(mode, coefficient);
        double[] values = IntStream.range(0, x.values.length)
                .mapToDouble(i -> f.applyAsDouble(x.values[i]))
                .toArray();
        double[] gradients = IntStream.range(0, x.values.length)
                .mapToDouble(i -> dy.values[i]
                        * (f.applyAsDouble(x.values[i] + step) - f.applyAsDouble(x.values[i] - step))
                        / (2 * step))
                .toArray();
        MemorySegment descriptor =
                owned(CuDnn::cudnnCreateActivationDescriptor, CuDnn::cudnnDestroyActivationDescriptor);
        ok(cudnnSetActivationDescriptor(descriptor, mode, CUDNN_PROPAGATE_NAN(), coefficient));
        ok(cudnnActivationForward(handle, descriptor, one, x.descriptor, x.pointer(), zero, y.descriptor, y.pointer()));
        ok(cudnnActivationForward(
                handle,
                descriptor,
                host(alpha),
                x.descriptor,
                x.pointer(),
                host(beta),
                scaled.descriptor,
                scaled.pointer()));
        ok(cudnnActivationBackward(
                handle,
                descriptor,
                host(alpha),
                y.descriptor,
                y.pointer(),
                dy.descriptor,
                dy.pointer(),
                x.descriptor,
                x.pointer(),
                host(beta),
                dx.descriptor,
                dx.pointer()));
        assertResult("y", values, y, 1, 0, 1e-6);
        assertResult("alpha y", values, scaled, alpha, beta, 1e-6);
        assertResult("dx", gradients, dx, alpha, beta, 1e-6);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, 1", "1, 0", "1, 1", "2, 0", "2, 1"})
    void softmaxAndItsGradientAreThoseOfFloat64(int algorithm, int mode) {
        Layout layout = new Layout(
                seeds.choose(NCHW, NHWC),
                seeds.choose(1, 5, 300),
                seeds.choose(1, 11),
                seeds.choose(1, 6),
                seeds.choose(1, 7));
        float alpha = seeds.choose(1, 2), beta = seeds.choose(0, -1);
        Operand x = tensor(layout),
                dy = tensor(layout),
                y = result(layout, tensorDescriptor(layout), 0),
                dx = result(layout, tensorDescriptor(layout), beta);
        double[] values = new double[layout.elements()], gradients = new double[layout.elements()];
        // The group of an element, by number.
        int[] group = new int[layout.elements()];
        forEach(
                layout,
                (n, c, h, w) -> group[layout.at(n, c, h, w)] =
                        mode == CUDNN_SOFTMAX_MODE_INSTANCE() ? n : (n * layout.h + h) * layout.w + w);
        double[] sums = new double[layout.n * layout.h * layout.w], messages = new double[sums.length];
        for (int i = 0; i < values.length; i++) {
            sums[group[i]] += Math.exp(x.values[i]);
        }
        boolean logarithm = algorithm == CUDNN_SOFTMAX_LOG();
        for (int i = 0; i < values.length; i++) {
            double probability = Math.exp(x.values[i]) / sums[group[i]];
            values[i] = logarithm ? Math.log(probability) : probability;
            messages[group[i]] += dy.values[i] * (logarithm ? 1 : probability);
        }
        for (int i = 0; i < values.length; i++) {
            double probability = Math.exp(x.values[i]) / sums[group[i]];
            gradients[i] = logarithm
                    ? dy.values[i] - probability * messages[group[i]]
                    : probability * (dy.values[i] - messages[group[i]]);
        }
        ok(cudnnSoftmaxForward(
                handle, algorithm, mode, one, x.descriptor, x.pointer(), zero, y.descriptor, y.pointer()));
        ok(cudnnSoftmaxBackward(
                handle,
                algorithm,
                mode,
                host(alpha),
                y.descriptor,
                y.pointer(),
                dy.descriptor,
                dy.pointer(),
                host(beta),
                dx.descriptor,
                dx.pointer()));
        assertResult("y", values, y, 1, 0, 1e-6);
        assertResult("dx", gradients, dx, alpha, beta, 1e-5);
    }

    @RepeatedTest(10)
    void addedTensorsAreRepeatedAlongDimensionsOfOne() {
        Layout sum = new Layout(
                seeds.choose(NCHW, NHWC),
                seeds.choose(1, 4, 50),
                seeds.choose(1, 16),
                seeds.choose(1, 13),
                seeds.choose(1, 28));
        Layout addend = new Layout(
                seeds.choose(NCHW, NHWC),
                seeds.choose(1, sum.n),
                seeds.choose(1, sum.c),
                seeds.choose(1, sum.h),
                seeds.choose(1, sum.w));
        float alpha = seeds.choose(1, -2), beta = seeds.choose(0, 1, 3);
        Operand added = tensor(addend), target = result(sum, tensorDescriptor(sum), beta);
        double[] values = new double[sum.elements()];
        forEach(
                sum,
                (n, c, h, w) -> values[sum.at(n, c, h, w)] =
                        added.value(n % addend.n, c % addend.c, h % addend.h, w % addend.w));
        ok(cudnnAddTensor(
                handle,
                host(alpha),
                added.descriptor,
                added.pointer(),
                host(beta),
                target.descriptor,
                target.pointer()));
        assertResult("sum", values, target, alpha, beta, 1e-6);
    }

    // ---- refusals ----

    @Test
    void wrongDescriptorsAreRefused() {
        int bad = CUDNN_STATUS_BAD_PARAM(), missing = CUDNN_STATUS_BAD_PARAM_NULL_POINTER();
        MemorySegment tensor = owned(CuDnn::cudnnCreateTensorDescriptor, CuDnn::cudnnDestroyTensorDescriptor);
        MemorySegment convolution =
                owned(CuDnn::cudnnCreateConvolutionDescriptor, CuDnn::cudnnDestroyConvolutionDescriptor);
        MemorySegment pooling = owned(CuDnn::cudnnCreatePoolingDescriptor, CuDnn::cudnnDestroyPoolingDescriptor);
        is(missing, cudnnCreateTensorDescriptor(NULL));
        is(missing, cudnnSetTensor4dDescriptor(NULL, NCHW, FLOAT, 1, 1, 1, 1));
        is(bad, cudnnSetTensor4dDescriptor(tensor, NCHW, FLOAT, 1, 0, 1, 1));
        is(bad, cudnnSetTensor4dDescriptor(tensor, NCHW, FLOAT, 1, 1, -1, 1));
        is(bad, cudnnSetTensor4dDescriptor(tensor, 3, FLOAT, 1, 1, 1, 1));
        is(bad, cudnnSetTensor4dDescriptor(tensor, NCHW, 99, 1, 1, 1, 1));
        is(bad, cudnnSetTensor4dDescriptor(convolution, NCHW, FLOAT, 1, 1, 1, 1));
        is(CUDNN_STATUS_NOT_SUPPORTED(), cudnnSetTensor4dDescriptor(tensor, NCHW, FLOAT, 1 << 16, 1 << 15, 1, 1));
        is(bad, cudnnSetConvolution2dDescriptor(convolution, -1, 0, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION(), FLOAT));
        is(bad, cudnnSetConvolution2dDescriptor(convolution, 0, 0, 0, 1, 1, 1, CUDNN_CROSS_CORRELATION(), FLOAT));
        is(bad, cudnnSetConvolution2dDescriptor(convolution, 0, 0, 1, 1, 0, 1, CUDNN_CROSS_CORRELATION(), FLOAT));
        is(bad, cudnnSetConvolution2dDescriptor(convolution, 0, 0, 1, 1, 1, 1, 2, FLOAT));
        is(bad, cudnnSetConvolutionMathType(convolution, 4));
        is(bad, cudnnSetPooling2dDescriptor(pooling, 4, 0, 2, 2, 0, 0, 2, 2));
        is(bad, cudnnSetPooling2dDescriptor(pooling, 0, 0, 2, 2, 2, 0, 2, 2));
        is(bad, cudnnSetPooling2dDescriptor(pooling, 0, 0, 0, 2, 0, 0, 2, 2));
        MemorySegment destroyed = made(CuDnn::cudnnCreateFilterDescriptor);
        ok(cudnnDestroyFilterDescriptor(destroyed));
        is(bad, cudnnDestroyFilterDescriptor(destroyed));
        is(bad, cudnnSetFilter4dDescriptor(destroyed, FLOAT, NCHW, 1, 1, 1, 1));
        is(missing, cudnnDestroy(NULL));
        is(bad, cudnnDestroy(tensor));
        is(bad, cudnnSetStream(tensor, NULL));
        assertEquals("CUDNN_UNKNOWN_STATUS", cudnnGetErrorString(12345).getString(0));
        assertEquals(90501, cudnnGetVersion());
    }

    /** Making a handle allocates; destroying one waits for the device; both belong to it. */
    @Test
    void handlesBelongToADeviceAndSpoilItsCaptures() {
        CudaException spoilt = assertThrows(
                CudaException.class,
                () -> stream.capture(() -> is(
                        CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED(),
                        cudnnCreate(arena.allocate(C_POINTER)))));
        assertEquals(901, spoilt.code());
        MemorySegment other = made(CuDnn::cudnnCreate);
        spoilt = assertThrows(
                CudaException.class,
                () -> stream.capture(() -> is(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER(), cudnnDestroy(other))));
        assertEquals(901, spoilt.code());
        try (Device second = Device.open(DeviceOptions.of(DeviceSelector.parse("cpu:1")));
                Stream foreign = second.createStream()) {
            device.makeCurrent();
            is(
                    CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH(),
                    cudnnSetStream(handle, MemorySegment.ofAddress(foreign.handle())));
            second.makeCurrent();
            is(CUDNN_STATUS_NOT_INITIALIZED(), cudnnSetStream(handle, MemorySegment.ofAddress(foreign.handle())));
            is(CUDNN_STATUS_NOT_INITIALIZED(), cudnnDestroy(handle));
        }
        device.makeCurrent();
    }

    /** One valid call, and what each single change to it gives. */
    @Test
    void wrongConvolutionsAreRefused() {
        Layout lx = new Layout(NHWC, 2, 3, 6, 6), lw = new Layout(NHWC, 4, 3, 3, 3), ly = new Layout(NHWC, 2, 4, 4, 4);
        Operand x = tensor(lx), w = filter(lw), y = result(ly, tensorDescriptor(ly), 0);
        MemorySegment convolution = convolutionDescriptor(0, 0, 1, 1, 1, 1);
        long bytes = bytes(out -> cudnnGetConvolutionForwardWorkspaceSize(
                handle, x.descriptor, w.descriptor, convolution, y.descriptor, FORWARD, out));
        assertTrue(bytes > 0, "oneDNN keeps filters in a layout of its own");
        MemorySegment scratch = workspace(bytes);
        record Call(
                MemorySegment handle,
                MemorySegment alpha,
                MemorySegment xd,
                MemorySegment x,
                MemorySegment wd,
                MemorySegment w,
                MemorySegment c,
                int algorithm,
                MemorySegment s,
                long bytes,
                MemorySegment yd,
                MemorySegment y) {
            int status() {
                return cudnnConvolutionForward(handle, alpha, xd, x, wd, w, c, algorithm, s, bytes, alpha, yd, y);
            }
        }
        MemorySegment xd = x.descriptor,
                wd = w.descriptor,
                yd = y.descriptor,
                px = x.pointer(),
                pw = w.pointer(),
                py = y.pointer();
        ok(new Call(handle, one, xd, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        int missing = CUDNN_STATUS_BAD_PARAM_NULL_POINTER(),
                shapes = CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH(),
                unset = CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED();
        is(missing, new Call(NULL, one, xd, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        is(missing, new Call(handle, NULL, xd, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        is(missing, new Call(handle, one, NULL, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        is(missing, new Call(handle, one, xd, NULL, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        is(missing, new Call(handle, one, xd, px, wd, NULL, convolution, FORWARD, scratch, bytes, yd, py).status());
        is(missing, new Call(handle, one, xd, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, NULL).status());
        is(missing, new Call(handle, one, xd, px, wd, pw, convolution, FORWARD, NULL, bytes, yd, py).status());
        is(
                CUDNN_STATUS_BAD_PARAM(),
                new Call(handle, one, wd, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        is(
                CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT(),
                new Call(handle, one, xd, px, wd, pw, convolution, FORWARD, scratch, bytes - 1, yd, py).status());
        is(
                CUDNN_STATUS_EXECUTION_FAILED(),
                new Call(handle, one, xd, host(1), wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        is(
                CUDNN_STATUS_EXECUTION_FAILED(),
                new Call(handle, one, xd, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, pw).status());
        is(
                CUDNN_STATUS_EXECUTION_FAILED(),
                new Call(
                                handle,
                                one,
                                xd,
                                MemorySegment.ofAddress(x.buffer.address() + 4),
                                wd,
                                pw,
                                convolution,
                                FORWARD,
                                scratch,
                                bytes,
                                yd,
                                py)
                        .status());
        is(
                CUDNN_STATUS_EXECUTION_FAILED(),
                new Call(
                                handle,
                                one,
                                xd,
                                px,
                                wd,
                                pw,
                                convolution,
                                FORWARD,
                                MemorySegment.ofAddress(scratch.address() + 4),
                                bytes,
                                yd,
                                py)
                        .status());
        is(
                CUDNN_STATUS_NOT_SUPPORTED(),
                new Call(
                                handle,
                                one,
                                xd,
                                px,
                                wd,
                                pw,
                                convolution,
                                CUDNN_CONVOLUTION_FWD_ALGO_DIRECT(),
                                scratch,
                                bytes,
                                yd,
                                py)
                        .status());
        is(
                CUDNN_STATUS_NOT_SUPPORTED(),
                new Call(
                                handle,
                                one,
                                xd,
                                px,
                                wd,
                                pw,
                                convolution,
                                CUDNN_CONVOLUTION_FWD_ALGO_FFT(),
                                scratch,
                                bytes,
                                yd,
                                py)
                        .status());
        is(shapes, new Call(handle, one, xd, px, wd, pw, convolution, FORWARD, scratch, bytes, xd, px).status());
        MemorySegment wide = filterDescriptor(new Layout(NHWC, 4, 5, 3, 3)),
                large = filterDescriptor(new Layout(NHWC, 4, 3, 7, 3)),
                first = tensorDescriptor(new Layout(NCHW, 2, 3, 6, 6));
        is(shapes, new Call(handle, one, xd, px, wide, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        is(shapes, new Call(handle, one, xd, px, large, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        is(
                CUDNN_STATUS_NOT_SUPPORTED_LAYOUT(),
                new Call(handle, one, first, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        MemorySegment fresh = owned(CuDnn::cudnnCreateTensorDescriptor, CuDnn::cudnnDestroyTensorDescriptor);
        is(unset, new Call(handle, one, fresh, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        // Doubles throughout are a valid call that is not offered; doubles in one place are a wrong
        // one.
        ok(cudnnSetTensor4dDescriptor(fresh, NHWC, CUDNN_DATA_DOUBLE(), 2, 3, 6, 6));
        is(
                CUDNN_STATUS_BAD_PARAM(),
                new Call(handle, one, fresh, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        ok(cudnnSetTensor4dDescriptor(yd, NHWC, CUDNN_DATA_DOUBLE(), 2, 4, 4, 4));
        ok(cudnnSetFilter4dDescriptor(wd, CUDNN_DATA_DOUBLE(), NHWC, 4, 3, 3, 3));
        is(
                CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE(),
                new Call(handle, one, fresh, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
        ok(cudnnSetTensor4dDescriptor(yd, NHWC, FLOAT, 2, 4, 4, 4));
        ok(cudnnSetFilter4dDescriptor(wd, FLOAT, NHWC, 4, 3, 3, 3));
        ok(cudnnSetConvolution2dDescriptor(convolution, 0, 0, 1, 1, 1, 1, CUDNN_CONVOLUTION(), FLOAT));
        is(
                CUDNN_STATUS_NOT_SUPPORTED(),
                new Call(handle, one, xd, px, wd, pw, convolution, FORWARD, scratch, bytes, yd, py).status());
    }

    @Test
    void wrongCallsOfTheOthersAreRefused() {
        Layout layout = new Layout(NHWC, 2, 3, 4, 4), half = new Layout(NHWC, 2, 3, 2, 2);
        Operand x = tensor(layout), y = tensor(half);
        MemorySegment xd = x.descriptor,
                yd = y.descriptor,
                px = x.pointer(),
                py = y.pointer(),
                first = tensorDescriptor(new Layout(NCHW, 2, 3, 2, 2));
        MemorySegment pooling = poolingDescriptor(0, 0, 2, 2, 0, 0, 2, 2);
        int missing = CUDNN_STATUS_BAD_PARAM_NULL_POINTER(),
                shapes = CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH(),
                outside = CUDNN_STATUS_EXECUTION_FAILED();
        ok(cudnnPoolingForward(handle, pooling, one, xd, px, zero, yd, py));
        is(shapes, cudnnPoolingForward(handle, pooling, one, xd, px, zero, xd, px));
        is(outside, cudnnPoolingForward(handle, pooling, one, xd, py, zero, yd, py));
        is(missing, cudnnPoolingForward(handle, pooling, one, xd, px, NULL, yd, py));
        is(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT(), cudnnPoolingForward(handle, pooling, one, xd, px, zero, first, py));
        is(shapes, cudnnPoolingBackward(handle, pooling, one, yd, py, xd, px, xd, px, zero, xd, px));
        is(outside, cudnnPoolingBackward(handle, pooling, one, yd, py, yd, py, xd, px, zero, xd, py));
        MemorySegment activation =
                owned(CuDnn::cudnnCreateActivationDescriptor, CuDnn::cudnnDestroyActivationDescriptor);
        is(
                CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED(),
                cudnnActivationForward(handle, activation, one, xd, px, zero, xd, px));
        is(CUDNN_STATUS_BAD_PARAM(), cudnnSetActivationDescriptor(activation, 7, 0, 0));
        ok(cudnnSetActivationDescriptor(activation, CUDNN_ACTIVATION_IDENTITY(), 0, 0));
        is(CUDNN_STATUS_BAD_PARAM(), cudnnActivationForward(handle, activation, one, xd, px, zero, xd, px));
        ok(cudnnSetActivationDescriptor(activation, CUDNN_ACTIVATION_RELU(), 0, 0));
        is(shapes, cudnnActivationForward(handle, activation, one, xd, px, zero, yd, py));
        is(shapes, cudnnActivationBackward(handle, activation, one, xd, px, yd, py, xd, px, zero, xd, px));
        is(CUDNN_STATUS_BAD_PARAM(), cudnnSoftmaxForward(handle, 3, 0, one, xd, px, zero, xd, px));
        is(shapes, cudnnSoftmaxForward(handle, 1, 0, one, xd, px, zero, yd, py));
        is(shapes, cudnnSoftmaxBackward(handle, 1, 0, one, xd, px, yd, py, zero, xd, px));
        is(shapes, cudnnAddTensor(handle, one, yd, py, one, xd, px));
        is(shapes, cudnnConvolutionBackwardBias(handle, one, xd, px, zero, yd, py));
        is(
                missing,
                cudnnConvolutionBackwardBias(
                        handle, one, xd, px, zero, tensorDescriptor(new Layout(NHWC, 1, 3, 1, 1)), NULL));
        MemorySegment vectors = owned(CuDnn::cudnnCreateTensorDescriptor, CuDnn::cudnnDestroyTensorDescriptor);
        ok(cudnnSetTensor4dDescriptor(vectors, CUDNN_TENSOR_NCHW_VECT_C(), FLOAT, 2, 3, 4, 4));
        is(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT(), cudnnSoftmaxForward(handle, 1, 0, one, vectors, px, zero, vectors, px));
    }

    @Test
    void memoryThatHasBeenFreedIsRefused() {
        Layout layout = new Layout(NHWC, 1, 1, 2, 2);
        MemorySegment tensor = tensorDescriptor(layout);
        MemorySegment freed;
        try (DeviceBuffer buffer = device.allocate(16)) {
            freed = MemorySegment.ofAddress(buffer.address());
        }
        is(CUDNN_STATUS_EXECUTION_FAILED(), cudnnAddTensor(handle, one, tensor, freed, zero, tensor, freed));
    }
}
