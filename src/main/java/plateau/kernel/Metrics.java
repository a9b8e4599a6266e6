package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * What a run reports, reduced on the device into a ring that the host reads now and then
 * ({@code kernels/metrics.cu}).
 */
public final class Metrics {
    /**
     * Words of a ring's row that {@link #lossAndAccuracy} writes: the step's bits, mean loss,
     * accuracy.
     */
    public static final int LOSS_AND_ACCURACY_WORDS = 3;

    private static final int THREADS = 256;

    private final KernelModule module;

    /** Loads the kernels. */
    public Metrics(Device device) {
        module = device.module("metrics");
    }

    /**
     * Writes row step mod slots of the ring: the step, the mean of loss(n), and the share of
     * samples with y p &gt; 0 (a tie counts as wrong).
     *
     * @param step one uint32
     * @param ring (slots, 3) words
     */
    public Work lossAndAccuracy(
            int n, DeviceBuffer loss, DeviceBuffer p, DeviceBuffer y, DeviceBuffer step, DeviceBuffer ring, int slots) {
        Buffers.of("Metrics.lossAndAccuracy")
                .floats("loss", loss, n)
                .floats("p", p, n)
                .floats("y", y, n)
                .ints("step", step, 1)
                .ring(ring, slots, LOSS_AND_ACCURACY_WORDS);
        return module.replicated("loss_and_accuracy")
                .cooperative(Dim.of(1), THREADS, n, loss, p, y, step, slots, ring)
                .costing(3.0 * n, 3.0 * n * Float.BYTES);
    }

    /**
     * Writes row step mod slots of the ring: the step, the mean of loss(n) and, where m is
     * positive, the largest |a − b| of m elements.
     *
     * @param step one uint32
     * @param a null where m is 0, as b
     * @param ring (slots, 3) words, or (slots, 2) where m is 0
     */
    public Work lossAndDistance(
            int n,
            DeviceBuffer loss,
            int m,
            DeviceBuffer a,
            DeviceBuffer b,
            DeviceBuffer step,
            DeviceBuffer ring,
            int slots) {
        Buffers buffers = Buffers.of("Metrics.lossAndDistance")
                .floats("loss", loss, n)
                .ints("step", step, 1)
                .ring(ring, slots, m > 0 ? 3 : 2);
        if (m > 0) {
            buffers.floats("a", a, m).floats("b", b, m);
        }
        return module.replicated("loss_and_distance")
                .cooperative(Dim.of(1), THREADS, n, loss, m, a, b, step, slots, ring)
                .costing(n + 3.0 * m, (n + 2.0 * m) * Float.BYTES);
    }
}
