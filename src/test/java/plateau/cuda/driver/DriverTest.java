package plateau.cuda.driver;

import static jcuda.driver.JCudaDriver.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntSupplier;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUctx_flags;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstreamCaptureStatus;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import plateau.cuda.load.CpuLevel;
import plateau.cuda.load.NativeFiles;
import plateau.reference.Faults;
import plateau.reference.LoadedImages;

/**
 * The CPU driver through JCuda, as any CUDA program sees it: what works, and each thing it refuses
 * with the code that NVIDIA documents.
 */
@Isolated
class DriverTest {
    private static SymbolLookup library;

    private final CUdevice device = new CUdevice();
    private final CUcontext context = new CUcontext();
    private CUmodule module;
    private CUstream stream;

    @BeforeAll
    static void load() {
        Path path = NativeFiles.library("libcuda.so.1").toAbsolutePath();
        System.load(path.toString());
        library = SymbolLookup.libraryLookup(path, Arena.global());
        JCudaDriver.setExceptionsEnabled(false);
    }

    @BeforeEach
    void open() throws IOException {
        ok(cuInit(0));
        ok(cuDeviceGet(device, 0));
        ok(cuCtxCreate(context, 0, device));
        module = load("optimizer");
        stream = new CUstream();
        ok(cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    }

    @AfterEach
    void close() throws Throwable {
        Faults.clear();
        cuCtxDestroy(context);
        assertArrayEquals(
                new int[7],
                liveObjects(),
                "device memory, pinned memory, modules, streams, events, graphs, executable graphs");
    }

    private static void ok(int status) {
        is(CUresult.CUDA_SUCCESS, status);
    }

    private static void is(int expected, int status) {
        assertEquals(CUresult.stringFor(expected), CUresult.stringFor(status));
    }

    private static byte[] image(String name) throws IOException {
        try (InputStream in = DriverTest.class.getResourceAsStream(
                "/plateau/native/" + CpuLevel.ofThisMachine() + "/" + name + ".so")) {
            return in.readAllBytes();
        }
    }

    private static CUmodule load(String name) throws IOException {
        CUmodule loaded = new CUmodule();
        ok(cuModuleLoadData(loaded, image(name)));
        return loaded;
    }

    private CUfunction function(String name) {
        CUfunction function = new CUfunction();
        ok(cuModuleGetFunction(function, module, name));
        return function;
    }

    private static CUdeviceptr allocate(long bytes) {
        CUdeviceptr pointer = new CUdeviceptr();
        ok(cuMemAlloc(pointer, bytes));
        return pointer;
    }

    private static CUdeviceptr upload(float... values) {
        CUdeviceptr pointer = allocate((long) values.length * Float.BYTES);
        ok(cuMemcpyHtoD(pointer, Pointer.to(values), (long) values.length * Float.BYTES));
        ok(cuStreamSynchronize(CU_STREAM_LEGACY)); // it may not have arrived
        return pointer;
    }

    private static float[] download(CUdeviceptr pointer, int count) {
        float[] values = new float[count];
        ok(cuMemcpyDtoH(Pointer.to(values), pointer, (long) count * Float.BYTES));
        return values;
    }

    /** The distance between replicas, of which there is one. */
    private static final long[] ALONE = {0};

    /** sum += term for n elements. */
    private int accumulate(int grid, int block, CUstream on, int n, Pointer term, Pointer sum) {
        Pointer arguments = Pointer.to(Pointer.to(new int[] {n}), Pointer.to(term), Pointer.to(sum), Pointer.to(ALONE));
        return cuLaunchKernel(function("accumulate"), grid, 1, 1, block, 1, 1, 0, on, arguments, null);
    }

    private static int[] liveObjects() throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment counts = arena.allocate(ValueLayout.JAVA_INT, 7);
            Linker.nativeLinker()
                    .downcallHandle(
                            library.findOrThrow("plateau_live_objects"), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS))
                    .invokeExact(counts);
            return counts.toArray(ValueLayout.JAVA_INT);
        }
    }

    // ---- what works ----

    @Test
    void kernelsRunInStreamOrder() {
        CUdeviceptr term = upload(1, 2, 3), sum = upload(10, 10, 10);
        for (int i = 0; i < 100; i++) {
            ok(accumulate(1, 32, stream, 3, term, sum));
        }
        ok(cuStreamSynchronize(stream));
        assertArrayEquals(new float[] {110, 210, 310}, download(sum, 3));
    }

    @Test
    void argumentsAreCopiedAtTheLaunch() {
        CUdeviceptr term = upload(1), sum = upload(0);
        int[] n = {1};
        Pointer arguments = Pointer.to(Pointer.to(n), Pointer.to(term), Pointer.to(sum), Pointer.to(ALONE));
        ok(cuLaunchKernel(function("accumulate"), 1, 1, 1, 1, 1, 1, 0, stream, arguments, null));
        n[0] = 0;
        ok(cuStreamSynchronize(stream));
        assertArrayEquals(new float[] {1}, download(sum, 1));
    }

    /** Where PLATEAU_CPU_FRESH_MEMORY is set, as pom.xml does for tests. */
    @Test
    void freshMemoryHoldsAnything() {
        Set<String> kinds = new TreeSet<>();
        for (int i = 0; i < 100; i++) {
            CUdeviceptr fresh = allocate(1001);
            int[] bits = new int[250];
            ok(cuMemcpyDtoH(Pointer.to(bits), fresh, 1000));
            ok(cuMemFree(fresh));
            kinds.add(Arrays.stream(bits).distinct().count() > 200 ? "random" : Integer.toHexString(bits[0]));
        }
        assertEquals(Set.of("0", "3f800000", "ffffffff", "random"), kinds);
    }

    @Test
    void memoryIsFilledAndCopiedInEveryWidthAndDirection() {
        CUdeviceptr a = allocate(64), b = allocate(64);
        ok(cuMemsetD32(a, 0x3f800000, 16));
        ok(cuMemcpyDtoD(b, a, 64));
        assertEquals(1f, download(b, 16)[15]);
        ok(cuMemsetD8Async(a, (byte) 0, 64, stream));
        ok(cuMemsetD16Async(a.withByteOffset(2), (short) 0x4000, 1, stream));
        ok(cuMemcpyDtoDAsync(b, a, 64, stream));
        ok(cuStreamSynchronize(stream));
        assertEquals(2f, download(b, 16)[0]);
        Pointer pinned = new Pointer();
        ok(cuMemAllocHost(pinned, 64));
        ok(cuMemcpyDtoHAsync(pinned, b, 64, stream));
        ok(cuMemcpyHtoDAsync(a.withByteOffset(4), pinned, 4, stream));
        ok(cuStreamSynchronize(stream));
        assertEquals(2f, download(a, 2)[1]);
        ok(cuMemFreeHost(pinned));
        ok(cuMemFree(a));
        ok(cuMemFree(b));
    }

    @Test
    void memoryInUseMayBeFreed() {
        CUdeviceptr term = upload(new float[1000]), sum = upload(new float[1000]);
        for (int i = 0; i < 1000; i++) {
            ok(accumulate(4, 256, stream, 1000, term, sum));
        }
        ok(cuMemFree(sum));
        ok(cuMemFree(term));
        ok(cuStreamSynchronize(stream));
        CUdeviceptr asynchronous = new CUdeviceptr();
        ok(cuMemAllocAsync(asynchronous, 4000, stream));
        CUdeviceptr other = upload(new float[1000]);
        ok(accumulate(4, 256, stream, 1000, other, asynchronous));
        ok(cuMemFreeAsync(asynchronous, stream));
        ok(cuStreamSynchronize(stream));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemFree(asynchronous));
    }

    @Test
    void eventsOrderStreamsAndMeasureTime() {
        CUstream second = new CUstream();
        ok(cuStreamCreate(second, CUstream_flags.CU_STREAM_NON_BLOCKING));
        CUevent start = new CUevent(), done = new CUevent();
        ok(cuEventCreate(start, 0));
        ok(cuEventCreate(done, 0));
        CUdeviceptr one = upload(1), sum = upload(0), result = upload(0);
        ok(cuEventRecord(start, stream));
        for (int i = 0; i < 5000; i++) {
            ok(accumulate(1, 1, stream, 1, one, sum));
        }
        ok(cuEventRecord(done, stream));
        ok(cuStreamWaitEvent(second, done, 0));
        ok(accumulate(1, 1, second, 1, sum, result));
        ok(cuStreamSynchronize(second));
        assertArrayEquals(new float[] {5000}, download(result, 1));
        float[] milliseconds = new float[1];
        ok(cuEventElapsedTime(milliseconds, start, done));
        assertTrue(milliseconds[0] >= 0);
        ok(cuEventQuery(done));
        ok(cuEventDestroy(start));
        ok(cuEventDestroy(done));
        ok(cuStreamDestroy(second));
    }

    /**
     * A stream that waits for another's record of an event, and then records that event itself,
     * must not wait for itself.
     */
    @Test
    void aWaitIsForTheRecordBeforeIt() throws Exception {
        CUstream second = new CUstream();
        ok(cuStreamCreate(second, CUstream_flags.CU_STREAM_NON_BLOCKING));
        CUevent event = new CUevent();
        ok(cuEventCreate(event, 0));
        occupy(second);
        ok(cuEventRecord(event, second));
        ok(cuStreamWaitEvent(stream, event, 0));
        ok(cuEventRecord(event, stream));
        for (int i = 0; i < 1000 && cuEventQuery(event) == CUresult.CUDA_ERROR_NOT_READY; i++) {
            Thread.sleep(10);
        }
        ok(cuEventQuery(event));
        ok(cuStreamQuery(second));
        ok(cuEventDestroy(event));
    }

    /** CUDA takes pageable host memory during the call, and fills it before the call returns. */
    @Test
    void pageableMemoryMayBeUsedRightAfterAnAsynchronousCopy() throws IOException {
        float[] source = {1, 2, 3}, result = new float[3];
        CUdeviceptr buffer = allocate(12);
        occupy(stream);
        ok(cuMemcpyHtoDAsync(buffer, Pointer.to(source), 12, stream));
        Arrays.fill(source, 0);
        ok(cuMemcpyDtoHAsync(Pointer.to(result), buffer, 12, stream));
        assertArrayEquals(new float[] {1, 2, 3}, result);
    }

    /** Keeps a stream busy for some tens of milliseconds. */
    private static CUdeviceptr seed() {
        CUdeviceptr seed = allocate(Long.BYTES);
        ok(cuMemcpyHtoD(seed, Pointer.to(new long[] {1}), Long.BYTES));
        return seed;
    }

    private static void occupy(CUstream busy) throws IOException {
        CUfunction normal = new CUfunction();
        ok(cuModuleGetFunction(normal, load("data/init"), "truncated_normal"));
        Pointer arguments = Pointer.to(
                Pointer.to(new int[] {1 << 20}),
                Pointer.to(seed()),
                Pointer.to(new int[] {0}),
                Pointer.to(new float[] {1}),
                Pointer.to(allocate(4L << 20)),
                Pointer.to(ALONE));
        for (int i = 0; i < 20; i++) {
            ok(cuLaunchKernel(normal, 1 << 12, 1, 1, 256, 1, 1, 0, busy, arguments, null));
        }
    }

    @Test
    void theLegacyStreamWaitsForBlockingStreams() {
        CUstream blocking = new CUstream();
        ok(cuStreamCreate(blocking, CUstream_flags.CU_STREAM_DEFAULT));
        CUdeviceptr one = upload(1), sum = upload(0), result = upload(0);
        for (int i = 0; i < 5000; i++) {
            ok(accumulate(1, 1, blocking, 1, one, sum));
        }
        ok(accumulate(1, 1, null, 1, sum, result));
        ok(cuStreamSynchronize(null));
        assertArrayEquals(new float[] {5000}, download(result, 1));
        ok(cuStreamDestroy(blocking));
    }

    @Test
    void graphsReplayWhatWasCaptured() {
        CUdeviceptr one = upload(1), sum = upload(0);
        CUgraph graph = capture(() -> {
            ok(accumulate(1, 1, stream, 1, one, sum));
            ok(accumulate(1, 1, stream, 1, one, sum));
            ok(cuMemsetD32Async(one, 0x40000000, 1, stream));
        });
        assertArrayEquals(new float[] {0}, download(sum, 1), "capture must not run anything");
        CUgraphExec exec = new CUgraphExec();
        ok(cuGraphInstantiate(exec, graph, 0));
        ok(cuGraphDestroy(graph));
        ok(cuGraphLaunch(exec, stream));
        ok(cuGraphLaunch(exec, stream));
        ok(cuStreamSynchronize(stream));
        assertArrayEquals(new float[] {2 * 1 + 2 * 2}, download(sum, 1));
        ok(cuGraphExecDestroy(exec));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuGraphLaunch(exec, stream));
    }

    @Test
    void forkedStreamsJoinACapture() {
        CUstream second = new CUstream();
        ok(cuStreamCreate(second, CUstream_flags.CU_STREAM_NON_BLOCKING));
        CUevent fork = new CUevent(), join = new CUevent();
        ok(cuEventCreate(fork, 0));
        ok(cuEventCreate(join, 0));
        CUdeviceptr one = upload(1), a = upload(0), b = upload(0);
        CUgraph graph = capture(() -> {
            ok(accumulate(1, 1, stream, 1, one, a));
            ok(cuEventRecord(fork, stream));
            ok(cuStreamWaitEvent(second, fork, 0));
            ok(accumulate(1, 1, second, 1, a, b));
            ok(cuEventRecord(join, second));
            ok(cuStreamWaitEvent(stream, join, 0));
            ok(accumulate(1, 1, stream, 1, b, a));
        });
        CUgraphExec exec = new CUgraphExec();
        ok(cuGraphInstantiate(exec, graph, 0));
        ok(cuGraphLaunch(exec, stream));
        ok(cuStreamSynchronize(stream));
        assertArrayEquals(new float[] {2}, download(a, 1));

        ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        ok(cuEventRecord(fork, stream));
        ok(cuStreamWaitEvent(second, fork, 0));
        ok(accumulate(1, 1, second, 1, one, b));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, cuStreamEndCapture(second, new CUgraph()));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(stream, new CUgraph()));
        ok(cuGraphExecDestroy(exec));
        ok(cuGraphDestroy(graph));
        ok(cuStreamDestroy(second));
        ok(cuEventDestroy(fork));
        ok(cuEventDestroy(join));
    }

    private CUgraph capture(Runnable work) {
        ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
        work.run();
        CUgraph graph = new CUgraph();
        ok(cuStreamEndCapture(stream, graph));
        return graph;
    }

    @Test
    void theDeviceDescribesItself() {
        int[] value = new int[1];
        ok(cuDeviceGetAttribute(value, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_WARP_SIZE, device));
        assertEquals(32, value[0]);
        ok(cuDeviceGetAttribute(value, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, device));
        assertEquals(1024, value[0]);
        ok(cuFuncGetAttribute(value, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, function("sgd")));
        assertEquals(1024, value[0]);
        ok(cuDeviceGetCount(value));
        assertEquals(Integer.parseInt(System.getenv("PLATEAU_CPU_DEVICES")), value[0]);
        long[] free = new long[1], total = new long[1];
        ok(cuMemGetInfo(free, total));
        allocate(1 << 20);
        long[] less = new long[1];
        ok(cuMemGetInfo(less, total));
        assertEquals(1 << 20, free[0] - less[0]);
    }

    @Test
    void thePrimaryContextLivesWhileItIsRetained() {
        CUcontext first = new CUcontext(), second = new CUcontext();
        int[] flags = new int[1], active = new int[1];
        ok(cuDevicePrimaryCtxRetain(first, device));
        ok(cuDevicePrimaryCtxRetain(second, device));
        assertEquals(first, second);
        is(CUresult.CUDA_ERROR_INVALID_CONTEXT, cuCtxDestroy(first));
        ok(cuCtxPushCurrent(first));
        allocate(4);
        ok(cuDevicePrimaryCtxRelease(device));
        ok(cuDevicePrimaryCtxGetState(device, flags, active));
        assertEquals(1, active[0]);
        ok(cuDevicePrimaryCtxRelease(device));
        ok(cuDevicePrimaryCtxGetState(device, flags, active));
        assertEquals(0, active[0]);
        is(CUresult.CUDA_ERROR_INVALID_CONTEXT, cuDevicePrimaryCtxRelease(device));
        ok(cuCtxSetCurrent(context));
    }

    /** The loader keeps room for thread-local variables of few libraries that want them fast. */
    @Test
    void manyModulesAreLoaded() throws IOException {
        for (int i = 0; i < 1000; i++) {
            load("conv2d");
        }
    }

    /** A graph's kernels would otherwise keep their images in the process. */
    @Test
    void graphsGoWithTheirContext() throws IOException {
        long before = LoadedImages.count();
        CUcontext other = new CUcontext();
        ok(cuCtxCreate(other, 0, device));
        CUmodule own = module;
        CUstream ownStream = stream;
        module = load("optimizer");
        stream = new CUstream();
        ok(cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
        CUdeviceptr term = upload(1), sum = upload(0);
        CUgraph graph = capture(() -> ok(accumulate(1, 1, stream, 1, term, sum)));
        CUgraphExec exec = new CUgraphExec();
        ok(cuGraphInstantiate(exec, graph, 0));
        ok(cuGraphLaunch(exec, stream));
        assertEquals(before + 1, LoadedImages.count());
        ok(cuModuleUnload(module));
        assertEquals(before + 1, LoadedImages.count(), "the graph still runs it");
        ok(cuCtxDestroy(other));
        assertEquals(before, LoadedImages.count());
        module = own;
        stream = ownStream;
        ok(cuCtxSetCurrent(context));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuGraphExecDestroy(exec));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuGraphDestroy(graph));
    }

    @Test
    void argumentsMayComePackedInABuffer() {
        Address one = new Address(), sum = new Address();
        ok(cuMemAlloc(one, 4));
        ok(cuMemAlloc(sum, 4));
        ok(cuMemsetD32(one, 0x3f800000, 1));
        ok(cuMemsetD32(sum, 0, 1));
        ok(cuStreamSynchronize(CU_STREAM_LEGACY));
        ByteBuffer packed = ByteBuffer.allocateDirect(32)
                .order(ByteOrder.nativeOrder())
                .putInt(0, 1)
                .putLong(8, one.value())
                .putLong(16, sum.value())
                .putLong(24, ALONE[0]);
        CUfunction accumulate = function("accumulate");
        ok(cuLaunchKernel(accumulate, 1, 1, 1, 1, 1, 1, 0, stream, null, packed(packed, 32)));
        ok(cuStreamSynchronize(stream));
        assertArrayEquals(new float[] {1}, download(sum, 1));
        is(
                CUresult.CUDA_ERROR_INVALID_VALUE,
                cuLaunchKernel(accumulate, 1, 1, 1, 1, 1, 1, 0, stream, null, packed(packed, 28)));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(accumulate, 1, 1, 1, 1, 1, 1, 0, stream, null, null));
    }

    private static Pointer packed(ByteBuffer buffer, long bytes) {
        return Pointer.to(
                CU_LAUNCH_PARAM_BUFFER_POINTER,
                Pointer.to(buffer),
                CU_LAUNCH_PARAM_BUFFER_SIZE,
                Pointer.to(new long[] {bytes}),
                CU_LAUNCH_PARAM_END);
    }

    // ---- what is refused ----

    /**
     * A write behind an allocation's end is found when the memory is freed, and stays with the
     * context as a GPU's fault does.
     */
    @Test
    void anOverrunIsFound() {
        CUdeviceptr large = upload(1e37f, 1e37f, 1e37f, 1e37f), small = upload(0, 0);
        ok(accumulate(1, 4, stream, 4, large, small));
        is(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, cuMemFree(small));
        is(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
        ok(cuCtxDestroy(context));
        ok(cuCtxCreate(context, 0, device));
        ok(cuCtxSynchronize());
    }

    /**
     * What a capture forbids to other threads: in global mode what it forbids to its own, otherwise
     * nothing; only its own thread may end it.
     */
    @Test
    void captureModesSayWhatOtherThreadsMayDo() throws Exception {
        for (int mode : new int[] {
            CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL,
            CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL,
            CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED
        }) {
            ok(cuStreamBeginCapture(stream, mode));
            CUgraph graph = new CUgraph();
            int[] status = new int[2];
            Thread other = new Thread(() -> {
                cuCtxSetCurrent(context);
                status[0] = cuStreamEndCapture(stream, graph);
                status[1] = cuMemAlloc(new CUdeviceptr(), 4);
            });
            other.start();
            other.join();
            boolean relaxed = mode == CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED,
                    global = mode == CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL;
            is(relaxed ? CUresult.CUDA_SUCCESS : CUresult.CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, status[0]);
            is(global ? CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : CUresult.CUDA_SUCCESS, status[1]);
            int ended = cuStreamEndCapture(stream, relaxed ? new CUgraph() : graph);
            is(
                    relaxed
                            ? CUresult.CUDA_ERROR_ILLEGAL_STATE
                            : global ? CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED : CUresult.CUDA_SUCCESS,
                    ended);
            cuGraphDestroy(graph);
        }
    }

    @Test
    void unknownAndFreedPointersAreRefused() {
        CUdeviceptr freed = upload(1), good = upload(1);
        ok(cuMemFree(freed));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemFree(freed));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH(Pointer.to(new float[1]), freed, 4));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoDAsync(freed, Pointer.to(new float[1]), 4, stream));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemsetD32Async(freed, 0, 1, stream));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemFree(good.withByteOffset(1)));
        is(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, accumulate(1, 1, stream, 1, good, freed));
    }

    @Test
    void copiesPastTheEndAreRefused() {
        CUdeviceptr four = upload(1, 2, 3, 4);
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH(Pointer.to(new float[5]), four, 20));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD(four.withByteOffset(4), Pointer.to(new float[4]), 16));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoD(four, four.withByteOffset(4), 16));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemsetD32(four, 0, 5));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemsetD32(four.withByteOffset(2), 0, 1));
        ok(cuMemcpyDtoH(Pointer.to(new float[3]), four.withByteOffset(4), 12));
        CUdeviceptr more = allocate(64);
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemcpy(more, four, 20));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemcpyAsync(four, more, 20, stream));
        Pointer pinned = new Pointer();
        ok(cuMemAllocHost(pinned, 16));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH(pinned, more, 20));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoDAsync(more, pinned.withByteOffset(8), 16, stream));
        ok(cuMemFreeHost(pinned));
    }

    @Test
    void hostMemoryIsNoKernelArgument() throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            long host = arena.allocate(64).address();
            Pointer arguments = Pointer.to(
                    Pointer.to(new int[] {1}), Pointer.to(new long[] {host}), Pointer.to(upload(1)), Pointer.to(ALONE));
            is(
                    CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
                    cuLaunchKernel(function("accumulate"), 1, 1, 1, 1, 1, 1, 0, stream, arguments, null));
        }
    }

    @Test
    void argumentsWithLessThanAnElementAreRefused() {
        CUdeviceptr two = upload(1, 2), one = upload(1);
        is(CUresult.CUDA_ERROR_MISALIGNED_ADDRESS, accumulate(1, 1, stream, 1, two.withByteOffset(2), one));
        CUdeviceptr halfAnElement = allocate(2);
        is(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, accumulate(1, 1, stream, 1, one, halfAnElement));
        ok(accumulate(1, 1, stream, 1, two.withByteOffset(4), one));
        ok(cuStreamSynchronize(stream));
        assertArrayEquals(new float[] {3}, download(one, 1));
        Pointer nullArgument = Pointer.to(Pointer.to(new int[] {1}), Pointer.to(two), new Pointer(), Pointer.to(ALONE));
        is(
                CUresult.CUDA_ERROR_INVALID_VALUE,
                cuLaunchKernel(function("accumulate"), 1, 1, 1, 1, 1, 1, 0, stream, nullArgument, null));
    }

    @Test
    void launchShapesOverTheLimitsAreRefused() throws IOException {
        CUdeviceptr one = upload(1), sum = upload(0);
        is(CUresult.CUDA_ERROR_INVALID_VALUE, accumulate(1, 1025, stream, 1, one, sum));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, accumulate(0, 32, stream, 1, one, sum));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, accumulate(1, 0, stream, 1, one, sum));
        Pointer arguments = Pointer.to(Pointer.to(new int[] {1}), Pointer.to(one), Pointer.to(sum), Pointer.to(ALONE));
        is(
                CUresult.CUDA_ERROR_INVALID_VALUE,
                cuLaunchKernel(function("accumulate"), 1, 65536, 1, 1, 1, 1, 0, stream, arguments, null));
        is(
                CUresult.CUDA_ERROR_INVALID_VALUE,
                cuLaunchKernel(function("accumulate"), 1, 1, 1, 1, 1, 65, 0, stream, arguments, null));
        module = load("metrics");
        CUdeviceptr step = upload(0), ring = upload(0, 0, 0);
        Pointer reduction = Pointer.to(
                Pointer.to(new int[] {1}),
                Pointer.to(one),
                Pointer.to(one),
                Pointer.to(one),
                Pointer.to(step),
                Pointer.to(new int[] {1}),
                Pointer.to(ring),
                Pointer.to(ALONE));
        is(
                CUresult.CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
                cuLaunchKernel(function("loss_and_accuracy"), 1, 1, 1, 32, 1, 1, 0, stream, reduction, null));
    }

    @Test
    void aMissingContextIsRefused() {
        ok(cuCtxPopCurrent(new CUcontext()));
        is(CUresult.CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc(new CUdeviceptr(), 4));
        is(CUresult.CUDA_ERROR_INVALID_CONTEXT, cuStreamCreate(new CUstream(), 0));
        is(CUresult.CUDA_ERROR_INVALID_CONTEXT, cuCtxSynchronize());
        ok(cuCtxSetCurrent(context));
        is(CUresult.CUDA_ERROR_INVALID_DEVICE, cuDeviceGet(new CUdevice(), 2));
        is(CUresult.CUDA_ERROR_INVALID_DEVICE, cuDeviceGet(new CUdevice(), -1));
    }

    @Test
    void destroyedHandlesAreRefused() {
        CUstream gone = new CUstream();
        ok(cuStreamCreate(gone, 0));
        ok(cuStreamDestroy(gone));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(gone));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuStreamDestroy(gone));
        CUevent event = new CUevent();
        ok(cuEventCreate(event, 0));
        ok(cuEventDestroy(event));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuEventRecord(event, stream));
        CUfunction function = function("sgd");
        ok(cuModuleUnload(module));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuModuleUnload(module));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream, null, null));
    }

    @Test
    void objectsOfTwoContextsAreNotMixed() throws IOException {
        CUevent event = new CUevent();
        ok(cuEventCreate(event, 0));
        CUfunction sgd = function("sgd");
        CUcontext other = new CUcontext();
        ok(cuCtxCreate(other, 0, device));
        CUstream foreign = new CUstream();
        ok(cuStreamCreate(foreign, 0));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuEventRecord(event, foreign));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuLaunchKernel(sgd, 1, 1, 1, 1, 1, 1, 0, foreign, null, null));
        ok(cuCtxDestroy(other));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(foreign));
        ok(cuCtxSetCurrent(context));
    }

    /** Each device has a primary context, a share of the memory, and a name of its own. */
    @Test
    void devicesAreApart() {
        CUdevice second = new CUdevice();
        ok(cuDeviceGet(second, 1));
        CUcontext first = new CUcontext(), other = new CUcontext();
        ok(cuDevicePrimaryCtxRetain(first, device));
        ok(cuDevicePrimaryCtxRetain(other, second));
        assertNotEquals(first, other);
        CUdevice current = new CUdevice();
        ok(cuCtxPushCurrent(other));
        ok(cuCtxGetDevice(current));
        assertEquals(second, current);
        byte[][] uuids = new byte[2][16];
        jcuda.driver.CUuuid uuid = new jcuda.driver.CUuuid();
        ok(cuDeviceGetUuid(uuid, device));
        uuids[0] = uuid.bytes.clone();
        ok(cuDeviceGetUuid(uuid, second));
        uuids[1] = uuid.bytes.clone();
        assertFalse(Arrays.equals(uuids[0], uuids[1]));

        long[] free = new long[1], less = new long[1], total = new long[1];
        ok(cuMemGetInfo(free, total));
        CUdeviceptr memory = allocate(8 << 20);
        ok(cuMemGetInfo(less, total));
        assertTrue(free[0] - less[0] >= 8 << 20);
        ok(cuCtxPopCurrent(new CUcontext()));
        ok(cuMemFree(memory));

        int[] flags = new int[1], active = new int[1];
        ok(cuDevicePrimaryCtxSetFlags(second, CUctx_flags.CU_CTX_SCHED_BLOCKING_SYNC));
        ok(cuDevicePrimaryCtxGetState(second, flags, active));
        assertEquals(CUctx_flags.CU_CTX_SCHED_BLOCKING_SYNC, flags[0]);
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuDevicePrimaryCtxSetFlags(second, 3));
        ok(cuDevicePrimaryCtxSetFlags(second, 0));
        ok(cuDevicePrimaryCtxRelease(second));
        ok(cuDevicePrimaryCtxGetState(device, flags, active));
        assertEquals(1, active[0], "the first device's stays");
        ok(cuDevicePrimaryCtxRelease(device));
    }

    /**
     * What belongs to one device is of no use to another: functions, modules, and memory, which no
     * peer access was asked for.
     */
    @Test
    void objectsOfAnotherDeviceAreRefused() throws IOException {
        CUdeviceptr mine = upload(1), sum = upload(1);
        CUfunction accumulate = function("accumulate");
        CUgraph graph = capture(() -> ok(accumulate(1, 1, stream, 1, mine, sum)));
        CUgraphExec exec = new CUgraphExec();
        ok(cuGraphInstantiate(exec, graph, 0));
        CUevent event = new CUevent(), foreignEvent = new CUevent();
        ok(cuEventCreate(event, 0));
        ok(cuEventRecord(event, stream));
        CUdevice second = new CUdevice();
        ok(cuDeviceGet(second, 1));
        CUcontext other = new CUcontext();
        ok(cuCtxCreate(other, 0, second));
        CUmodule foreignModule = load("optimizer");
        CUfunction foreignFunction = new CUfunction();
        ok(cuModuleGetFunction(foreignFunction, foreignModule, "accumulate"));
        CUstream foreignStream = new CUstream();
        ok(cuStreamCreate(foreignStream, CUstream_flags.CU_STREAM_NON_BLOCKING));
        ok(cuEventCreate(foreignEvent, 0));
        ok(cuEventRecord(foreignEvent, foreignStream));
        CUdeviceptr foreign = upload(1);
        Pointer good =
                Pointer.to(Pointer.to(new int[] {1}), Pointer.to(foreign), Pointer.to(foreign), Pointer.to(ALONE));
        Pointer mixed = Pointer.to(Pointer.to(new int[] {1}), Pointer.to(mine), Pointer.to(foreign), Pointer.to(ALONE));
        is(
                CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
                cuLaunchKernel(foreignFunction, 1, 1, 1, 1, 1, 1, 0, foreignStream, mixed, null));
        ok(cuLaunchKernel(foreignFunction, 1, 1, 1, 1, 1, 1, 0, foreignStream, good, null));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuLaunchKernel(accumulate, 1, 1, 1, 1, 1, 1, 0, stream, mixed, null));
        is(
                CUresult.CUDA_ERROR_INVALID_HANDLE,
                cuLaunchKernel(foreignFunction, 1, 1, 1, 1, 1, 1, 0, stream, good, null));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuFuncGetAttribute(new int[1], 0, accumulate));
        is(CUresult.CUDA_ERROR_INVALID_CONTEXT, cuModuleGetFunction(new CUfunction(), module, "sgd"));
        is(CUresult.CUDA_ERROR_INVALID_CONTEXT, cuModuleUnload(module));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemsetD32Async(mine, 0, 1, foreignStream));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(new float[1], event, foreignEvent));
        is(CUresult.CUDA_ERROR_NOT_SUPPORTED, cuGraphLaunch(exec, foreignStream));
        // What CUDA allows: to wait for the other device's events and streams, and to copy.
        ok(cuStreamWaitEvent(foreignStream, event, 0));
        ok(cuStreamSynchronize(stream));
        ok(cuMemcpyDtoDAsync(foreign, mine, 4, foreignStream));
        ok(cuStreamSynchronize(foreignStream));
        assertArrayEquals(new float[] {1}, download(foreign, 1));
        ok(cuCtxDestroy(other));
        ok(cuCtxSetCurrent(context));
        ok(cuEventDestroy(event));
        ok(cuGraphExecDestroy(exec));
        ok(cuGraphDestroy(graph));
    }

    /**
     * A copy from pageable memory, and a fill and a copy of device memory, may return before they
     * are done, and no non-blocking stream waits for them; whoever waits for the legacy stream
     * does. As late as PLATEAU_CPU_LATE_COPIES has it.
     */
    @Test
    void whatTheHostDoesNotWaitForIsLate() {
        CUdeviceptr a = upload(1), b = upload(2), seen = upload(0);
        for (Runnable unawaited : new Runnable[] {
            () -> ok(cuMemcpyHtoD(a, Pointer.to(new float[] {7}), 4)),
            () -> ok(cuMemcpyDtoD(a, b, 4)),
            () -> ok(cuMemsetD32(a, Float.floatToIntBits(9), 1)),
            () -> ok(cuMemcpyHtoDAsync(a, Pointer.to(new float[] {11}), 4, CU_STREAM_LEGACY))
        }) {
            boolean early = false;
            for (int attempt = 0; attempt < 1000 && !early; attempt++) { // a busy machine may be later than the copy
                ok(cuMemcpyHtoD(a, Pointer.to(new float[] {1}), 4));
                ok(cuStreamSynchronize(CU_STREAM_LEGACY));
                unawaited.run();
                ok(cuMemcpyDtoDAsync(seen, a, 4, stream));
                float[] found = new float[1];
                ok(cuMemcpyDtoHAsync(Pointer.to(found), seen, 4, stream));
                ok(cuStreamSynchronize(CU_STREAM_LEGACY));
                assertNotEquals(1f, download(a, 1)[0]);
                early = found[0] == 1;
            }
            assertTrue(early, "another stream comes before it");
        }
        ok(cuMemcpyHtoD(a, Pointer.to(new float[] {13}), 4));
        assertEquals(13f, download(a, 1)[0], "the legacy stream keeps its order");
    }

    /** Waiting for the device spoils whatever is captured there, by any thread in any mode. */
    @Test
    void waitingForTheDeviceSpoilsCaptures() throws Exception {
        for (int mode : new int[] {
            CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL,
            CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL,
            CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED
        }) {
            ok(cuStreamBeginCapture(stream, mode));
            int[] status = new int[2];
            Thread other = new Thread(() -> {
                CUdevice second = new CUdevice();
                CUcontext elsewhere = new CUcontext();
                cuDeviceGet(second, 1);
                cuCtxCreate(elsewhere, 0, second);
                status[0] = cuCtxSynchronize();
                cuCtxDestroy(elsewhere);
                cuCtxSetCurrent(context);
                status[1] = cuCtxSynchronize();
            });
            other.start();
            other.join();
            ok(status[0]);
            is(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, status[1]);
            is(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, new CUgraph()));
        }
    }

    /**
     * Parts of an allocation, for arenas: each is one to every check, and what is in none is
     * nobody's.
     */
    @Test
    void anAllocationIsDivided() throws Throwable {
        MethodHandle carve = Linker.nativeLinker()
                .downcallHandle(
                        library.findOrThrow("plateau_carve"),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        Address whole = new Address();
        ok(cuMemAlloc(whole, 1024));
        long at = whole.value();
        ok((int) carve.invokeExact(at + 256, 100L));
        int invalid = CUresult.CUDA_ERROR_INVALID_VALUE;
        is(invalid, (int) carve.invokeExact(at + 256, 4L)); // is there already
        is(invalid, (int) carve.invokeExact(at, 256L)); // its guard would lie in the other
        is(invalid, (int) carve.invokeExact(at + 100, 4L)); // not aligned
        is(invalid, (int) carve.invokeExact(at + 768, 300L)); // past the end
        is(invalid, (int) carve.invokeExact(at + 4096, 4L)); // in no allocation
        ok((int) carve.invokeExact(at, 192L));
        ok(cuMemsetD8(whole, (byte) 1, 192));
        is(invalid, cuMemsetD8(whole, (byte) 1, 193));
        is(invalid, cuMemsetD8(whole.withByteOffset(512), (byte) 1, 1));
        ok(cuMemsetD8(whole.withByteOffset(300), (byte) 1, 56));
        is(invalid, cuMemFree(whole.withByteOffset(256))); // goes with the whole
        ok(cuMemFree(whole));
        is(invalid, cuMemsetD8(whole, (byte) 1, 1));
    }

    /** Freeing waits, too, but spoils only what allocating would spoil. */
    @Test
    void freeingIsUnsafeForTheThreadThatCaptures() throws Exception {
        CUdeviceptr first = allocate(4), second = allocate(4);
        Pointer pinned = new Pointer();
        ok(cuMemAllocHost(pinned, 4));
        int[] status = new int[1];
        ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        Thread other = new Thread(() -> {
            cuCtxSetCurrent(context);
            status[0] = cuMemFree(first);
        });
        other.start();
        other.join();
        ok(status[0]);
        CUgraph graph = new CUgraph();
        ok(cuStreamEndCapture(stream, graph));
        ok(cuGraphDestroy(graph));
        for (IntSupplier unsafe : new IntSupplier[] {() -> cuMemFree(second), () -> cuMemFreeHost(pinned)}) {
            ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
            is(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, unsafe.getAsInt());
            is(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, new CUgraph()));
            ok(unsafe.getAsInt());
        }
    }

    @Test
    void eventsThatWereNotRecordedCannotBeTimed() {
        CUevent a = new CUevent(), b = new CUevent();
        ok(cuEventCreate(a, 0));
        ok(cuEventCreate(b, 0));
        is(CUresult.CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(new float[1], a, b));
        ok(cuEventQuery(a));
        ok(cuEventDestroy(a));
        ok(cuEventDestroy(b));
    }

    @Test
    void whatCaptureForbidsInvalidatesIt() {
        CUdeviceptr one = upload(1), sum = upload(0);
        ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
        is(
                CUresult.CUDA_ERROR_ILLEGAL_STATE,
                cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
        ok(accumulate(1, 1, stream, 1, one, sum));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc(new CUdeviceptr(), 4));
        int[] status = new int[1];
        ok(cuStreamIsCapturing(stream, status));
        assertEquals(CUstreamCaptureStatus.CU_STREAM_CAPTURE_STATUS_INVALIDATED, status[0]);
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, accumulate(1, 1, stream, 1, one, sum));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, new CUgraph()));

        ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(stream));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, new CUgraph()));

        CUevent outside = new CUevent();
        ok(cuEventCreate(outside, 0));
        ok(cuEventRecord(outside, null));
        ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_ISOLATION, cuStreamWaitEvent(stream, outside, 0));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, new CUgraph()));
        is(CUresult.CUDA_ERROR_ILLEGAL_STATE, cuStreamEndCapture(stream, new CUgraph()));
        ok(cuEventDestroy(outside));
        assertArrayEquals(new float[] {0}, download(sum, 1));
    }

    @Test
    void aCaptureThatNobodyEndsGoesWithItsStream() {
        CUstream second = new CUstream();
        ok(cuStreamCreate(second, CUstream_flags.CU_STREAM_NON_BLOCKING));
        CUevent fork = new CUevent();
        ok(cuEventCreate(fork, 0));
        ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
        ok(cuEventRecord(fork, stream));
        is(CUresult.CUDA_ERROR_CAPTURED_EVENT, cuEventQuery(fork));
        ok(cuStreamWaitEvent(second, fork, 0));
        ok(cuStreamDestroy(second));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, new CUgraph()));

        ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
        ok(cuEventRecord(fork, stream));
        ok(cuStreamDestroy(stream));
        CUstream third = new CUstream();
        ok(cuStreamCreate(third, CUstream_flags.CU_STREAM_NON_BLOCKING));
        ok(cuStreamWaitEvent(third, fork, 0));
        allocate(4);

        ok(cuStreamBeginCapture(third, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
        ok(cuCtxDestroy(context));
        ok(cuCtxCreate(context, 0, device));
        allocate(4);
    }

    /** The legacy stream would wait for a capturing stream that is not CU_STREAM_NON_BLOCKING. */
    @Test
    void theLegacyStreamIsOutOfUseWhileABlockingStreamCaptures() {
        CUstream blocking = new CUstream();
        ok(cuStreamCreate(blocking, CUstream_flags.CU_STREAM_DEFAULT));
        CUdeviceptr word = upload(0);
        ok(cuStreamBeginCapture(blocking, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, cuStreamIsCapturing(CU_STREAM_LEGACY, new int[1]));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, cuMemsetD32Async(word, 0, 1, null));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(blocking, new CUgraph()));
        ok(cuStreamBeginCapture(blocking, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, cuMemcpyDtoH(Pointer.to(new int[1]), word, 4));
        is(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(blocking, new CUgraph()));
        ok(cuMemsetD32Async(word, 0, 1, null));
        is(
                CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
                cuStreamBeginCapture(CU_STREAM_LEGACY, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
        ok(cuStreamDestroy(blocking));
    }

    @Test
    void replayOfFreedMemoryIsRefused() {
        CUdeviceptr one = upload(1), sum = upload(0), filled = upload(0);
        CUgraph kernel = capture(() -> ok(accumulate(1, 1, stream, 1, one, sum))),
                fill = capture(() -> ok(cuMemsetD32Async(filled, 0, 1, stream)));
        CUgraphExec kernelExec = new CUgraphExec(), fillExec = new CUgraphExec();
        ok(cuGraphInstantiate(kernelExec, kernel, 0));
        ok(cuGraphInstantiate(fillExec, fill, 0));
        ok(cuGraphLaunch(kernelExec, stream));
        ok(cuGraphLaunch(fillExec, stream));
        ok(cuMemFree(one));
        is(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, cuGraphLaunch(kernelExec, stream));
        ok(cuGraphLaunch(fillExec, stream));
        ok(cuMemFree(filled));
        is(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, cuGraphLaunch(fillExec, stream));
        assertArrayEquals(new float[] {1}, download(sum, 1));
        for (CUgraphExec exec : new CUgraphExec[] {kernelExec, fillExec}) {
            ok(cuGraphExecDestroy(exec));
        }
        ok(cuGraphDestroy(kernel));
        ok(cuGraphDestroy(fill));
    }

    @Test
    void unfinishedWorkIsNotReady() throws IOException {
        occupy(stream);
        is(CUresult.CUDA_ERROR_NOT_READY, cuStreamQuery(stream));
        ok(cuStreamSynchronize(stream));
        ok(cuStreamQuery(stream));
    }

    @Test
    void memoryRunsOut() {
        is(CUresult.CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(new CUdeviceptr(), 1L << 45));
        is(CUresult.CUDA_ERROR_INVALID_VALUE, cuMemAlloc(new CUdeviceptr(), 0));
    }

    /** Nothing is left to open for the image in memory, or for the loader that reads it there. */
    @Test
    void anImageThatNoFileCanBeOpenedForIsNotDamaged() throws Throwable {
        byte[] whole = image("optimizer");
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor limits =
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
        FunctionDescriptor ofOne = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
        SymbolLookup system = linker.defaultLookup();
        MethodHandle get = linker.downcallHandle(system.findOrThrow("getrlimit"), limits);
        MethodHandle set = linker.downcallHandle(system.findOrThrow("setrlimit"), limits);
        MethodHandle duplicate = linker.downcallHandle(system.findOrThrow("dup"), ofOne);
        MethodHandle close = linker.downcallHandle(system.findOrThrow("close"), ofOne);
        int files = 7; // RLIMIT_NOFILE
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment limit = arena.allocate(ValueLayout.JAVA_LONG, 2); // soft, hard
            assertEquals(0, (int) get.invokeExact(files, limit));
            long usual = limit.get(ValueLayout.JAVA_LONG, 0);
            for (int left = 0; left < 2; left++) {
                int free = (int) duplicate.invokeExact(0);
                assertEquals(0, (int) close.invokeExact(free));
                limit.set(ValueLayout.JAVA_LONG, 0, free + left);
                assertEquals(0, (int) set.invokeExact(files, limit));
                int status;
                try {
                    status = cuModuleLoadData(new CUmodule(), whole);
                } finally {
                    limit.set(ValueLayout.JAVA_LONG, 0, usual);
                    assertEquals(0, (int) set.invokeExact(files, limit));
                }
                is(CUresult.CUDA_ERROR_OPERATING_SYSTEM, status);
            }
        }
    }

    @Test
    void imagesThatAreNoneAreRefused() throws IOException {
        is(CUresult.CUDA_ERROR_INVALID_IMAGE, cuModuleLoadData(new CUmodule(), new byte[4096]));
        byte[] otherMachine = image("optimizer");
        otherMachine[18] = (byte) 183;
        is(CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(new CUmodule(), otherMachine));
        byte[] whole = image("optimizer"), half = Arrays.copyOf(whole, whole.length / 2);
        is(CUresult.CUDA_ERROR_INVALID_IMAGE, cuModuleLoadData(new CUmodule(), Arrays.copyOf(half, whole.length)));
        byte[] otherTail = whole.clone();
        Arrays.fill(otherTail, half.length, whole.length, (byte) 0x5a);
        is(CUresult.CUDA_ERROR_INVALID_IMAGE, cuModuleLoadData(new CUmodule(), otherTail));
        is(CUresult.CUDA_ERROR_FILE_NOT_FOUND, cuModuleLoad(new CUmodule(), "/nonexistent.so"));
        is(CUresult.CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(new CUfunction(), module, "no_such_kernel"));
        is(
                CUresult.CUDA_ERROR_NOT_FOUND,
                cuModuleGetGlobal(new CUdeviceptr(), new long[1], module, "no_such_variable"));
    }

    @Test
    void faultsAreInjectedAtTheCallAskedFor() throws Throwable {
        Faults.inject("cuMemAlloc", 3, CUresult.CUDA_ERROR_OUT_OF_MEMORY);
        allocate(4);
        allocate(4);
        is(CUresult.CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(new CUdeviceptr(), 4));
        allocate(4);
        Faults.inject("cuMemAlloc_v2", 1, CUresult.CUDA_ERROR_LAUNCH_FAILED);
        is(CUresult.CUDA_ERROR_LAUNCH_FAILED, cuMemAlloc(new CUdeviceptr(), 4));
    }

    /** Past a limit on processes: whoever enqueues does the work, in the same order. */
    @Test
    void streamsThatGetNoThreadDoTheirWork() throws Throwable {
        for (int none = 1; none <= 2; none++) {
            Faults.inject("pthread_create", none, 11);
        }
        CUstream first = new CUstream(), second = new CUstream();
        ok(cuStreamCreate(first, CUstream_flags.CU_STREAM_NON_BLOCKING));
        ok(cuStreamCreate(second, CUstream_flags.CU_STREAM_NON_BLOCKING));
        CUevent event = new CUevent();
        ok(cuEventCreate(event, 0));
        CUdeviceptr one = upload(1, 1e-39f), sum = upload(0, 0), result = upload(0, 0);
        for (int i = 0; i < 100; i++) {
            ok(accumulate(1, 2, first, 2, one, sum));
        }
        ok(cuStreamQuery(first));
        ok(cuEventRecord(event, first));
        ok(cuStreamWaitEvent(second, event, 0));
        ok(accumulate(1, 2, second, 2, sum, result));
        ok(cuStreamSynchronize(second));
        assertArrayEquals(new float[] {100, 0}, download(result, 2), "denormals are flushed as in a thread");
        assertEquals(2e-39f, 1e-39f + Float.parseFloat("1e-39"), "and are not flushed in the caller");
        for (CUstream closed : new CUstream[] {first, second}) {
            ok(cuStreamDestroy(closed));
        }
        ok(cuEventDestroy(event));
    }

    /** What is reported as free can be had, what is not cannot, and the total is the device's. */
    @Test
    void memoryIsReportedAsItIsGivenOut() {
        long[] free = new long[1], total = new long[1], bytes = new long[1];
        ok(cuMemGetInfo(free, total));
        ok(cuDeviceTotalMem(bytes, device));
        assertEquals(bytes[0], total[0]);
        assertTrue(free[0] > 0 && free[0] <= total[0], free[0] + " of " + total[0]);
        CUdeviceptr some = allocate(64 << 20);
        is(CUresult.CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(new CUdeviceptr(), total[0]));
        is(CUresult.CUDA_ERROR_OUT_OF_MEMORY, cuMemAllocHost(new Pointer(), total[0]));
        long before = free[0];
        ok(cuMemGetInfo(free, total));
        assertTrue(free[0] < before + (32 << 20), "it is counted: " + before + ", then " + free[0]);
        ok(cuMemFree(some));
    }

    @Test
    void whatTheDriverLacksSaysSo() {
        is(CUresult.CUDA_ERROR_NOT_SUPPORTED, cuMemAllocManaged(new CUdeviceptr(), 4, 1));
    }

    @Test
    void twoLoadsOfAnImageAreTwoModules() throws IOException {
        CUmodule again = load("optimizer");
        CUfunction first = function("sgd"), second = new CUfunction();
        ok(cuModuleGetFunction(second, again, "sgd"));
        assertNotEquals(first, second);
        assertEquals(first, function("sgd"));
        ok(cuModuleUnload(again));
        CUdeviceptr one = upload(1), sum = upload(1);
        ok(accumulate(1, 1, stream, 1, one, sum));
        ok(cuStreamSynchronize(stream));
        assertArrayEquals(new float[] {2}, download(sum, 1));
    }

    /** Makes the handle readable, for calls that JCuda does not pass on faithfully. */
    private static final class GraphHandle extends CUgraph {
        long value() {
            return getNativePointer();
        }
    }

    private static final class ExecHandle extends CUgraphExec {
        long value() {
            return getNativePointer();
        }
    }

    private static final class FunctionHandle extends CUfunction {
        long value() {
            return getNativePointer();
        }
    }

    private static final class Address extends CUdeviceptr {
        long value() {
            return getNativePointer();
        }
    }

    /**
     * The kernel node of a replayed graph gets other arguments, which launches in flight do not
     * see; the node is found by listing the graph's.
     */
    @Test
    void kernelNodesAreListedAndUpdated() throws Throwable {
        Address one = new Address(), sum = new Address();
        ok(cuMemAlloc(one, 4));
        ok(cuMemAlloc(sum, 8));
        ok(cuMemcpyHtoD(one, Pointer.to(new float[] {1}), 4));
        ok(cuMemcpyHtoD(sum, Pointer.to(new float[2]), 8));
        ok(cuStreamSynchronize(CU_STREAM_LEGACY));
        ok(cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
        ok(accumulate(1, 1, stream, 1, one, sum));
        GraphHandle graph = new GraphHandle();
        ok(cuStreamEndCapture(stream, graph));
        ExecHandle exec = new ExecHandle();
        ok(cuGraphInstantiate(exec, graph, 0));
        FunctionHandle function = new FunctionHandle();
        ok(cuModuleGetFunction(function, module, "accumulate"));
        try (Arena arena = Arena.ofConfined()) {
            Linker linker = Linker.nativeLinker();
            MemorySegment nodes = arena.allocate(ValueLayout.JAVA_LONG, 2),
                    count = arena.allocate(ValueLayout.JAVA_LONG);
            count.set(ValueLayout.JAVA_LONG, 0, 2);
            ok((int) linker.downcallHandle(
                            library.findOrThrow("cuGraphGetNodes"),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.ADDRESS))
                    .invokeExact(graph.value(), nodes, count));
            assertEquals(1, count.get(ValueLayout.JAVA_LONG, 0));
            assertEquals(0, nodes.getAtIndex(ValueLayout.JAVA_LONG, 1), "entries past the last node are null");
            MemorySegment values = arena.allocate(ValueLayout.JAVA_LONG, 4),
                    pointers = arena.allocate(ValueLayout.JAVA_LONG, 4),
                    params = arena.allocate(72, 8);
            values.set(ValueLayout.JAVA_INT, 0, 1);
            values.setAtIndex(ValueLayout.JAVA_LONG, 1, one.value());
            values.setAtIndex(ValueLayout.JAVA_LONG, 2, sum.value() + 4);
            values.setAtIndex(ValueLayout.JAVA_LONG, 3, ALONE[0]);
            for (int i = 0; i < 4; i++) {
                pointers.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + 8L * i);
            }
            params.set(ValueLayout.JAVA_LONG, 0, function.value());
            for (int i = 0; i < 6; i++) {
                params.set(ValueLayout.JAVA_INT, 8 + 4L * i, 1);
            }
            params.set(ValueLayout.JAVA_LONG, 40, pointers.address());
            var update = linker.downcallHandle(
                    library.findOrThrow("cuGraphExecKernelNodeSetParams_v2"),
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
            occupy(stream);
            ok(cuGraphLaunch(exec, stream));
            ok((int) update.invokeExact(exec.value(), nodes.getAtIndex(ValueLayout.JAVA_LONG, 0), params));
            is(CUresult.CUDA_ERROR_INVALID_VALUE, (int) update.invokeExact(exec.value(), 1L, params));
        }
        ok(cuGraphLaunch(exec, stream));
        ok(cuStreamSynchronize(stream));
        assertArrayEquals(new float[] {1, 1}, download(sum, 2));
        ok(cuGraphExecDestroy(exec));
        ok(cuGraphDestroy(graph));
    }
}
