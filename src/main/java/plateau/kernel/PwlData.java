package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** Piecewise-linear curves of three pieces, section 4 ({@code kernels/data/pwl.cu}). */
public final class PwlData {
    private static final int CURVES_PER_BLOCK = 16;
    private static final int THREADS = 128;

    private final KernelModule module;

    /**
     * How the positions θ and the changes of slope a are drawn; the order is that of the kernel's
     * constants.
     */
    public enum Law {
        /** θ without replacement from {0, …, n − 1}, a uniform in [−1, 1). */
        PAPER,
        /** As the authors' program: θ between 3 and n − 4, sorted; slopes one of four triples. */
        PROGRAM,
        /** As the authors' autoencoder: θ uniform in [0, n), real; there is no sparse p. */
        REAL
    }

    /** Loads the kernel. */
    public PwlData(Device device) {
        module = device.module("data/pwl");
    }

    /**
     * Curves f(samples, n) and their sparse encodings p(samples, n − skipped), f = W p.
     *
     * @param skipped how many of the first entries of p are left out
     * @param step one uint32: batches of different steps are independent
     * @param p null where it is not wanted
     * @throws IllegalArgumentException if n is too small for three pieces, or p is asked for under
     *     {@link Law#REAL}
     */
    public Work curves(
            int samples,
            int n,
            int skipped,
            Law law,
            DeviceBuffer seed,
            int stream,
            DeviceBuffer step,
            DeviceBuffer f,
            DeviceBuffer p) {
        if (n < (law == Law.PROGRAM ? 9 : 3)) {
            throw new IllegalArgumentException("curves of three pieces need more points than " + n);
        }
        if (law == Law.REAL && p != null) {
            throw new IllegalArgumentException("curves with real positions have no sparse encoding");
        }
        Buffers.of("PwlData.curves")
                .longs("seed", seed, 1)
                .ints("step", step, 1)
                .floats("f", f, samples, n)
                .floatsOrNull("p", p, samples, n - skipped);
        return module.replicated("pwl_curves")
                .cooperative(
                        Dim.of(Math.ceilDiv(samples, CURVES_PER_BLOCK)),
                        THREADS,
                        samples,
                        n,
                        skipped,
                        law.ordinal(),
                        seed,
                        stream,
                        step,
                        f,
                        p);
    }
}
