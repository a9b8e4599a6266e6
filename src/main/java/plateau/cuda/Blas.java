package plateau.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jcuda.Pointer;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import plateau.cuda.load.JCudaLibrary;
import plateau.cuda.load.Libraries;
import plateau.cuda.load.LibrarySearch;

/**
 * Matrix products by cuBLAS. All matrices are row-major; cuBLAS's are column-major, so every
 * product is asked for transposed.
 */
public final class Blas {
    private static final Pointer ONE = Pointer.to(new float[] {1});
    private static final Pointer ZERO = Pointer.to(new float[] {0});

    /**
     * One for each stream: products on two streams that shared one would share its workspace, and
     * then cuBLAS does not promise the same bits every time.
     */
    private final Map<Stream, cublasHandle> handles = new HashMap<>();

    private final int version;

    private Blas() {
        cublasHandle handle = create();
        int[] found = new int[1];
        try (Releases.Release _ = () -> destroy(handle)) { // whose failure does not hide the first
            check("cublasGetVersion", JCublas2.cublasGetVersion(handle, found));
        }
        version = found[0];
    }

    private static void destroy(cublasHandle handle) {
        check("cublasDestroy", JCublas2.cublasDestroy(handle));
    }

    private static cublasHandle create() {
        cublasHandle handle = new cublasHandle();
        check("cublasCreate", JCublas2.cublasCreate(handle));
        return handle;
    }

    /** Loads cuBLAS where it works. */
    static Availability<Blas> open(Device device, Libraries libraries) {
        device.makeCurrent();
        LibrarySearch found = libraries.loadCublas();
        if (found.file().isEmpty()) {
            return Availability.none(found.words());
        }
        try {
            JCudaLibrary.load("JCublas2", () -> JCublas2.setExceptionsEnabled(false));
            return new Availability<>(Optional.of(new Blas()), found.words());
        } catch (UnsatisfiedLinkError | CudaException e) {
            return Availability.none(found.words(), e);
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
            cublasHandle handle = blas.handle(stream);
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

        private static int operation(boolean transposed) {
            return transposed ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
        }

        @Override
        public String name() {
            return "cublasSgemm";
        }

        @Override
        public Cost cost() {
            return new Cost(2.0 * m * n * k, (double) Float.BYTES * ((double) m * k + (double) k * n + (double) m * n));
        }
    }

    private static void check(String call, int status) {
        if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
            throw new CudaException(call, status, cublasStatus.stringFor(status), "");
        }
    }

    private synchronized cublasHandle handle(Stream stream) {
        return handles.computeIfAbsent(stream, _ -> {
            cublasHandle handle = create();
            try {
                check(
                        "cublasSetStream",
                        JCublas2.cublasSetStream(handle, new jcuda.runtime.cudaStream_t(stream.stream())));
            } catch (RuntimeException e) {
                Releases.after(e, () -> destroy(handle));
                throw e;
            }
            return handle;
        });
    }

    /** Streams that have a handle. */
    synchronized int handles() {
        return handles.size();
    }

    /** A stream is about to be closed. */
    synchronized void forget(Stream stream) {
        cublasHandle handle = handles.remove(stream);
        if (handle != null) {
            destroy(handle);
        }
    }

    synchronized void close() {
        Releases.all(List.copyOf(handles.keySet()).stream()
                .<Runnable>map(stream -> () -> forget(stream))
                .toList());
    }
}
