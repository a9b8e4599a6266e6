package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** Around the encoders of piecewise-linear curves, section 4 ({@code kernels/pwl.cu}). */
public final class PwlEncoding {
    /**
     * Second moments of a curve that {@link #moments} writes: of (0,0), (0,1), (0,2), (1,1), (1,2),
     * (2,2).
     */
    public static final int MOMENTS = 6;

    private static final int THREADS = 128;

    private final KernelModule module;

    /** Loads the kernels. */
    public PwlEncoding(Device device) {
        module = device.module("pwl");
    }

    /**
     * moments(samples, 6), float64: sums over t = 2 … n − 1 of the products of
     * (f[t − 2], f[t − 1], f[t]).
     *
     * @param f (samples, n)
     */
    public Work moments(int samples, int n, DeviceBuffer f, DeviceBuffer moments) {
        Buffers.of("PwlEncoding.moments").floats("f", f, samples, n).doubles("moments", moments, samples, MOMENTS);
        return module.replicated("pwl_moments").elementwise(samples, samples, n, f, moments);
    }

    /**
     * f(rows, n) = W p with W[i, j] = [i − j + 1]₊.
     *
     * @param p (rows, n − skipped), the entries from position {@code skipped} on; those before are
     *     0
     */
    public Work decode(int rows, int n, int skipped, DeviceBuffer p, DeviceBuffer f) {
        Buffers.of("PwlEncoding.decode").floats("p", p, rows, n - skipped).floats("f", f, rows, n);
        return module.replicated("pwl_decode").cooperative(Dim.of(rows), THREADS, n, skipped, p, f);
    }
}
