package plateau.cuda;

import static jcuda.jcublas.JCublas2.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import jcuda.Pointer;
import jcuda.driver.CUresult;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;

/**
 * The CPU's cuBLAS through JCublas: the calls Plateau's own class does not make, and the statuses
 * of wrong ones. Column-major, as cuBLAS is.
 */
class BlasAbiTest {
    private static final Pointer ONE = Pointer.to(new float[] {1}),
            TWO = Pointer.to(new float[] {2}),
            ZERO = Pointer.to(new float[] {0});

    private Device device;
    private Stream stream;
    private DeviceBuffer workspace;
    private final cublasHandle handle = new cublasHandle();

    @BeforeEach
    void open() {
        device = Device.open(DeviceOptions.cpu());
        device.blas().orElseThrow();
        stream = device.createStream();
        ok(cublasCreate(handle));
        ok(cublasSetStream(handle, new cudaStream_t(stream.stream())));
        workspace = device.allocate(256);
        ok(cublasSetWorkspace(handle, workspace.pointer(), 256));
    }

    @AfterEach
    void close() {
        ok(cublasDestroy(handle));
        workspace.close();
        stream.close();
        assertEquals(LiveObjects.NONE, device.live());
        device.close();
    }

    private static void ok(int status) {
        is(cublasStatus.CUBLAS_STATUS_SUCCESS, status);
    }

    private static void is(int expected, int status) {
        assertEquals(cublasStatus.stringFor(expected), cublasStatus.stringFor(status));
    }

    @Test
    void gemvMultipliesAMatrixAndAVector() {
        try (DeviceBuffer a = device.upload(1f, 2f, 3f, 4f, 5f, 6f); // columns (1,2), (3,4), (5,6)
                DeviceBuffer x = device.upload(1f, 1f, 2f);
                DeviceBuffer y = device.upload(10f, 20f);
                DeviceBuffer z = device.allocate(12)) {
            ok(cublasSgemv(
                    handle,
                    cublasOperation.CUBLAS_OP_N,
                    2,
                    3,
                    TWO,
                    a.pointer(),
                    2,
                    x.pointer(),
                    1,
                    ONE,
                    y.pointer(),
                    1));
            ok(cublasSgemv(
                    handle,
                    cublasOperation.CUBLAS_OP_T,
                    2,
                    3,
                    ONE,
                    a.pointer(),
                    2,
                    x.pointer(),
                    1,
                    ZERO,
                    z.pointer(),
                    1));
            stream.synchronize();
            assertArrayEquals(new float[] {10 + 2 * 14, 20 + 2 * 18}, y.toFloats());
            assertArrayEquals(new float[] {3, 7, 11}, z.toFloats());
        }
    }

    @Test
    void batchesAreStrided() {
        try (DeviceBuffer a = device.upload(1f, 2f, 3f, 4f);
                DeviceBuffer b = device.upload(5f, 6f, 7f, 8f);
                DeviceBuffer c = device.allocate(2 * 4)) {
            // Two products of (1, 2) and (2, 1).
            ok(cublasSgemmStridedBatched(
                    handle,
                    cublasOperation.CUBLAS_OP_N,
                    cublasOperation.CUBLAS_OP_N,
                    1,
                    1,
                    2,
                    ONE,
                    a.pointer(),
                    1,
                    2,
                    b.pointer(),
                    2,
                    2,
                    ZERO,
                    c.pointer(),
                    1,
                    1,
                    2));
            stream.synchronize();
            assertArrayEquals(new float[] {1 * 5 + 2 * 6, 3 * 7 + 4 * 8}, c.toFloats());
        }
    }

    @Test
    void productsAreCaptured() {
        try (DeviceBuffer a = device.upload(2f);
                DeviceBuffer c = device.upload(1f)) {
            // c = a c, twice a replay.
            Runnable product = () -> ok(cublasSgemm(
                    handle,
                    cublasOperation.CUBLAS_OP_N,
                    cublasOperation.CUBLAS_OP_N,
                    1,
                    1,
                    1,
                    ONE,
                    a.pointer(),
                    1,
                    a.pointer(),
                    1,
                    ONE,
                    c.pointer(),
                    1));
            try (Graph graph = stream.capture(() -> {
                        product.run();
                        product.run();
                    });
                    GraphExec exec = graph.instantiate()) {
                assertEquals(2, graph.nodeCount());
                exec.enqueue(stream);
                exec.enqueue(stream);
                stream.synchronize();
                assertArrayEquals(new float[] {1 + 4 * 4}, c.toFloats());
            }
        }
    }

    private int multiply(DeviceBuffer a) {
        int none = cublasOperation.CUBLAS_OP_N;
        return cublasSgemm(handle, none, none, 1, 1, 1, ONE, a.pointer(), 1, a.pointer(), 1, ZERO, a.pointer(), 1);
    }

    /** NVIDIA's would take memory from the device inside the capture. */
    @Test
    void aProductIsCapturedWithAWorkspaceOfItsOwn() {
        try (DeviceBuffer a = device.upload(1f)) {
            ok(cublasSetStream(handle, new cudaStream_t(stream.stream()))); // takes the workspace away
            ok(multiply(a));
            stream.capture(() -> is(cublasStatus.CUBLAS_STATUS_ALLOC_FAILED, multiply(a)))
                    .close();
            is(
                    cublasStatus.CUBLAS_STATUS_INVALID_VALUE,
                    cublasSetWorkspace(handle, workspace.pointer().withByteOffset(4), 64));
            is(cublasStatus.CUBLAS_STATUS_INVALID_VALUE, cublasSetWorkspace(handle, workspace.pointer(), 512));
            ok(cublasSetWorkspace(handle, workspace.pointer(), 256));
            stream.capture(() -> ok(multiply(a))).close();
            try (DeviceBuffer other = device.allocate(256)) {
                ok(cublasSetWorkspace(handle, other.pointer(), 256));
            }
            is(cublasStatus.CUBLAS_STATUS_EXECUTION_FAILED, multiply(a)); // its workspace is gone
        }
    }

    /** Making a handle allocates; destroying one waits for the device. */
    @Test
    void handlesAreNeitherMadeNorDestroyedDuringACapture() throws Exception {
        CudaException spoilt = assertThrows(
                CudaException.class,
                () -> stream.capture(
                        () -> is(cublasStatus.CUBLAS_STATUS_ALLOC_FAILED, cublasCreate(new cublasHandle()))));
        assertEquals(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, spoilt.code());
        cublasHandle other = new cublasHandle();
        ok(cublasCreate(other));
        int[] status = new int[1];
        spoilt = assertThrows(
                CudaException.class,
                () -> stream.capture(() -> {
                    Thread destroying = new Thread(() -> {
                        device.makeCurrent();
                        status[0] = cublasDestroy(other);
                    });
                    destroying.start();
                    assertDoesNotThrow(() -> destroying.join());
                }));
        assertEquals(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, spoilt.code());
        is(cublasStatus.CUBLAS_STATUS_INTERNAL_ERROR, status[0]);
    }

    @Test
    void aHandleBelongsToItsDevice() {
        try (Device second = Device.open(DeviceOptions.of(DeviceSelector.parse("cpu:1")));
                DeviceBuffer a = device.upload(1f)) {
            second.makeCurrent();
            is(cublasStatus.CUBLAS_STATUS_NOT_INITIALIZED, multiply(a));
            is(cublasStatus.CUBLAS_STATUS_NOT_INITIALIZED, cublasDestroy(handle));
            device.makeCurrent();
            ok(multiply(a));
        }
        device.makeCurrent();
    }

    @Test
    void wrongCallsGetTheirStatus() {
        try (DeviceBuffer a = device.allocate(4 * 16)) {
            int n = cublasOperation.CUBLAS_OP_N;
            is(
                    cublasStatus.CUBLAS_STATUS_INVALID_VALUE,
                    cublasSgemm(handle, n, n, -1, 1, 1, ONE, a.pointer(), 1, a.pointer(), 1, ZERO, a.pointer(), 1));
            is(
                    cublasStatus.CUBLAS_STATUS_INVALID_VALUE,
                    cublasSgemm(handle, n, n, 4, 1, 1, ONE, a.pointer(), 3, a.pointer(), 1, ZERO, a.pointer(), 4));
            is(
                    cublasStatus.CUBLAS_STATUS_EXECUTION_FAILED,
                    cublasSgemm(handle, n, n, 8, 8, 8, ONE, a.pointer(), 8, a.pointer(), 8, ZERO, a.pointer(), 8));
            ok(cublasSgemm(handle, n, n, 0, 4, 4, ONE, a.pointer(), 4, a.pointer(), 4, ZERO, a.pointer(), 4));
            int[] version = new int[1];
            ok(cublasGetVersion(handle, version));
            assertEquals(120600, version[0]);
            is(cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED, JCublas2.cublasSasum(handle, 1, a.pointer(), 1, a.pointer()));
        }
    }
}
