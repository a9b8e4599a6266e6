package plateau.cuda;

import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import jcuda.driver.CUcontext;
import jcuda.driver.CUctx_flags;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import plateau.cuda.load.CpuLevel;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.cuda.load.DeviceUnavailableException;
import plateau.cuda.load.JCudaLibrary;
import plateau.cuda.load.KernelImage;
import plateau.cuda.load.Libraries;
import plateau.cuda.load.LibrarySearch;
import plateau.cuda.trace.Trace;

/**
 * A device and its primary context, current on the thread that opened it. Close what was allocated
 * on it first.
 */
public final class Device implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Device.class.getName());

    /** Makes the handle's value readable. */
    private static final class Context extends CUcontext {
        long value() {
            return getNativePointer();
        }
    }

    private final Libraries libraries;
    private final DeviceOptions options;
    private final int ordinal;
    private final CUdevice device = new CUdevice();
    private final Context context = new Context();
    private final Timeline timeline = Timeline.current();
    private final String name;
    private final Map<String, KernelModule> modules = new HashMap<>();
    private final AtomicInteger buffers = new AtomicInteger();
    private final AtomicInteger pinned = new AtomicInteger();
    private final AtomicInteger streams = new AtomicInteger();
    private final AtomicInteger events = new AtomicInteger();
    private final AtomicInteger graphs = new AtomicInteger();
    private final Map<Class<?>, Resident> residents = new HashMap<>();
    private Availability<Blas> blas;
    private boolean saidNoBlas;
    private boolean saidNoMachineCode;
    private Transfers transfers;
    private volatile boolean closed;

    /** What a package above this one keeps on a device; closed with it. */
    public interface Resident extends AutoCloseable {
        @Override
        void close();

        /** A stream is about to be closed. */
        default void forget(Stream stream) {}
    }

    private Device(Libraries libraries, DeviceOptions options) {
        this.libraries = libraries;
        this.options = options;
        this.ordinal = options.selector().ordinal();
        try {
            JCudaLibrary.load("JCudaDriver", () -> JCudaDriver.setExceptionsEnabled(false));
        } catch (UnsatisfiedLinkError e) {
            throw DeviceUnavailableException.notLoaded(e);
        }
        CudaException.check("cuInit", JCudaDriver.cuInit(0));
        if (ordinal >= count()) {
            throw DeviceUnavailableException.noSuch(options.selector(), count());
        }
        CudaException.check("cuDeviceGet(" + ordinal + ")", JCudaDriver.cuDeviceGet(device, ordinal));
        byte[] bytes = new byte[256];
        CudaException.check("cuDeviceGetName", JCudaDriver.cuDeviceGetName(bytes, bytes.length, device));
        name = new String(bytes, java.nio.charset.StandardCharsets.UTF_8).split("\0", 2)[0].trim();
        // Waits take milliseconds here: a thread that spins meanwhile would take a core from
        // others.
        CudaException.check(
                "cuDevicePrimaryCtxSetFlags",
                JCudaDriver.cuDevicePrimaryCtxSetFlags(device, CUctx_flags.CU_CTX_SCHED_BLOCKING_SYNC));
        CudaException.check("cuDevicePrimaryCtxRetain", JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
        try {
            makeCurrent();
        } catch (RuntimeException e) {
            Releases.after(e, this::releaseContext);
            throw e;
        }
        Trace.nameContext(context.value(), (isCpu() ? "cpu:" : "cuda:") + ordinal + " " + name);
    }

    /**
     * Opens a device. The first one decides which driver this process uses.
     *
     * @throws DeviceUnavailableException if it is not there
     * @throws CudaException if the driver fails
     * @throws IllegalArgumentException as {@link Environment#check} does, on the CPU driver
     */
    public static Device open(DeviceOptions options) {
        Libraries libraries = Libraries.choose(options);
        if (libraries.kind() == DeviceSelector.Kind.CPU) {
            Environment.check();
        }
        return new Device(libraries, options);
    }

    /** Its name, and for {@code auto} why it was chosen. */
    public String description() {
        String where = isCpu() ? count() == 1 ? "" : "cpu:" + ordinal + " " : "cuda:" + ordinal + " ";
        return where
                + name
                + (options.selector().kind() == DeviceSelector.Kind.AUTO
                        ? ", chosen because " + libraries.reason()
                        : "");
    }

    /** The device's name as the driver gives it. */
    public String name() {
        return name;
    }

    /**
     * What decides the bits of a result: the device's name, or on the CPU driver the instruction
     * set that its kernels are compiled for. Results of devices that differ in it agree within
     * float tolerance alone.
     */
    public String arithmetic() {
        return isCpu() ? "CPU kernels for " + CpuLevel.ofThisMachine() : name;
    }

    /** Whether this project's CPU driver runs it; for messages. */
    public boolean isCpu() {
        return libraries.kind() == DeviceSelector.Kind.CPU;
    }

    /** Devices of its kind. */
    private static int count() {
        int[] count = new int[1];
        CudaException.check("cuDeviceGetCount", JCudaDriver.cuDeviceGetCount(count));
        return count[0];
    }

    /** Index among the devices of its kind. */
    public int ordinal() {
        return ordinal;
    }

    /** An attribute by its CUdevice_attribute number. */
    public int attribute(int which) {
        int[] value = new int[1];
        CudaException.check(
                "cuDeviceGetAttribute(" + which + ")", JCudaDriver.cuDeviceGetAttribute(value, which, device));
        return value[0];
    }

    /** Multiprocessors; on the CPU driver the threads that share a kernel's blocks. */
    public int multiprocessorCount() {
        return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    }

    /** The device's limit on threads in a block. */
    public int maxThreadsPerBlock() {
        return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
    }

    /** Bytes of the cache that all multiprocessors share; 0 on the CPU driver. */
    public int level2CacheBytes() {
        return isCpu() ? 0 : attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
    }

    /** Bytes of device memory. */
    public long totalMemory() {
        long[] bytes = new long[1];
        CudaException.check("cuDeviceTotalMem", JCudaDriver.cuDeviceTotalMem(bytes, device));
        return bytes[0];
    }

    /** Bytes of device memory that nothing has allocated. */
    public long freeMemory() {
        long[] free = new long[1];
        within(() -> CudaException.check("cuMemGetInfo", JCudaDriver.cuMemGetInfo(free, new long[1])));
        return free[0];
    }

    /** The CUDA version the driver supports, as 12060 for 12.6. */
    public int driverVersion() {
        int[] version = new int[1];
        CudaException.check("cuDriverGetVersion", JCudaDriver.cuDriverGetVersion(version));
        return version[0];
    }

    /** Makes the context current on the calling thread, for launches and replays there. */
    public void makeCurrent() {
        CudaException.check("cuCtxSetCurrent", JCudaDriver.cuCtxSetCurrent(context));
    }

    /** Does it with the context current, and leaves to the thread the one that it had. */
    public <T> T within(Supplier<T> action) {
        CudaException.check("cuCtxPushCurrent", JCudaDriver.cuCtxPushCurrent(context));
        try (Releases.Release _ = Device::popContext) { // whose failure does not hide the action's
            return action.get();
        }
    }

    /** As {@link #within(Supplier)}, for what has no result. */
    public void within(Runnable action) {
        within(() -> {
            action.run();
            return null;
        });
    }

    private static void popContext() {
        CudaException.check("cuCtxPopCurrent", JCudaDriver.cuCtxPopCurrent(new CUcontext()));
    }

    /** Memory of that many bytes, content undefined. */
    public DeviceBuffer allocate(long bytes) {
        requireOpen();
        DeviceBuffer buffer = DeviceBuffer.allocate(this, bytes);
        buffers.incrementAndGet();
        return buffer;
    }

    /** Memory with these values. */
    public DeviceBuffer upload(float... values) {
        DeviceBuffer buffer = allocate(Math.max(1, (long) values.length) * Float.BYTES);
        try {
            buffer.upload(values);
        } catch (RuntimeException e) {
            Releases.after(e, buffer::close);
            throw e;
        }
        return buffer;
    }

    /** Memory with these values. */
    public DeviceBuffer upload(int... values) {
        DeviceBuffer buffer = allocate(Math.max(1, (long) values.length) * Integer.BYTES);
        try {
            buffer.upload(values);
        } catch (RuntimeException e) {
            Releases.after(e, buffer::close);
            throw e;
        }
        return buffer;
    }

    /** Memory with these values. */
    public DeviceBuffer upload(long... values) {
        DeviceBuffer buffer = allocate(Math.max(1, (long) values.length) * Long.BYTES);
        try {
            buffer.upload(values);
        } catch (RuntimeException e) {
            Releases.after(e, buffer::close);
            throw e;
        }
        return buffer;
    }

    /** Page-locked host memory. */
    public PinnedBuffer allocatePinned(long bytes) {
        requireOpen();
        PinnedBuffer buffer = new PinnedBuffer(this, bytes);
        pinned.incrementAndGet();
        return buffer;
    }

    /** A new stream. */
    public Stream createStream() {
        requireOpen();
        return new Stream(this);
    }

    /** A new event. */
    public Event createEvent() {
        requireOpen();
        Event event = new Event(this);
        events.incrementAndGet();
        return event;
    }

    /**
     * The kernels of one file, loaded once and unloaded with the device.
     *
     * @param module path of the kernel file without its ending, for example {@code data/parity}
     */
    public synchronized KernelModule module(String module) {
        requireOpen();
        return modules.computeIfAbsent(module, this::loadModule);
    }

    private KernelModule loadModule(String module) {
        return loadImages(module, libraries.images(module, options.images()));
    }

    /**
     * Loads a module from the first of these images that fits the driver and the device; that one
     * does not is logged once.
     *
     * @throws CudaException if none does
     */
    KernelModule loadImages(String module, List<Supplier<byte[]>> images) {
        for (Supplier<byte[]> image : images.subList(0, images.size() - 1)) {
            try {
                return loadImage(module, image.get());
            } catch (CudaException e) {
                if (!e.saysThatTheImageDoesNotFit()) {
                    throw e;
                }
                sayThatItDoesNotFit(e);
            }
        }
        return loadImage(module, images.getLast().get());
    }

    private void sayThatItDoesNotFit(CudaException e) {
        if (!saidNoMachineCode) {
            saidNoMachineCode = true;
            LOG.log(
                    Logger.Level.INFO,
                    "the driver (CUDA {0}.{1}) does not take the machine code of this build ({2}): it compiles the PTX",
                    driverVersion() / 1000,
                    driverVersion() % 1000 / 10,
                    CUresult.stringFor(e.code()));
        }
    }

    /** Loads a module from an image in memory, in place of the one this program brings. */
    KernelModule loadImage(String module, byte[] image) {
        KernelImage.requireWhole(module, image);
        return KernelModule.load(this, module, image);
    }

    /** cuBLAS, or why there is none; loaded when it is first asked for. */
    public synchronized Availability<Blas> cublas() {
        requireOpen();
        if (blas == null) {
            blas = Blas.open(this, libraries);
        }
        return blas;
    }

    /** cuBLAS, for those who can do without it: its absence is logged once. */
    public synchronized Optional<Blas> blas() {
        Availability<Blas> found = cublas();
        if (found.library().isEmpty() && !saidNoBlas) {
            saidNoBlas = true;
            LOG.log(
                    Logger.Level.INFO,
                    "no cuBLAS ({0}): the hand-written kernels do all matrix products",
                    found.words());
        }
        return found.library();
    }

    /** Loads the cuDNN that goes with the driver in use, or the one that is named. */
    public Availability<Path> loadCudnn() {
        LibrarySearch found = libraries.loadCudnn();
        return new Availability<>(found.file(), found.words());
    }

    /** The device's one object of that type, made when it is first asked for. */
    public synchronized <T extends Resident> T resident(Class<T> type, Supplier<T> make) {
        requireOpen();
        return type.cast(residents.computeIfAbsent(type, _ -> make.get()));
    }

    /** Gives back what is kept for a stream that is about to be closed. */
    void forget(Stream stream) {
        List<Runnable> all = new ArrayList<>();
        synchronized (this) {
            if (blas != null) {
                blas.library().ifPresent(open -> all.add(() -> open.forget(stream)));
            }
            residents.values().forEach(resident -> all.add(() -> resident.forget(stream)));
        }
        Releases.all(all);
    }

    /** Writes values to device memory; what is enqueued afterwards sees them. */
    void upload(long address, MemorySegment values) {
        within(() -> transfers().upload(address, values));
    }

    private synchronized Transfers transfers() {
        requireOpen();
        if (transfers == null) {
            transfers = new Transfers(this);
        }
        return transfers;
    }

    /**
     * Waits for all work on the device.
     *
     * @throws CudaException where a stream of the device is capturing, on whichever thread; the
     *     capture is spoilt, too
     */
    public void synchronize() {
        within(() -> CudaException.check("cuCtxSynchronize", JCudaDriver.cuCtxSynchronize()));
    }

    /** What has not been closed. */
    public LiveObjects live() {
        return new LiveObjects(buffers.get(), pinned.get(), streams.get(), events.get(), graphs.get());
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the device has been closed");
        }
    }

    AtomicInteger buffers() {
        return buffers;
    }

    AtomicInteger pinned() {
        return pinned;
    }

    AtomicInteger streams() {
        return streams;
    }

    AtomicInteger events() {
        return events;
    }

    AtomicInteger graphs() {
        return graphs;
    }

    private void releaseContext() {
        CudaException.check("cuDevicePrimaryCtxRelease", JCudaDriver.cuDevicePrimaryCtxRelease(device));
    }

    /** Unloads the modules and gives the context back. Closing twice does nothing. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        List<Runnable> all = new ArrayList<>();
        if (timeline != null) {
            all.add(this::synchronize);
            all.add(() -> timeline.read(this));
        }
        if (transfers != null) {
            all.add(transfers::close);
        }
        residents.values().forEach(resident -> all.add(resident::close));
        if (blas != null) {
            blas.library().ifPresent(open -> all.add(open::close));
        }
        modules.values().forEach(module -> all.add(module::unload));
        all.replaceAll(release -> () -> within(release));
        all.add(this::releaseContext);
        residents.clear();
        modules.clear();
        Releases.all(all);
    }
}
