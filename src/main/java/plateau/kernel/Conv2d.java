package plateau.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;
import plateau.cuda.Availability;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;
import plateau.cudnn.Dnn;

/**
 * Two-dimensional convolution with max-pooling 2×2 of stride 2 fused into its end, and its
 * gradients ({@code kernels/conv2d.cu}): stride 1, "same" padding. Batches are channels-last,
 * (batch, rows, columns, channels); filters are (out, window, window, in).
 *
 * <p>A <em>background</em> is what most pixels equal: (in) values, or null for zero. Pixels that
 * equal it cost nothing; the results are those of any convolution. A pixel that equals a given
 * background <em>is</em> the background, so that its gradient is part of the background's, and its
 * own is zero; with null, every pixel gets its gradient. Channels are compared sixteen at a time.
 */
public final class Conv2d {
    private static final int PACK_THREADS = 32;
    private static final int SUM_THREADS = 256;

    /** A thread for each of 25 taps and 16 output channels, in whole warps. */
    private static final int IMAGE_THREADS = 416;

    /** Output channels of a block ({@code kLanes}). */
    private static final int LANES = 16;

    /**
     * Parts of a batch whose filter gradients are summed apart, at most: enough blocks for the
     * device, but no more memory than its caches like.
     */
    private static final int CPU_PARTS = 32;

    private static final int GPU_PARTS = 128;

    /** How convolutions run. */
    public enum Convolutions {
        /** On a GPU as {@link #MEASURED}, on the CPU by the kernels. */
        AUTO,
        /** By cuDNN, and pooling with it. */
        CUDNN,
        /** By the hand-written kernels. */
        KERNELS,
        /** By cuDNN where that is clearly faster, which is measured once for each shape. */
        MEASURED
    }

    private final Device device;
    private final KernelModule module;
    private final int mostParts;
    private final Convolutions convolutions;
    private final Measurements measurements;

    /**
     * Shapes of one convolution with its pooling.
     *
     * @param batch images
     * @param rows of an image, even
     * @param columns of an image, even
     * @param in channels of the input
     * @param out channels of the output
     * @param window rows and columns of a filter, odd
     */
    public record Geometry(int batch, int rows, int columns, int in, int out, int window) {
        /**
         * @throws IllegalArgumentException if a size is not positive, the window is even, or an
         *     image's rows or columns are odd
         */
        public Geometry {
            if (batch < 1 || rows < 2 || columns < 2 || in < 1 || out < 1 || window < 1) {
                throw new IllegalArgumentException(
                        "no convolution has batch %d, %d x %d images, channels %d to %d, window %d"
                                .formatted(batch, rows, columns, in, out, window));
            }
            if (window % 2 == 0) {
                throw new IllegalArgumentException("padding 'same' needs an odd window, not " + window);
            }
            if (rows % 2 != 0 || columns % 2 != 0) {
                throw new IllegalArgumentException(
                        "pooling 2 x 2 needs images with even sides, not %d x %d".formatted(rows, columns));
            }
        }

        /** Elements of one input image. */
        public int inputs() {
            return rows * columns * in;
        }

        /** Elements of all filters. */
        public int weights() {
            return out * window * window * in;
        }

        /** Elements of one pooled output image. */
        public int outputs() {
            return rows / 2 * (columns / 2) * out;
        }

        /**
         * Multiplications and additions of a pass over images without background and gradients
         * without losers: the kernels, which leave those out, may be faster than such a product
         * could be.
         */
        private double operations() {
            return 2.0 * batch * rows * columns * weights();
        }
    }

    /**
     * What the halves of one convolution pass on and share.
     *
     * @param winners one byte per element of y: which of its four positions, row-major, the maximum
     *     came from, the first of equals
     * @param packed the filters, by tap
     * @param response of each tap to the background
     * @param base the convolution of the background alone
     * @param pooled its maxima
     * @param pooledWinners where they stood
     * @param shares of the parts of the batch in the filters' gradient
     * @param inactive gradients that meet the background, by tap
     */
    public record Memory(
            DeviceBuffer winners,
            DeviceBuffer packed,
            DeviceBuffer response,
            DeviceBuffer base,
            DeviceBuffer pooled,
            DeviceBuffer pooledWinners,
            DeviceBuffer shares,
            DeviceBuffer inactive) {}

    /** As {@link #Conv2d(Device, Convolutions, Measurements)}; nothing is known of times. */
    public Conv2d(Device device, Convolutions convolutions) {
        this(device, convolutions, new Measurements());
    }

    /**
     * Loads the kernels.
     *
     * @param measurements what is known of times, and is added to
     * @throws IllegalStateException if cuDNN is demanded and not there
     */
    public Conv2d(Device device, Convolutions convolutions, Measurements measurements) {
        this.device = device;
        this.measurements = measurements;
        module = device.module("conv2d");
        mostParts = device.isCpu() ? CPU_PARTS : GPU_PARTS;
        this.convolutions = convolutions;
        if (convolutions == Convolutions.CUDNN) {
            Availability<Dnn> cudnn = Dnn.availability(device);
            cudnn.library()
                    .orElseThrow(() ->
                            new IllegalStateException("convolutions by cuDNN are asked for, which cannot be used: "
                                    + cudnn.words() + "; ask for the kernels"));
        }
    }

    /**
     * What cuDNN computes a convolution and its pooling with, one operation after the other: y =
     * maxima(z), z = conv(x, w) + b. It knows no background: every pixel of x keeps its gradient.
     *
     * @param convolution in its three directions
     * @param pooling in its two
     * @param unpooledBytes of z, and of its gradient
     */
    public record ByCudnn(Dnn.Convolution convolution, Dnn.MaxPooling pooling, long unpooledBytes) {

        /** Bytes of a workspace. */
        public long workspaceBytes() {
            return Math.max(1, convolution.workspaceBytes());
        }

        /** z and y. */
        public Work forward(
                DeviceBuffer x,
                DeviceBuffer w,
                DeviceBuffer b,
                DeviceBuffer z,
                DeviceBuffer y,
                DeviceBuffer workspace) {
            return Work.sequence(
                    "convolution",
                    List.of(convolution.forward(x, w, z, workspace), convolution.addBias(b, z), pooling.forward(z, y)));
        }

        /**
         * dz is dy where the maxima stood, 0 elsewhere; then as for any convolution.
         *
         * @param dx null where it is not wanted; likewise dw and db
         */
        public Work backward(
                DeviceBuffer x,
                DeviceBuffer w,
                DeviceBuffer z,
                DeviceBuffer y,
                DeviceBuffer dy,
                DeviceBuffer dz,
                DeviceBuffer dx,
                DeviceBuffer dw,
                DeviceBuffer db,
                DeviceBuffer workspace) {
            List<Work> works = new ArrayList<>();
            works.add(pooling.backward(y, dy, z, dz));
            if (dx != null) {
                works.add(convolution.backwardData(w, dz, dx, workspace));
            }
            if (dw != null) {
                works.add(convolution.backwardFilter(x, dz, dw, workspace));
            }
            if (db != null) {
                works.add(convolution.backwardBias(dz, db));
            }
            return Work.sequence("convolution backward", works);
        }
    }

    /**
     * cuDNN's part, where cuDNN and not the kernels is to compute this shape, and has done so once.
     * This is the one place that decides who convolves. On the CPU the kernels do: forward and
     * backward of the tuples' two convolutions take them 4 ms for 200 images of lines, most of
     * which is background, and oneDNN 22 ms. cuDNN is opened by the first convolution that it may
     * compute.
     *
     * @param inputGradient whether the gradient of the input will be asked for
     * @param background whether most pixels equal one that is not 0
     * @throws IllegalStateException if cuDNN is demanded and does not compute it
     */
    public Optional<ByCudnn> byCudnn(Geometry s, boolean inputGradient, boolean background) {
        return switch (convolutions) {
            case CUDNN ->
                Optional.of(prepare(s, inputGradient)
                        .orElseThrow(() -> new IllegalStateException(
                                ("convolutions by cuDNN are asked for, and this one does not compute %s;"
                                                + " ask for the kernels")
                                        .formatted(s))));
            case KERNELS -> Optional.empty();
            case AUTO, MEASURED ->
                convolutions == Convolutions.AUTO && device.isCpu()
                        ? Optional.empty()
                        : measurements.faster(
                                device,
                                "conv2d %d x %d x %d x %d to %d, window %d%s%s"
                                        .formatted(
                                                s.batch,
                                                s.rows,
                                                s.columns,
                                                s.in,
                                                s.out,
                                                s.window,
                                                inputGradient ? ", input gradient" : "",
                                                background ? ", background" : ""),
                                "cuDNN",
                                () -> prepare(s, inputGradient),
                                scratch -> stepByKernels(s, inputGradient, background, scratch),
                                (cudnn, scratch) -> stepByCudnn(cudnn, s, inputGradient, scratch));
        };
    }

    private Optional<ByCudnn> prepare(Geometry s, boolean inputGradient) {
        int half = s.window / 2;
        Dnn.ConvolutionShape shape =
                new Dnn.ConvolutionShape(s.batch, s.rows, s.columns, s.in, s.out, s.window, s.window, half, half, 1);
        Dnn.PoolingShape pooled = new Dnn.PoolingShape(s.batch, s.rows, s.columns, s.out, 2, 2);
        return Dnn.of(device)
                .flatMap(found -> found.convolution(shape, inputGradient)
                        .flatMap(convolution -> found.maxPooling(pooled)
                                .map(pooling ->
                                        new ByCudnn(convolution, pooling, 4L * s.batch * s.outputs() * Float.BYTES))));
    }

    /** What a measurement computes with, forward and backward. */
    private record Operands(
            DeviceBuffer x,
            DeviceBuffer w,
            DeviceBuffer b,
            DeviceBuffer y,
            DeviceBuffer dy,
            DeviceBuffer dx,
            DeviceBuffer dw,
            DeviceBuffer db) {

        /**
         * Images of lines, a pixel that is not 0 in each column, since the kernels take the longer
         * the more there are of these.
         */
        static Operands of(Geometry s, boolean inputGradient, Measurements.Scratch scratch) {
            DeviceBuffer x = scratch.zeros((long) s.batch * s.inputs() * Float.BYTES);
            float[] images = new float[s.batch * s.inputs()];
            for (int image = 0; image < s.batch; image++) {
                for (int column = 0; column < s.columns; column++) {
                    int row = (image + column) % s.rows;
                    int pixel = (image * s.rows + row) * s.columns + column;
                    Arrays.fill(images, pixel * s.in, (pixel + 1) * s.in, 1);
                }
            }
            x.upload(images);
            float[] ones = new float[s.batch * s.outputs()];
            Arrays.fill(ones, 1);
            DeviceBuffer dy = scratch.zeros((long) ones.length * Float.BYTES);
            dy.upload(ones);
            return new Operands(
                    x,
                    scratch.zeros((long) s.weights() * Float.BYTES),
                    scratch.zeros((long) s.out * Float.BYTES),
                    scratch.like(dy),
                    dy,
                    inputGradient ? scratch.like(x) : null,
                    scratch.zeros((long) s.weights() * Float.BYTES),
                    scratch.zeros((long) s.out * Float.BYTES));
        }
    }

    private Work stepByKernels(Geometry s, boolean inputGradient, boolean background, Measurements.Scratch scratch) {
        Operands of = Operands.of(s, inputGradient, scratch);
        Memory memory = memory(s, scratch::zeros);
        DeviceBuffer dark = background ? scratch.zeros((long) s.in * Float.BYTES) : null;
        List<Work> works = new ArrayList<>();
        works.add(forward(s, of.x, dark, of.w, of.b, of.y, memory));
        if (inputGradient) {
            works.add(backwardData(s, of.x, dark, of.dy, memory, of.dx));
        }
        works.add(backwardFilter(s, of.x, dark, of.dy, memory, of.dw, of.db, scratch.like(dark)));
        return Work.sequence("convolution by the kernels", works);
    }

    private static Work stepByCudnn(ByCudnn cudnn, Geometry s, boolean inputGradient, Measurements.Scratch scratch) {
        Operands of = Operands.of(s, inputGradient, scratch);
        DeviceBuffer z = scratch.zeros(cudnn.unpooledBytes);
        DeviceBuffer workspace = scratch.zeros(cudnn.workspaceBytes());
        return Work.sequence(
                "convolution by cuDNN",
                List.of(
                        cudnn.forward(of.x, of.w, of.b, z, of.y, workspace),
                        cudnn.backward(of.x, of.w, z, of.y, of.dy, scratch.like(z), of.dx, of.dw, of.db, workspace)));
    }

    /**
     * The memory for a convolution.
     *
     * @param bytes allocates so many
     */
    public Memory memory(Geometry s, LongFunction<DeviceBuffer> bytes) {
        MemoryBytes need = memoryBytes(s);
        return new Memory(
                bytes.apply(need.winners),
                bytes.apply(need.packed),
                bytes.apply(need.response),
                bytes.apply(need.base),
                bytes.apply(need.pooled),
                bytes.apply(need.pooledWinners),
                bytes.apply(need.shares),
                bytes.apply(need.inactive));
    }

    /** Bytes of each part of a {@link Memory}. */
    private record MemoryBytes(
            long winners,
            long packed,
            long response,
            long base,
            long pooled,
            long pooledWinners,
            long shares,
            long inactive) {}

    private MemoryBytes memoryBytes(Geometry s) {
        long vector = (long) LANES * Float.BYTES;
        long slabs = (long) groups(s) * taps(s);
        long positions = (long) groups(s) * s.rows * s.columns;
        return new MemoryBytes(
                (long) s.batch * s.outputs(),
                vector * slabs * s.in,
                vector * slabs,
                vector * positions,
                vector * (positions / 4),
                positions / 4 * LANES,
                vector * parts(s) * slabs * (s.in + 1 + chunks(s)),
                vector * slabs * chunks(s));
    }

    /** The beginning of a launcher's checks: the memory, and what all three launchers read. */
    private Buffers buffers(String launcher, Geometry s, Memory memory, DeviceBuffer x, DeviceBuffer background) {
        MemoryBytes need = memoryBytes(s);
        return Buffers.of(launcher)
                .bytes("memory.winners", memory.winners, need.winners)
                .bytes("memory.packed", memory.packed, need.packed)
                .bytes("memory.response", memory.response, need.response)
                .bytes("memory.base", memory.base, need.base)
                .bytes("memory.pooled", memory.pooled, need.pooled)
                .bytes("memory.pooledWinners", memory.pooledWinners, need.pooledWinners)
                .bytes("memory.shares", memory.shares, need.shares)
                .bytes("memory.inactive", memory.inactive, need.inactive)
                .floats("x", x, s.batch, s.inputs())
                .floatsOrNull("background", background, s.in);
    }

    /**
     * y(batch, rows/2, columns/2, out) = the maxima of conv(x, w) + bias. Fills the memory for the
     * gradients with the same weights.
     */
    public Work forward(
            Geometry s,
            DeviceBuffer x,
            DeviceBuffer background,
            DeviceBuffer w,
            DeviceBuffer bias,
            DeviceBuffer y,
            Memory memory) {
        buffers("Conv2d.forward", s, memory, x, background)
                .floats("w", w, s.weights())
                .floats("bias", bias, s.out)
                .floats("y", y, s.batch, s.outputs());
        return Work.sequence(
                "conv2d_forward",
                List.of(
                        module.replicated("conv2d_pack")
                                .cooperative(
                                        Dim.of(taps(s), groups(s)),
                                        PACK_THREADS,
                                        s.in,
                                        s.out,
                                        w,
                                        background,
                                        memory.packed,
                                        memory.response),
                        module.replicated("conv2d_base")
                                .cooperative(
                                        Dim.of(s.rows / 2, groups(s)),
                                        SUM_THREADS,
                                        s.columns,
                                        s.out,
                                        s.window,
                                        bias,
                                        memory.response,
                                        memory.base,
                                        memory.pooled,
                                        memory.pooledWinners),
                        module.replicated("conv2d_pool_forward")
                                .cooperative(
                                        Dim.of(s.batch, groups(s)),
                                        IMAGE_THREADS,
                                        s.rows,
                                        s.columns,
                                        s.in,
                                        s.out,
                                        s.window,
                                        x,
                                        background,
                                        memory.packed,
                                        memory.base,
                                        memory.pooled,
                                        memory.pooledWinners,
                                        y,
                                        memory.winners)
                                .costing(s.operations())));
    }

    /** dx(batch, rows, columns, in) from dy(batch, rows/2, columns/2, out), after the forward. */
    public Work backwardData(
            Geometry s, DeviceBuffer x, DeviceBuffer background, DeviceBuffer dy, Memory memory, DeviceBuffer dx) {
        buffers("Conv2d.backwardData", s, memory, x, background)
                .floats("dy", dy, s.batch, s.outputs())
                .floats("dx", dx, s.batch, s.inputs());
        return module.replicated("conv2d_pool_backward_data")
                .cooperative(
                        Dim.of(s.batch),
                        IMAGE_THREADS,
                        s.rows,
                        s.columns,
                        s.in,
                        s.out,
                        s.window,
                        x,
                        background,
                        memory.packed,
                        dy,
                        memory.winners,
                        dx)
                .costing(s.operations());
    }

    /**
     * dw(out, window, window, in), dbias(out) and dbackground(in) from dy(batch, rows/2, columns/2,
     * out), after the forward.
     *
     * @param dbias null where it is not wanted
     * @param dbackground null where it is not wanted or there is no background
     */
    public Work backwardFilter(
            Geometry s,
            DeviceBuffer x,
            DeviceBuffer background,
            DeviceBuffer dy,
            Memory memory,
            DeviceBuffer dw,
            DeviceBuffer dbias,
            DeviceBuffer dbackground) {
        buffers("Conv2d.backwardFilter", s, memory, x, background)
                .floats("dy", dy, s.batch, s.outputs())
                .floats("dw", dw, s.weights())
                .floatsOrNull("dbias", dbias, s.out)
                .floatsOrNull("dbackground", dbackground, s.in);
        int parts = parts(s);
        List<Work> works = new ArrayList<>();
        works.add(module.replicated("conv2d_pool_backward_filter")
                .cooperative(
                        Dim.of(parts, groups(s)),
                        IMAGE_THREADS,
                        s.batch,
                        images(s),
                        s.rows,
                        s.columns,
                        s.in,
                        s.out,
                        s.window,
                        x,
                        background,
                        dy,
                        memory.winners,
                        memory.shares)
                .costing(s.operations()));
        works.add(module.replicated("conv2d_sum_shares")
                .cooperative(
                        Dim.of(taps(s), groups(s)),
                        SUM_THREADS,
                        parts,
                        s.in,
                        s.out,
                        background,
                        memory.shares,
                        dw,
                        dbias,
                        memory.inactive));
        if (dbackground != null) {
            works.add(module.replicated("conv2d_background_gradient")
                    .cooperative(
                            Dim.of(s.in),
                            PACK_THREADS,
                            groups(s) * taps(s),
                            memory.packed,
                            memory.inactive,
                            dbackground));
        }
        return Work.sequence("conv2d_backward_filter", works);
    }

    private static int taps(Geometry s) {
        return s.window * s.window;
    }

    private static int groups(Geometry s) {
        return Math.ceilDiv(s.out, LANES);
    }

    private static int chunks(Geometry s) {
        return Math.ceilDiv(s.in, LANES);
    }

    /** Images in each part of a batch but the last. */
    private int images(Geometry s) {
        return Math.ceilDiv(s.batch, mostParts);
    }

    private int parts(Geometry s) {
        return Math.ceilDiv(s.batch, images(s));
    }
}
