package plateau.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jcuda.Pointer;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;
import plateau.cuda.load.JCudaLibrary;
import plateau.cuda.load.Libraries;
import plateau.cuda.load.LibrarySearch;
import plateau.cuda.trace.Category;
import plateau.cuda.trace.Range;
import plateau.cuda.trace.Trace;

/**
 * Matrix products by cuBLAS. All matrices are row-major; cuBLAS's are column-major, so every
 * product is asked for transposed.
 */
public final class Blas {
    private static final Pointer ONE = Pointer.to(new float[] {1});
    private static final Pointer ZERO = Pointer.to(new float[] {0});

    /** Compute capability from which cuBLAS wants the larger workspace. */
    private static final int HOPPER = 9;

    private final HandlePool<Handle> handles = new HandlePool<>(Blas::create, this::attach, Blas::destroy);
    private final long workspaceBytes;
    private final int version;

    /**
     * A handle and the memory that its products may use, from its first stream on: cuBLAS would
     * otherwise take some from the device while a stream captures.
     */
    private static final class Handle {
        final cublasHandle handle = new cublasHandle();
        CUdeviceptr workspace;
    }

    private Blas(Device device) {
        workspaceBytes = workspaceBytes(device);
        Handle first = create();
        int[] found = new int[1];
        try {
            check("cublasGetVersion", JCublas2.cublasGetVersion(first.handle, found));
        } catch (RuntimeException e) {
            Releases.after(e, () -> destroy(first));
            throw e;
        }
        version = found[0];
        handles.add(first);
    }

    /** As NVIDIA recommends beside cublasSetWorkspace; the CPU's uses none. */
    private static long workspaceBytes(Device device) {
        if (device.isCpu()) {
            return 1 << 10;
        }
        return device.attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) >= HOPPER
                ? 32 << 20
                : 4 << 20;
    }

    private static Handle create() {
        Handle handle = new Handle();
        check("cublasCreate", JCublas2.cublasCreate(handle.handle));
        return handle;
    }

    /** The workspace after the stream, which takes it away. */
    private void attach(Handle handle, Stream stream) {
        if (handle.workspace == null) {
            CUdeviceptr workspace = new CUdeviceptr();
            CudaException.check(
                    "cuMemAlloc(" + workspaceBytes + " bytes)", JCudaDriver.cuMemAlloc(workspace, workspaceBytes));
            handle.workspace = workspace;
        }
        check("cublasSetStream", JCublas2.cublasSetStream(handle.handle, new cudaStream_t(stream.stream())));
        check("cublasSetWorkspace", JCublas2.cublasSetWorkspace(handle.handle, handle.workspace, workspaceBytes));
    }

    private static void destroy(Handle handle) {
        List<Runnable> all = new ArrayList<>();
        all.add(() -> check("cublasDestroy", JCublas2.cublasDestroy(handle.handle)));
        if (handle.workspace != null) {
            all.add(() -> CudaException.check("cuMemFree", JCudaDriver.cuMemFree(handle.workspace)));
        }
        Releases.all(all);
    }

    /** Loads cuBLAS where it works. */
    static Availability<Blas> open(Device device, Libraries libraries) {
        LibrarySearch found = libraries.loadCublas();
        return found.file().isPresent()
                ? device.within(() -> load(device, found.words()))
                : Availability.none(found.words());
    }

    private static Availability<Blas> load(Device device, String where) {
        try {
            JCudaLibrary.load("JCublas2", () -> JCublas2.setExceptionsEnabled(false));
            return new Availability<>(Optional.of(new Blas(device)), where);
        } catch (UnsatisfiedLinkError | CudaException e) {
            return Availability.none(where, e);
        }
    }

    /** cuBLAS's version number. */
    public int version() {
        return version;
    }

    /**
     * C = op(A) op(B), all row-major: C is (m, n), op(A) is (m, k), op(B) is (k, n).
     *
     * @param transposeA whether A is stored as (k, m)
     * @param transposeB whether B is stored as (n, k)
     * @param lda elements from one stored row of A to the next; likewise ldb, ldc
     */
    public Work gemm(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            DeviceBuffer a,
            int lda,
            DeviceBuffer b,
            int ldb,
            DeviceBuffer c,
            int ldc) {
        if (!a.replicas().equals(c.replicas()) || !b.replicas().equals(c.replicas())) {
            throw new IllegalArgumentException("a product of matrices of which there are %d, %d and %d replicas"
                    .formatted(a.replicaCount(), b.replicaCount(), c.replicaCount()));
        }
        return new Gemm(this, transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc);
    }

    private record Gemm(
            Blas blas,
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            DeviceBuffer a,
            int lda,
            DeviceBuffer b,
            int ldb,
            DeviceBuffer c,
            int ldc)
            implements Work {
        @Override
        public void enqueue(Stream stream) {
            a.requireOpen("gemm");
            b.requireOpen("gemm");
            c.requireOpen("gemm");
            cublasHandle handle = blas.handles.of(stream).handle;
            stream.before();
            try (Range _ = Trace.open(Category.LIBRARY, name())) {
                if (c.replicaCount() == 1) {
                    product(handle);
                } else {
                    productInReplicas(handle);
                }
            }
            stream.after(this);
        }

        private void product(cublasHandle handle) {
            check(
                    "cublasSgemm",
                    JCublas2.cublasSgemm(
                            handle,
                            operation(transposeB),
                            operation(transposeA),
                            n,
                            m,
                            k,
                            ONE,
                            b.pointer(),
                            ldb,
                            a.pointer(),
                            lda,
                            ZERO,
                            c.pointer(),
                            ldc));
        }

        private void productInReplicas(cublasHandle handle) {
            long stride = c.replicas().stride() / Float.BYTES;
            check(
                    "cublasSgemmStridedBatched",
                    JCublas2.cublasSgemmStridedBatched(
                            handle,
                            operation(transposeB),
                            operation(transposeA),
                            n,
                            m,
                            k,
                            ONE,
                            b.pointer(),
                            ldb,
                            stride,
                            a.pointer(),
                            lda,
                            stride,
                            ZERO,
                            c.pointer(),
                            ldc,
                            stride,
                            c.replicaCount()));
        }

        private static int operation(boolean transposed) {
            return transposed ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
        }

        @Override
        public String name() {
            return "cublasSgemm";
        }

        @Override
        public Cost cost() {
            return new Cost(
                    2.0 * c.replicaCount() * m * n * k,
                    (double) Float.BYTES * c.replicaCount() * ((double) m * k + (double) k * n + (double) m * n));
        }
    }

    private static void check(String call, int status) {
        if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
            throw new CudaException(call, status, cublasStatus.stringFor(status), "");
        }
    }

    /** Handles that there are, and those of them that a stream has. */
    HandlePool.Size handles() {
        return handles.size();
    }

    /** A stream is about to be closed. */
    void forget(Stream stream) {
        handles.forget(stream);
    }

    void close() {
        handles.close();
    }
}
