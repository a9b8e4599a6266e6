package plateau.cudnn;

import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import plateau.cuda.Availability;
import plateau.cuda.Cost;
import plateau.cuda.CudaException;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.HandlePool;
import plateau.cuda.Releases;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.cuda.trace.Category;
import plateau.cuda.trace.Range;
import plateau.cuda.trace.Trace;
import plateau.cudnn.bindings.CuDnn;

/**
 * Two-dimensional convolutions and max-pooling by cuDNN, in float32. Batches are channels-last,
 * (batch, rows, columns, channels); filters are (out, rows, columns, in). Only algorithms that give
 * the same bits at every run are used. One per device, closed with it together with all
 * descriptors.
 */
public final class Dnn {
    private static final Logger LOG = System.getLogger(Dnn.class.getName());

    /**
     * Statuses from here to 3999 say that the library does not compute this, not that the call was
     * wrong.
     */
    private static final int NOT_SUPPORTED_CATEGORY = CuDnn.CUDNN_STATUS_NOT_SUPPORTED() / 1000;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment one = arena.allocateFrom(CuDnn.C_FLOAT, 1);
    private final MemorySegment zero = arena.allocateFrom(CuDnn.C_FLOAT, 0);
    private final Device device;
    private final HandlePool<MemorySegment> handles = new HandlePool<>(Dnn::createHandle, Dnn::attach, Dnn::destroy);
    /** For what has no stream. */
    private final MemorySegment queries;

    private final long version;
    private final Deque<Runnable> descriptors = new ArrayDeque<>();
    private final Map<Wanted, Optional<Convolution>> convolutions = new HashMap<>();
    private final Map<PoolingShape, Optional<MaxPooling>> poolings = new HashMap<>();

    private record Wanted(ConvolutionShape shape, boolean inputGradient) {}

    /** What a device keeps: cuDNN, or that there is none. */
    private static final class Resident implements Device.Resident {
        private final Availability<Dnn> dnn;
        private boolean saidNone;

        Resident(Availability<Dnn> dnn) {
            this.dnn = dnn;
        }

        @Override
        public void close() {
            dnn.library().ifPresent(Dnn::close);
        }

        @Override
        public void forget(Stream stream) {
            dnn.library().ifPresent(open -> open.handles.forget(stream));
        }
    }

    private Dnn(Device device) {
        this.device = device;
        version = CuDnn.cudnnGetVersion();
        queries = createHandle();
    }

    private static MemorySegment createHandle() {
        return create("cudnnCreate", CuDnn::cudnnCreate);
    }

    private static void attach(MemorySegment handle, Stream stream) {
        check("cudnnSetStream", CuDnn.cudnnSetStream(handle, MemorySegment.ofAddress(stream.handle())));
    }

    private static void destroy(MemorySegment handle) {
        check("cudnnDestroy", CuDnn.cudnnDestroy(handle));
    }

    /** The device's cuDNN, or why there is none; loaded when it is first asked for. */
    public static Availability<Dnn> availability(Device device) {
        return resident(device).dnn;
    }

    /** The device's cuDNN, for those who can do without it: its absence is logged once. */
    public static Optional<Dnn> of(Device device) {
        Resident resident = resident(device);
        synchronized (resident) {
            if (resident.dnn.library().isEmpty() && !resident.saidNone) {
                resident.saidNone = true;
                LOG.log(
                        Logger.Level.INFO,
                        "no cuDNN ({0}): the hand-written kernels do all convolutions",
                        resident.dnn.words());
            }
        }
        return resident.dnn.library();
    }

    private static Resident resident(Device device) {
        return device.resident(Resident.class, () -> new Resident(device.within(() -> open(device))));
    }

    private static Availability<Dnn> open(Device device) {
        Availability<Path> found = device.loadCudnn();
        if (found.library().isEmpty()) {
            return Availability.none(found.words());
        }
        try {
            return new Availability<>(Optional.of(new Dnn(device)), found.words());
        } catch (ExceptionInInitializerError e) {
            return Availability.none(found.words(), Objects.requireNonNullElse(e.getCause(), e));
        } catch (UnsatisfiedLinkError | IllegalArgumentException | CudaException e) {
            return Availability.none(found.words(), e);
        }
    }

    /** cuDNN's version number: 90501 is 9.5.1. */
    public long version() {
        return version;
    }

    /**
     * A convolution, as networks use the word: cross-correlation.
     *
     * @param batch images
     * @param rows of an image
     * @param columns of an image
     * @param in channels of the input
     * @param out channels of the output
     * @param windowRows of a filter
     * @param windowColumns of a filter
     * @param padRows rows of zeros above and below
     * @param padColumns columns of zeros on either side
     * @param stride rows, and columns, from one output to the next
     */
    public record ConvolutionShape(
            int batch,
            int rows,
            int columns,
            int in,
            int out,
            int windowRows,
            int windowColumns,
            int padRows,
            int padColumns,
            int stride) {
        /** Rows of an output image. */
        public int outRows() {
            return (rows + 2 * padRows - windowRows) / stride + 1;
        }

        /** Columns of an output image. */
        public int outColumns() {
            return (columns + 2 * padColumns - windowColumns) / stride + 1;
        }

        /** Multiplications and additions of each direction, those with padding included. */
        private double operations() {
            return 2.0 * batch * outRows() * outColumns() * out * windowRows * windowColumns * in;
        }
    }

    /**
     * Max-pooling without padding.
     *
     * @param batch images
     * @param rows of an image
     * @param columns of an image
     * @param channels of both
     * @param window rows, and columns, of which the maximum is taken
     * @param stride rows, and columns, from one window to the next
     */
    public record PoolingShape(int batch, int rows, int columns, int channels, int window, int stride) {}

    /**
     * The convolution prepared, or nothing where this cuDNN does not compute it; one log line says
     * why. A library may say that it computes a shape and refuse to when it is asked to: each call
     * is made once, on memory that is given back.
     *
     * @param inputGradient whether the gradient of the input will be asked for, too
     * @throws CudaException if a descriptor is refused, or a call for another reason
     */
    public synchronized Optional<Convolution> convolution(ConvolutionShape shape, boolean inputGradient) {
        return convolutions.computeIfAbsent(
                new Wanted(shape, inputGradient),
                _ -> whereComputed(shape, () -> {
                    Convolution convolution = new Convolution(shape, inputGradient);
                    convolution.attempt(shape, inputGradient);
                    return convolution;
                }));
    }

    /** Max-pooling, prepared; or nothing, as above. */
    public synchronized Optional<MaxPooling> maxPooling(PoolingShape shape) {
        return poolings.computeIfAbsent(
                shape,
                _ -> whereComputed(shape, () -> {
                    MaxPooling pooling = new MaxPooling(shape);
                    pooling.attempt(shape);
                    return pooling;
                }));
    }

    private <T> Optional<T> whereComputed(Record shape, Supplier<T> prepare) {
        try {
            return Optional.of(prepare.get());
        } catch (CudaException e) {
            if (!isNotSupported(e)) {
                throw e;
            }
            LOG.log(
                    Logger.Level.INFO,
                    "cuDNN {0} does not compute {1} ({2}): the hand-written kernels do",
                    version,
                    shape,
                    e.getMessage());
            return Optional.empty();
        }
    }

    private static boolean isNotSupported(CudaException e) {
        return e.code() / 1000 == NOT_SUPPORTED_CATEGORY;
    }

    /** Runs works on memory of so many bytes each, and gives all of it back. */
    private void attempt(List<Long> bytes, Function<List<DeviceBuffer>, List<Work>> works) {
        List<Runnable> releases = new ArrayList<>();
        try (Releases.Release _ = () -> Releases.all(releases.reversed())) {
            List<DeviceBuffer> memory = new ArrayList<>();
            for (long size : bytes) {
                DeviceBuffer buffer = device.allocate(Math.max(1, size));
                releases.add(buffer::close);
                memory.add(buffer);
            }
            Stream stream = device.createStream();
            releases.add(stream::close);
            device.within(() -> {
                works.apply(memory).forEach(work -> work.enqueue(stream));
                stream.synchronize();
            });
        }
    }

    /**
     * The three directions of a convolution, with their descriptors. Works on different streams
     * need workspaces of their own.
     */
    public final class Convolution {
        // Deterministic ones: of the algorithms that take channels-last float32 at any shape, the
        // other backward ones add with atomics in no fixed order.
        private static final int FORWARD = CuDnn.CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM();
        private static final int BACKWARD_DATA = CuDnn.CUDNN_CONVOLUTION_BWD_DATA_ALGO_1();
        private static final int BACKWARD_FILTER = CuDnn.CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1();

        private final MemorySegment input;
        private final MemorySegment output;
        private final MemorySegment filter;
        private final MemorySegment bias;
        private final MemorySegment convolution;
        private final long workspaceBytes;
        private final double operations;
        private CudaException noInputGradient;

        private Convolution(ConvolutionShape s, boolean inputGradient) {
            operations = s.operations();
            input = tensor(s.batch, s.rows, s.columns, s.in);
            output = tensor(s.batch, s.outRows(), s.outColumns(), s.out);
            bias = tensor(1, 1, 1, s.out);
            filter = own(
                    "cudnnCreateFilterDescriptor",
                    CuDnn::cudnnCreateFilterDescriptor,
                    "cudnnDestroyFilterDescriptor",
                    CuDnn::cudnnDestroyFilterDescriptor);
            check(
                    "cudnnSetFilter4dDescriptor",
                    CuDnn.cudnnSetFilter4dDescriptor(
                            filter,
                            CuDnn.CUDNN_DATA_FLOAT(),
                            CuDnn.CUDNN_TENSOR_NHWC(),
                            s.out,
                            s.in,
                            s.windowRows,
                            s.windowColumns));
            convolution = own(
                    "cudnnCreateConvolutionDescriptor",
                    CuDnn::cudnnCreateConvolutionDescriptor,
                    "cudnnDestroyConvolutionDescriptor",
                    CuDnn::cudnnDestroyConvolutionDescriptor);
            check(
                    "cudnnSetConvolution2dDescriptor",
                    CuDnn.cudnnSetConvolution2dDescriptor(
                            convolution,
                            s.padRows,
                            s.padColumns,
                            s.stride,
                            s.stride,
                            1,
                            1,
                            CuDnn.CUDNN_CROSS_CORRELATION(),
                            CuDnn.CUDNN_DATA_FLOAT()));
            // The default would let GPUs from sm_80 on round the factors to TF32's ten bits.
            check(
                    "cudnnSetConvolutionMathType",
                    CuDnn.cudnnSetConvolutionMathType(convolution, CuDnn.CUDNN_FMA_MATH()));
            workspaceBytes = Math.max(
                    size(
                            "cudnnGetConvolutionForwardWorkspaceSize",
                            bytes -> CuDnn.cudnnGetConvolutionForwardWorkspaceSize(
                                    queries, input, filter, convolution, output, FORWARD, bytes)),
                    Math.max(
                            backwardDataWorkspaceBytes(inputGradient),
                            size(
                                    "cudnnGetConvolutionBackwardFilterWorkspaceSize",
                                    bytes -> CuDnn.cudnnGetConvolutionBackwardFilterWorkspaceSize(
                                            queries, input, output, convolution, filter, BACKWARD_FILTER, bytes))));
        }

        /** What is not wanted may be refused. */
        private long backwardDataWorkspaceBytes(boolean wanted) {
            try {
                return size(
                        "cudnnGetConvolutionBackwardDataWorkspaceSize",
                        bytes -> CuDnn.cudnnGetConvolutionBackwardDataWorkspaceSize(
                                queries, filter, output, convolution, input, BACKWARD_DATA, bytes));
            } catch (CudaException e) {
                if (wanted || !isNotSupported(e)) {
                    throw e;
                }
                noInputGradient = e;
                return 0;
            }
        }

        private void attempt(ConvolutionShape s, boolean inputGradient) {
            long x = Float.BYTES * (long) s.batch * s.rows * s.columns * s.in;
            long z = Float.BYTES * (long) s.batch * s.outRows() * s.outColumns() * s.out;
            long w = Float.BYTES * (long) s.out * s.windowRows * s.windowColumns * s.in;
            long b = Float.BYTES * (long) s.out;
            Dnn.this.attempt(List.of(x, z, w, b, workspaceBytes, inputGradient ? x : 0), memory -> {
                DeviceBuffer bias = memory.get(3), scratch = workspaceBytes == 0 ? null : memory.get(4);
                List<Work> works = new ArrayList<>(List.of(
                        forward(memory.get(0), memory.get(2), memory.get(1), scratch),
                        addBias(bias, memory.get(1)),
                        backwardFilter(memory.get(0), memory.get(1), memory.get(2), scratch),
                        backwardBias(memory.get(1), bias)));
                if (inputGradient) {
                    works.add(backwardData(memory.get(2), memory.get(1), memory.get(5), scratch));
                }
                return works;
            });
        }

        /** Bytes of scratch memory that each direction may use while it runs; may be 0. */
        public long workspaceBytes() {
            return workspaceBytes;
        }

        /**
         * z = conv(x, w).
         *
         * @param workspace at least {@link #workspaceBytes()}; null where that is 0
         */
        public Work forward(DeviceBuffer x, DeviceBuffer w, DeviceBuffer z, DeviceBuffer workspace) {
            MemorySegment px = pointer(x), pw = pointer(w), pz = pointer(z), ps = pointer(workspace);
            return new Call(
                    "cudnnConvolutionForward",
                    operations,
                    handle -> CuDnn.cudnnConvolutionForward(
                            handle,
                            one,
                            input,
                            px,
                            filter,
                            pw,
                            convolution,
                            FORWARD,
                            ps,
                            workspaceBytes,
                            zero,
                            output,
                            pz),
                    x,
                    w,
                    z,
                    workspace);
        }

        /** z += bias, for each channel. */
        public Work addBias(DeviceBuffer bias, DeviceBuffer z) {
            MemorySegment pb = pointer(bias), pz = pointer(z);
            return new Call(
                    "cudnnAddTensor",
                    0,
                    handle -> CuDnn.cudnnAddTensor(handle, one, this.bias, pb, one, output, pz),
                    bias,
                    z);
        }

        /**
         * dx from dz; workspace as in {@link #forward}.
         *
         * @throws CudaException if cuDNN does not compute it, where it was not said to be wanted
         */
        public Work backwardData(DeviceBuffer w, DeviceBuffer dz, DeviceBuffer dx, DeviceBuffer workspace) {
            if (noInputGradient != null) {
                throw noInputGradient;
            }
            MemorySegment pw = pointer(w), pdz = pointer(dz), pdx = pointer(dx), ps = pointer(workspace);
            return new Call(
                    "cudnnConvolutionBackwardData",
                    operations,
                    handle -> CuDnn.cudnnConvolutionBackwardData(
                            handle,
                            one,
                            filter,
                            pw,
                            output,
                            pdz,
                            convolution,
                            BACKWARD_DATA,
                            ps,
                            workspaceBytes,
                            zero,
                            input,
                            pdx),
                    w,
                    dz,
                    dx,
                    workspace);
        }

        /** dw from dz; workspace as in {@link #forward}. */
        public Work backwardFilter(DeviceBuffer x, DeviceBuffer dz, DeviceBuffer dw, DeviceBuffer workspace) {
            MemorySegment px = pointer(x), pdz = pointer(dz), pdw = pointer(dw), ps = pointer(workspace);
            return new Call(
                    "cudnnConvolutionBackwardFilter",
                    operations,
                    handle -> CuDnn.cudnnConvolutionBackwardFilter(
                            handle,
                            one,
                            input,
                            px,
                            output,
                            pdz,
                            convolution,
                            BACKWARD_FILTER,
                            ps,
                            workspaceBytes,
                            zero,
                            filter,
                            pdw),
                    x,
                    dz,
                    dw,
                    workspace);
        }

        /** dbias(out) = the sums of dz over images, rows and columns. */
        public Work backwardBias(DeviceBuffer dz, DeviceBuffer dbias) {
            MemorySegment pdz = pointer(dz), pdb = pointer(dbias);
            return new Call(
                    "cudnnConvolutionBackwardBias",
                    0,
                    handle -> CuDnn.cudnnConvolutionBackwardBias(handle, one, output, pdz, zero, bias, pdb),
                    dz,
                    dbias);
        }
    }

    /** Both directions of max-pooling, with their descriptors. NaN is passed on. */
    public final class MaxPooling {
        private final MemorySegment input;
        private final MemorySegment output;
        private final MemorySegment pooling;

        private MaxPooling(PoolingShape s) {
            input = tensor(s.batch, s.rows, s.columns, s.channels);
            output = tensor(
                    s.batch, (s.rows - s.window) / s.stride + 1, (s.columns - s.window) / s.stride + 1, s.channels);
            pooling = own(
                    "cudnnCreatePoolingDescriptor",
                    CuDnn::cudnnCreatePoolingDescriptor,
                    "cudnnDestroyPoolingDescriptor",
                    CuDnn::cudnnDestroyPoolingDescriptor);
            check(
                    "cudnnSetPooling2dDescriptor",
                    CuDnn.cudnnSetPooling2dDescriptor(
                            pooling,
                            CuDnn.CUDNN_POOLING_MAX_DETERMINISTIC(),
                            CuDnn.CUDNN_PROPAGATE_NAN(),
                            s.window,
                            s.window,
                            0,
                            0,
                            s.stride,
                            s.stride));
        }

        private void attempt(PoolingShape s) {
            long z = Float.BYTES * (long) s.batch * s.rows * s.columns * s.channels;
            Dnn.this.attempt(
                    List.of(z, z, z, z),
                    memory -> List.of(
                            forward(memory.get(0), memory.get(1)),
                            backward(memory.get(1), memory.get(2), memory.get(0), memory.get(3))));
        }

        /** y = the maxima of z's windows. */
        public Work forward(DeviceBuffer z, DeviceBuffer y) {
            MemorySegment pz = pointer(z), py = pointer(y);
            return new Call(
                    "cudnnPoolingForward",
                    0,
                    handle -> CuDnn.cudnnPoolingForward(handle, pooling, one, input, pz, zero, output, py),
                    z,
                    y);
        }

        /** dz: each dy at the place its maximum came from, 0 elsewhere. */
        public Work backward(DeviceBuffer y, DeviceBuffer dy, DeviceBuffer z, DeviceBuffer dz) {
            MemorySegment py = pointer(y), pdy = pointer(dy), pz = pointer(z), pdz = pointer(dz);
            return new Call(
                    "cudnnPoolingBackward",
                    0,
                    handle -> CuDnn.cudnnPoolingBackward(
                            handle, pooling, one, output, py, output, pdy, input, pz, zero, input, pdz),
                    y,
                    dy,
                    z,
                    dz);
        }
    }

    private interface Status {
        int of(MemorySegment handle);
    }

    /** One call on the memory it was prepared with. */
    private final class Call implements Work {
        private final String name;
        private final double operations;
        private final Status call;
        private final DeviceBuffer[] memory;

        private Call(String name, double operations, Status call, DeviceBuffer... memory) {
            this.name = name;
            this.operations = operations;
            this.call = call;
            this.memory = memory;
            if (Arrays.stream(memory).anyMatch(buffer -> buffer != null && buffer.replicaCount() > 1)) {
                throw new IllegalArgumentException(name + " works on one run's memory, not on replicas");
            }
        }

        @Override
        public boolean inReplicas() {
            return false;
        }

        @Override
        public void enqueue(Stream stream) {
            for (DeviceBuffer buffer : memory) {
                if (buffer != null) {
                    buffer.requireOpen(name);
                }
            }
            MemorySegment handle = handles.of(stream);
            stream.before();
            try (Range _ = Trace.open(Category.LIBRARY, name)) {
                check(name, call.of(handle));
            }
            stream.after(this);
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public Cost cost() {
            return new Cost(
                    operations,
                    Arrays.stream(memory)
                            .filter(Objects::nonNull)
                            .mapToLong(DeviceBuffer::bytes)
                            .sum());
        }
    }

    private static MemorySegment pointer(DeviceBuffer buffer) {
        return buffer == null ? MemorySegment.NULL : MemorySegment.ofAddress(buffer.address());
    }

    private MemorySegment tensor(int batch, int rows, int columns, int channels) {
        MemorySegment tensor = own(
                "cudnnCreateTensorDescriptor",
                CuDnn::cudnnCreateTensorDescriptor,
                "cudnnDestroyTensorDescriptor",
                CuDnn::cudnnDestroyTensorDescriptor);
        check(
                "cudnnSetTensor4dDescriptor",
                CuDnn.cudnnSetTensor4dDescriptor(
                        tensor, CuDnn.CUDNN_TENSOR_NHWC(), CuDnn.CUDNN_DATA_FLOAT(), batch, channels, rows, columns));
        return tensor;
    }

    private static MemorySegment create(String call, ToIntFunction<MemorySegment> create) {
        try (Arena local = Arena.ofConfined()) {
            MemorySegment out = local.allocate(CuDnn.C_POINTER);
            check(call, create.applyAsInt(out));
            return MemorySegment.ofAddress(out.get(CuDnn.C_POINTER, 0).address());
        }
    }

    /** A descriptor that is destroyed with this object. */
    private MemorySegment own(
            String create,
            ToIntFunction<MemorySegment> creator,
            String destroy,
            ToIntFunction<MemorySegment> destroyer) {
        MemorySegment descriptor = create(create, creator);
        descriptors.push(() -> check(destroy, destroyer.applyAsInt(descriptor)));
        return descriptor;
    }

    private static long size(String call, ToIntFunction<MemorySegment> query) {
        try (Arena local = Arena.ofConfined()) {
            MemorySegment bytes = local.allocate(CuDnn.C_LONG);
            check(call, query.applyAsInt(bytes));
            return bytes.get(CuDnn.C_LONG, 0);
        }
    }

    private static void check(String call, int status) {
        if (status != CuDnn.CUDNN_STATUS_SUCCESS()) {
            throw new CudaException(
                    call, status, CuDnn.cudnnGetErrorString(status).getString(0), "");
        }
    }

    private synchronized void close() {
        List<Runnable> all = new ArrayList<>(descriptors);
        all.add(handles::close);
        all.add(() -> destroy(queries));
        all.add(arena::close);
        descriptors.clear();
        Releases.all(all);
    }
}
