package plateau.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.cuda.load.DeviceUnavailableException;
import plateau.cuda.load.KernelImages;
import plateau.cuda.load.Libraries;
import plateau.cuda.load.NativeFileException;
import plateau.kernel.Accumulate;
import plateau.kernel.Dense;
import plateau.reference.Faults;
import plateau.reference.Seeds;

class DeviceTest {
    private final List<Device> closing = new ArrayList<>();
    private Device device;

    @BeforeEach
    void open() {
        device = Device.open(DeviceOptions.cpu());
    }

    @AfterEach
    void nothingIsLeft() {
        closing.forEach(Device::close);
        assertEquals(LiveObjects.NONE, device.live());
        device.close();
        device.close();
    }

    @Test
    void selectorsAreParsed() {
        assertEquals(new DeviceSelector(DeviceSelector.Kind.CUDA, 3), DeviceSelector.parse("cuda:3"));
        assertEquals("cpu", DeviceSelector.parse("cpu").toString());
        for (String wrong : List.of("gpu", "cuda:", "cuda:-1", "CPU ", "")) {
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> DeviceSelector.parse(wrong));
            assertTrue(refused.getMessage().contains("'" + wrong + "'"), refused.getMessage());
        }
    }

    @Test
    void operationsKnowWhatTheyCost() {
        try (DeviceBuffer x = device.upload(new float[2 * 3]);
                DeviceBuffer w = device.upload(new float[3 * 5]);
                DeviceBuffer y = device.upload(new float[2 * 5]);
                DeviceBuffer copy = device.upload(new float[2 * 5])) {
            double matrices = 4.0 * (6 + 15 + 10);
            Cost product = new Cost(2 * 2 * 3 * 5, matrices);
            for (Dense.Products path : List.of(Dense.Products.KERNELS, Dense.Products.CUBLAS)) {
                assertEquals(
                        product,
                        new Dense(device, path)
                                .forward(2, 5, 3, x, w, null, false, y)
                                .cost(),
                        path::toString);
            }
            Work sum = new Accumulate(device).add(10, copy, y);
            assertEquals(new Cost(0, 80), sum.cost());
            assertEquals(new Cost(0, 80), copy.copyFrom(y).cost());
            assertEquals(
                    new Cost(60, matrices + 80 + 40),
                    Work.sequence(
                                    "all",
                                    List.of(
                                            new Dense(device, Dense.Products.KERNELS)
                                                    .forward(2, 5, 3, x, w, null, false, y),
                                            sum,
                                            y.fill(0)))
                            .cost());
            assertEquals(
                    new Cost(7, 3),
                    ((Launch) sum).withBlock(32).costing(7, 3).withBlock(64).cost());
        }
    }

    @Test
    void buffersKeepWhatTheyAreGiven() {
        try (DeviceBuffer buffer = device.upload(1f, 2f, 3f, 4f)) {
            DeviceBuffer middle = buffer.slice(4, 8);
            assertArrayEquals(new float[] {2, 3}, middle.toFloats());
            middle.upload(5f);
            middle.close();
            assertArrayEquals(new float[] {1, 5, 3, 4}, buffer.toFloats());
            assertThrows(IndexOutOfBoundsException.class, () -> buffer.slice(12, 8));
            assertThrows(IndexOutOfBoundsException.class, () -> buffer.upload(new float[5]));
            assertThrows(IndexOutOfBoundsException.class, () -> middle.download(new float[3]));
        }
    }

    @Test
    void fillsAndCopiesRunInStreamOrder() {
        try (DeviceBuffer a = device.upload(new float[4]);
                DeviceBuffer b = device.upload(new float[4]);
                Stream stream = device.createStream()) {
            a.fill(Float.floatToRawIntBits(2)).enqueue(stream);
            b.copyFrom(a).enqueue(stream);
            a.slice(4, 4).fill(0).enqueue(stream);
            stream.synchronize();
            assertArrayEquals(new float[] {2, 0, 2, 2}, a.toFloats());
            assertArrayEquals(new float[] {2, 2, 2, 2}, b.toFloats());
        }
    }

    @Test
    void aLaunchAllocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (DeviceBuffer a = device.upload(1f);
                DeviceBuffer b = device.upload(0f);
                Stream stream = device.createStream()) {
            Work work = Work.sequence("all", List.of(new Accumulate(device).add(1, a, b), b.fill(0), a.copyFrom(b)));
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 20; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < 2_000; i++) {
                    work.enqueue(stream);
                }
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
                stream.synchronize();
            }
            assertTrue(least < 2_000, least + " bytes in 2,000 rounds");
        }
    }

    @Test
    void closedMemoryIsRefusedByName() {
        try (DeviceBuffer a = device.upload(1f);
                Stream stream = device.createStream()) {
            DeviceBuffer gone = device.upload(0f);
            Work work = new Accumulate(device).add(1, a, gone);
            Work fill = gone.fill(0);
            gone.close();
            gone.close();
            IllegalStateException refused = assertThrows(IllegalStateException.class, () -> work.enqueue(stream));
            assertTrue(
                    refused.getMessage().contains("accumulate")
                            && refused.getMessage().contains("argument 2"),
                    refused.getMessage());
            assertThrows(IllegalStateException.class, () -> fill.enqueue(stream));
            assertThrows(IllegalStateException.class, gone::toFloats);
        }
    }

    @Test
    void eventsOrderTwoStreams() {
        try (DeviceBuffer one = device.upload(1f);
                DeviceBuffer sum = device.upload(0f);
                DeviceBuffer result = device.upload(0f);
                Stream first = device.createStream();
                Stream second = device.createStream();
                Event done = device.createEvent()) {
            Accumulate accumulate = new Accumulate(device);
            Work step = accumulate.add(1, one, sum);
            for (int i = 0; i < 3000; i++) {
                step.enqueue(first);
            }
            first.record(done);
            second.await(done);
            accumulate.add(1, sum, result).enqueue(second);
            second.synchronize();
            assertEquals(3000, result.toFloats()[0]);
            assertTrue(first.query());
        }
    }

    @Test
    void aFailedCaptureLeavesTheStreamUsable() {
        try (DeviceBuffer one = device.upload(1f);
                DeviceBuffer sum = device.upload(0f);
                Stream stream = device.createStream()) {
            Work work = new Accumulate(device).add(1, one, sum);
            assertThrows(
                    IllegalStateException.class,
                    () -> stream.capture(() -> {
                        work.enqueue(stream);
                        throw new IllegalStateException("no");
                    }));
            work.enqueue(stream);
            stream.synchronize();
            assertEquals(1, sum.toFloats()[0]);
            try (Graph graph = stream.capture(() -> work.enqueue(stream));
                    GraphExec exec = graph.instantiate()) {
                assertEquals(1, graph.nodeCount());
                exec.enqueue(stream);
                stream.synchronize();
                assertEquals(2, sum.toFloats()[0]);
            }
        }
    }

    private static List<String> failed(Throwable failure) {
        List<String> calls = new ArrayList<>(List.of(((CudaException) failure).call()));
        for (Throwable suppressed : failure.getSuppressed()) {
            calls.add(((CudaException) suppressed).call());
        }
        return calls;
    }

    @Test
    void modulesThatAreNotUnloadedAreTold() {
        Device other = Device.open(DeviceOptions.cpu());
        other.module("loss");
        other.module("hinge");
        Faults.inject("cuModuleUnload", 1, 999);
        Faults.inject("cuDevicePrimaryCtxRelease", 1, 201);
        try {
            List<String> calls = failed(assertThrows(CudaException.class, other::close));
            assertEquals(2, calls.size(), calls::toString);
            assertTrue(calls.getFirst().startsWith("cuModuleUnload("), calls::toString);
            assertEquals("cuDevicePrimaryCtxRelease", calls.getLast());
        } finally {
            Faults.clear();
        }
        other.close(); // again, which does nothing
        CUdevice first = new CUdevice();
        assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuDeviceGet(first, 0));
        assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuDevicePrimaryCtxRelease(first)); // what has failed
        Device.open(DeviceOptions.cpu()).close();
    }

    @Test
    void ofSeveralFailuresTheFirstIsTold() {
        Faults.inject("cuMemcpyHtoDAsync", 1, 700);
        Faults.inject("cuMemFree", 1, 700);
        List<String> calls = failed(assertThrows(CudaException.class, () -> device.upload(1f)));
        Faults.clear();
        assertEquals(List.of("cuMemcpyHtoDAsync", "cuMemFree"), calls);
    }

    @Test
    void whatACaptureFailsWithIsTold() {
        try (Stream stream = device.createStream()) {
            Faults.inject("cuStreamEndCapture", 1, 901);
            CudaException failure = assertThrows(
                    CudaException.class,
                    () -> stream.capture(() -> {
                        throw new CudaException("first", 1, "ONE", "");
                    }));
            assertEquals(List.of("first", "cuStreamEndCapture"), failed(failure));
            Faults.inject("cuStreamEndCapture", 1, 999);
            assertEquals(
                    List.of("cuStreamEndCapture"),
                    failed(assertThrows(CudaException.class, () -> stream.capture(() -> {}))));
            Faults.inject("cuGraphDestroy", 1, 400);
            failure = assertThrows(
                    CudaException.class,
                    () -> stream.capture(() -> {
                        throw new CudaException("first", 1, "ONE", "");
                    }));
            assertEquals(List.of("first", "cuGraphDestroy"), failed(failure));
            device.upload(1f).close(); // no capture has stayed open, which would forbid it
        } finally {
            Faults.clear();
        }
    }

    @Test
    void pinnedMemoryReceivesAsynchronousCopies() {
        try (DeviceBuffer buffer = device.upload(1f, 2f);
                PinnedBuffer pinned = device.allocatePinned(8);
                Stream stream = device.createStream()) {
            stream.download(buffer, pinned);
            stream.synchronize();
            assertEquals(2f, pinned.bytes().getFloat(4));
        }
    }

    /** cuBLAS, this project's on the CPU, against float64 for every transposition. */
    @Test
    void productsAreRowMajor() {
        Blas blas = device.blas().orElseThrow();
        for (int round = 0; round < 40; round++) {
            Seeds seeds = Seeds.next();
            int m = seeds.choose(1, 3, 64, 129), n = seeds.choose(1, 7, 33, 100), k = seeds.choose(1, 5, 31, 200);
            boolean ta = seeds.random().nextBoolean(), tb = seeds.random().nextBoolean();
            float[] a = seeds.floats(m * k), b = seeds.floats(k * n);
            try (DeviceBuffer left = device.upload(a);
                    DeviceBuffer right = device.upload(b);
                    DeviceBuffer c = device.allocate(4L * m * n);
                    Stream stream = device.createStream()) {
                blas.gemm(ta, tb, m, n, k, left, ta ? m : k, right, tb ? k : n, c, n)
                        .enqueue(stream);
                stream.synchronize();
                float[] got = c.toFloats();
                for (int i = 0; i < m; i++) {
                    for (int j = 0; j < n; j++) {
                        double sum = 0;
                        for (int p = 0; p < k; p++) {
                            sum += (double) (ta ? a[p * m + i] : a[i * k + p]) * (tb ? b[j * k + p] : b[p * n + j]);
                        }
                        assertEquals(
                                sum,
                                got[i * n + j],
                                1e-4 * Math.sqrt(k),
                                seeds.message("m %d, n %d, k %d, %s, %s".formatted(m, n, k, ta, tb)));
                    }
                }
            }
        }
    }

    /** c = a², a matrix product of one element. */
    private static Work square(Blas blas, DeviceBuffer a, DeviceBuffer c) {
        return blas.gemm(false, false, 1, 1, 1, a, 1, a, 1, c, 1);
    }

    /**
     * Whose workspaces are apart. A stream that is closed leaves its handle to the next: destroying
     * one waits for the device.
     */
    @Test
    void eachStreamHasACublasOfItsOwn() {
        Blas blas = device.blas().orElseThrow();
        assertEquals(new HandlePool.Size(1, 0), blas.handles(), "the one that told its version");
        try (DeviceBuffer a = device.upload(2f);
                DeviceBuffer c = device.upload(0f);
                Stream one = device.createStream();
                Stream two = device.createStream()) {
            Work product = square(blas, a, c);
            product.enqueue(one);
            product.enqueue(one);
            one.synchronize();
            assertEquals(new HandlePool.Size(1, 1), blas.handles());
            product.enqueue(two);
            two.synchronize();
            assertEquals(new HandlePool.Size(2, 2), blas.handles());
            assertArrayEquals(new float[] {4}, c.toFloats());
        }
        assertEquals(new HandlePool.Size(2, 0), blas.handles());
        try (DeviceBuffer a = device.upload(3f);
                DeviceBuffer c = device.upload(0f);
                Stream three = device.createStream()) {
            square(blas, a, c).enqueue(three);
            three.synchronize();
            assertEquals(new HandlePool.Size(2, 1), blas.handles());
            assertArrayEquals(new float[] {9}, c.toFloats());
        }
    }

    /**
     * While one run is captured others end, upload, read and begin: nothing of that waits for the
     * whole device, or uses the legacy stream, in a way that would spoil the capture.
     */
    @Test
    void othersGoOnWhileAStreamCaptures() throws Exception {
        Blas blas = device.blas().orElseThrow();
        try (DeviceBuffer a = device.upload(2f);
                DeviceBuffer c = device.upload(0f);
                Stream capturing = device.createStream();
                ExecutorService other = Executors.newSingleThreadExecutor()) {
            Work product = square(blas, a, c);
            product.enqueue(capturing);
            try (Graph graph = capturing.capture(() -> {
                product.enqueue(capturing);
                try {
                    other.submit(() -> {
                                device.makeCurrent();
                                Stream ending = device.createStream();
                                DeviceBuffer memory = device.upload(5f);
                                square(blas, memory, memory).enqueue(ending);
                                memory.upload(7f);
                                assertEquals(7f, memory.toFloats()[0]);
                                ending.close();
                                memory.close();
                            })
                            .get();
                } catch (ExecutionException | InterruptedException e) {
                    throw new AssertionError(e);
                }
            })) {
                assertEquals(1, graph.nodeCount());
            }
        }
    }

    /**
     * An arena takes few blocks from the device, and the CPU driver tells its buffers apart all the
     * same: a kernel that is given what lies between them, and one that writes there, are found.
     */
    @Test
    void anArenaIsGivenBackInFewPieces() {
        Accumulate accumulate = new Accumulate(device);
        float[] values = new float[100];
        Arrays.fill(values, 1);
        try (Stream stream = device.createStream()) {
            try (DeviceArena arena = new DeviceArena(device)) {
                DeviceBuffer[] buffers = new DeviceBuffer[100];
                for (int i = 0; i < buffers.length; i++) {
                    buffers[i] = arena.allocate(4L * (i + 1));
                    assertEquals(0, buffers[i].address() % 256);
                    buffers[i].upload(Arrays.copyOf(values, i + 1));
                }
                assertEquals(1, device.live().buffers());
                assertEquals(2 << 20, arena.bytes());
                buffers[7].close();
                accumulate.add(8, buffers[7], buffers[9]).enqueue(stream);
                stream.synchronize();
                assertArrayEquals(new float[] {2, 2, 2, 2, 2, 2, 2, 2, 1, 1}, buffers[9].toFloats());
                assertEquals(40 << 20, arena.allocate(40 << 20).bytes());
                assertEquals(64, arena.allocate(64).bytes());
                assertEquals(2, device.live().buffers(), "what needs a block of its own has one");
                long between = buffers[7].address() + 32;
                int[] found = new int[1];
                assertEquals(
                        CUresult.CUDA_ERROR_INVALID_VALUE,
                        JCudaDriver.cuMemcpyDtoH(
                                jcuda.Pointer.to(found), buffers[7].pointer().withByteOffset(32), 4),
                        "nothing is at " + between);
            }
            DeviceArena arena = new DeviceArena(device);
            DeviceBuffer small = arena.allocate(4), large = arena.allocate(8);
            large.upload(1f, 1e37f); // enough to change the guard's bits
            device.module("optimizer")
                    .replicated("accumulate")
                    .elementwise(2, 2, large, small)
                    .enqueue(stream);
            CudaException overrun = assertThrows(CudaException.class, arena::close);
            assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, overrun.code());
        } catch (CudaException e) { // the stream's: the context has failed
            assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, e.code());
        }
        closing.add(device); // whose context has failed, too
        assertThrows(CudaException.class, device::close);
        JCudaDriver.cuDevicePrimaryCtxReset(new CUdevice());
        device = Device.open(DeviceOptions.cpu());
    }

    /** A kernel on a non-blocking stream sees what was uploaded before it, however late that is. */
    @Test
    void anUploadIsThereForWhatFollows() {
        try (DeviceBuffer a = device.upload(1f);
                DeviceBuffer sum = device.upload(0f);
                Stream stream = device.createStream()) {
            Work add = new Accumulate(device).add(1, a, sum);
            for (float value : new float[] {1, 10, 100}) {
                a.upload(value);
                add.enqueue(stream);
                stream.synchronize();
            }
            assertArrayEquals(new float[] {111}, sum.toFloats());
        }
    }

    /**
     * Whichever device was opened last: modules, memory and streams are of the device that was
     * asked for them, and go with it.
     */
    @Test
    void devicesAreUsedSideBySide() throws Exception {
        assertEquals(new DeviceSelector(DeviceSelector.Kind.CPU, 1), DeviceSelector.parse("cpu:1"));
        assertEquals("cpu:1", DeviceSelector.parse("cpu:1").toString());
        Device second = Device.open(DeviceOptions.of(DeviceSelector.parse("cpu:1")));
        closing.add(second);
        assertTrue(second.description().startsWith("cpu:1 CPU ("), second.description());
        assertEquals(1, second.ordinal());
        for (Device each : List.of(device, second)) {
            Work[] works = new Work[2];
            try (DeviceBuffer a = each.upload(2f);
                    DeviceBuffer b = each.upload(3f);
                    DeviceBuffer c = each.upload(1f);
                    Stream stream = each.createStream();
                    Event event = each.createEvent();
                    ExecutorService thread = Executors.newSingleThreadExecutor()) {
                works[0] = new Accumulate(each).add(1, a, c);
                works[1] = each.blas().orElseThrow().gemm(false, false, 1, 1, 1, b, 1, c, 1, a, 1);
                thread.submit(() -> {
                            each.makeCurrent();
                            for (Work work : works) {
                                work.enqueue(stream);
                            }
                            stream.record(event);
                            event.synchronize();
                            try (Graph graph = stream.capture(() -> works[0].enqueue(stream));
                                    GraphExec exec = graph.instantiate()) {
                                exec.enqueue(stream);
                            }
                            stream.synchronize();
                        })
                        .get();
                assertArrayEquals(new float[] {3 + 3 * 3}, c.toFloats());
                each.synchronize();
            }
        }
        second.close();
        try (DeviceBuffer still = device.upload(1f)) {
            assertArrayEquals(new float[] {1}, still.toFloats());
        }
        DeviceUnavailableException none = assertThrows(
                DeviceUnavailableException.class, () -> Device.open(DeviceOptions.of(DeviceSelector.parse("cpu:9"))));
        assertEquals(
                "there is no device cpu:9: CPU devices are numbered from 0, and there are 2;"
                        + " PLATEAU_CPU_DEVICES says how many",
                none.getMessage());
    }

    @Test
    void productsOfMemoryThatIsNotThereAreRefused() {
        try (DeviceBuffer small = device.allocate(16);
                DeviceBuffer c = device.allocate(4 * 64);
                Stream stream = device.createStream()) {
            Work work = device.blas().orElseThrow().gemm(false, false, 8, 8, 8, small, 8, small, 8, c, 8);
            CudaException refused = assertThrows(CudaException.class, () -> work.enqueue(stream));
            assertEquals("cublasSgemm", refused.call());
        }
    }

    @Test
    void imagesThatAreCutShortAreRefusedBeforeTheDriverReadsThem() {
        byte[] image = image();
        NativeFileException refused = assertThrows(
                NativeFileException.class, () -> device.loadImage("optimizer", Arrays.copyOf(image, image.length / 2)));
        assertTrue(refused.getMessage().contains("truncated"), refused.getMessage());
        assertThrows(NativeFileException.class, () -> device.loadImage("optimizer", new byte[10]));
        assertThrows(CudaException.class, () -> device.loadImage("optimizer", new byte[4096]));
    }

    /** A fatbin's header says how much follows: 16 bytes of header and 0x40 of content here. */
    @Test
    void fatbinsThatAreCutShortAreRefused() {
        byte[] fatbin = HexFormat.of().parseHex("50ed55ba" + "0100" + "1000" + "4000000000000000" + "00".repeat(0x40));
        for (int length : new int[] {16, 64, 79}) {
            NativeFileException refused = assertThrows(
                    NativeFileException.class, () -> device.loadImage("optimizer", Arrays.copyOf(fatbin, length)));
            assertTrue(refused.getMessage().contains(length + " of 80 bytes"), refused.getMessage());
        }
        assertThrows(
                CudaException.class, () -> device.loadImage("optimizer", fatbin), "whole, but not for this driver");
    }

    private static byte[] image() {
        return Libraries.inUse()
                .images("optimizer", KernelImages.PRODUCTION)
                .getFirst()
                .get();
    }

    /** As a driver that is older than nvcc refuses the machine code, and compiles the PTX. */
    @Test
    void theNextImageIsTakenWhereTheDriverHasNoUseForTheFirst() {
        byte[] fatbin = HexFormat.of().parseHex("50ed55ba" + "0100" + "1000" + "4000000000000000" + "00".repeat(0x40));
        KernelModule module = device.loadImages("optimizer", List.of(() -> fatbin, DeviceTest::image));
        try (DeviceBuffer a = device.upload(1f, 2f);
                DeviceBuffer b = device.upload(3f, 5f);
                Stream stream = device.createStream()) {
            module.replicated("accumulate").elementwise(2, 2, a, b).enqueue(stream);
            stream.synchronize();
            assertArrayEquals(new float[] {4, 7}, b.toFloats());
        } finally {
            module.unload();
        }
        assertEquals(
                CUresult.CUDA_ERROR_INVALID_IMAGE,
                assertThrows(
                                CudaException.class,
                                () -> device.loadImages("optimizer", List.of(() -> fatbin, () -> fatbin)))
                        .code());
    }

    @Test
    void whatIsClosedCannotBeUsed() {
        Stream stream = device.createStream();
        Event event = device.createEvent();
        try (DeviceBuffer a = device.upload(1f);
                DeviceBuffer b = device.upload(2f);
                Stream open = device.createStream();
                Event recorded = device.createEvent()) {
            Work kernel = new Accumulate(device).add(1, a, b);
            Graph graph = open.capture(() -> kernel.enqueue(open));
            GraphExec exec = graph.instantiate();
            open.record(recorded);
            List.of(stream, event, graph).forEach(DeviceTest::closeTwice);
            for (Work work : List.of(
                    kernel,
                    exec,
                    a.fill(0),
                    a.copyFrom(b),
                    device.blas().orElseThrow().gemm(false, false, 1, 1, 1, a, 1, b, 1, b, 1))) {
                assertEquals(
                        "the stream has been closed",
                        assertThrows(IllegalStateException.class, () -> work.enqueue(stream), work.name())
                                .getMessage());
            }
            closeTwice(exec);
            assertThrows(IllegalStateException.class, () -> exec.enqueue(open));
            List<Executable> uses = List.of(
                    stream::synchronize,
                    stream::query,
                    () -> stream.record(recorded),
                    () -> stream.await(recorded),
                    () -> stream.capture(() -> {}),
                    event::synchronize,
                    () -> open.record(event),
                    () -> open.await(event),
                    () -> recorded.millisecondsSince(event),
                    () -> event.millisecondsSince(recorded),
                    graph::instantiate,
                    graph::nodeCount);
            uses.forEach(use -> assertThrows(IllegalStateException.class, use));
            open.synchronize();
            assertArrayEquals(new float[] {2}, b.toFloats(), "nothing was enqueued");
        }
    }

    private static void closeTwice(AutoCloseable resource) {
        assertDoesNotThrow(resource::close);
        assertDoesNotThrow(resource::close);
    }

    /**
     * The loader would look for a plain name in its own folders and take another library than the
     * one in the current folder.
     */
    @Test
    void librariesAreNamedByTheirFullPaths() {
        Optional<Path> library = Optional.of(Path.of("libcublas.so.12"));
        DeviceOptions options = DeviceOptions.cpu().withLibraries(library, library, library);
        Path full = Path.of(System.getProperty("user.dir"), "libcublas.so.12");
        assertEquals(
                List.of(full, full, full),
                List.of(
                        options.libcuda().orElseThrow(),
                        options.libcublas().orElseThrow(),
                        options.libcudnn().orElseThrow()));
    }

    @Test
    void argumentsOfOtherTypesAreRefused() {
        Kernel kernel = device.module("optimizer").replicated("accumulate");
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> kernel.elementwise(1, 1, "text", null));
        assertTrue(refused.getMessage().contains("accumulate"), refused.getMessage());
    }

    @Test
    void aRunOutOfMemorySaysWhatToDo() {
        CudaException full = assertThrows(CudaException.class, () -> device.allocate(1L << 45));
        assertEquals(2, full.code());
        assertTrue(
                full.getMessage().contains("CUDA_ERROR_OUT_OF_MEMORY")
                        && full.getMessage().contains("smaller batches"),
                full.getMessage());
    }

    @Test
    void theOtherDriverCannotBeOpenedBesideThisOne() {
        assertThrows(
                DeviceUnavailableException.class, () -> Device.open(DeviceOptions.of(DeviceSelector.parse("cuda"))));
    }

    /** CUDA's current context belongs to a thread. */
    @Test
    void aThreadWithoutTheDeviceIsToldWhatToCall() throws Exception {
        try (DeviceBuffer buffer = device.upload(1f);
                Stream stream = device.createStream();
                ExecutorService other = Executors.newSingleThreadExecutor()) {
            Work fill = buffer.fill(0);
            Work add = new Accumulate(device).add(1, buffer, buffer);
            Future<CudaException> refused =
                    other.submit(() -> assertThrows(CudaException.class, () -> add.enqueue(stream)));
            String message = refused.get().getMessage();
            assertTrue(
                    message.contains("CUDA_ERROR_INVALID_CONTEXT") && message.contains("device.makeCurrent()"),
                    message);
            assertArrayEquals(new float[] {1}, other.submit(buffer::toFloats).get(), "which needs none to be current");
            assertArrayEquals(
                    new float[] {0},
                    other.submit(() -> {
                                device.makeCurrent();
                                fill.enqueue(stream);
                                stream.synchronize();
                                return buffer.toFloats();
                            })
                            .get());
        }
    }

    @Test
    void kernelsThatAreNotThereAreNamed() {
        NativeFileException missing = assertThrows(NativeFileException.class, () -> device.module("mine"));
        assertTrue(missing.getMessage().startsWith("there are no kernels 'mine' for "), missing.getMessage());
    }

    /** What a CPU has none of is 0. */
    @Test
    void aKernelTellsWhatABlockOfItTakes() {
        Kernel kernel = device.module("stocks").replicated("stock_metrics");
        assertEquals(0, kernel.registers());
        assertEquals(0, kernel.staticSharedBytes());
        assertEquals(1, kernel.maxThreadsPerBlock(), "cooperative, and so one thread on CPUs");
        assertEquals(1024, device.module("hinge").replicated("hinge_forward").maxThreadsPerBlock());
    }
}
