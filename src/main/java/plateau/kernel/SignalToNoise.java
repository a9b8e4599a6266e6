package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * Signal and noise of the gradients with respect to one layer's weights, section 3.2
 * ({@code kernels/snr.cu}). Sums over samples are float64.
 */
public final class SignalToNoise {
    /**
     * Metrics of one approach that {@link #estimate} writes: Sig, Noi, Sig/Noi, its natural
     * logarithm, the unbiased estimate of Sig, and that one's standard error.
     */
    public static final int METRICS = 6;

    private static final int ROWS = 4;
    private static final int COLUMNS = 128;
    private static final int THREADS = 256;

    private final KernelModule module;

    /** Loads the kernels. */
    public SignalToNoise(Device device) {
        module = device.module("snr");
    }

    /** Bytes of the moments of so many weights. */
    public static long momentBytes(int weights) {
        return (weights + 1L) * (weights + 1) * Double.BYTES;
    }

    /**
     * vector(n, weights + 1), float64: h·g of each sample, and a 1. Where a sample is a tuple of k
     * inputs of the layer, g = Σ slope · feature over the first {@code summed} of them.
     *
     * @param scale factor of dscore
     * @param dscore (n, k), the slopes; null: 1
     * @param feature (n, k, weights), what the layer reads
     * @param stride from one sample's label h to the next one's
     * @param label h, −1 or +1
     */
    public Work labelledGradients(
            int n,
            int weights,
            int k,
            int summed,
            float scale,
            DeviceBuffer dscore,
            DeviceBuffer feature,
            int stride,
            DeviceBuffer label,
            DeviceBuffer vector) {
        Buffers.of("SignalToNoise.labelledGradients")
                .floatsOrNull("dscore", dscore, n, k)
                .floats("feature", feature, n, k, weights)
                .floats("label", label, (n - 1L) * stride + 1)
                .doubles("vector", vector, n, weights + 1L);
        return module.replicated("labelled_gradients")
                .cooperative(Dim.of(n), THREADS, weights + 1, k, summed, scale, dscore, feature, stride, label, vector)
                .costing(2.0 * n * summed * weights);
    }

    /**
     * Adds the second moments Σ vector vectorᵀ of n samples, upper triangle, to those of the
     * samples before.
     *
     * @param vector (n, weights + 1) as {@link #labelledGradients} writes it
     * @param moment {@link #momentBytes}; zero at the start
     */
    public Work addMoments(int n, int weights, DeviceBuffer vector, DeviceBuffer moment) {
        Buffers.of("SignalToNoise.addMoments")
                .doubles("vector", vector, n, weights + 1L)
                .bytes("moment", moment, momentBytes(weights));
        int count = weights + 1;
        return module.replicated("gradient_moments")
                .cooperative(
                        Dim.of(Math.ceilDiv(count, COLUMNS), Math.ceilDiv(count, ROWS)),
                        COLUMNS,
                        n,
                        count,
                        vector,
                        moment)
                .costing((double) n * count * count);
    }

    /**
     * Writes row step mod slots of the ring: the step, and {@link #METRICS} for each approach.
     *
     * @param step one uint32
     * @param ring (slots, 13) words
     */
    public Work estimate(
            int weights,
            DeviceBuffer endToEnd,
            DeviceBuffer decomposition,
            DeviceBuffer step,
            DeviceBuffer ring,
            int slots) {
        Buffers.of("SignalToNoise.estimate")
                .bytes("endToEnd", endToEnd, momentBytes(weights))
                .bytes("decomposition", decomposition, momentBytes(weights))
                .ints("step", step, 1)
                .ring(ring, slots, 1 + 2 * METRICS);
        return module.replicated("signal_to_noise")
                .cooperative(Dim.of(1), THREADS, weights + 1, endToEnd, decomposition, step, slots, ring);
    }
}
