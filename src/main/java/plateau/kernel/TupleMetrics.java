package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** What training on tuples of images reports, section 3.1 ({@code kernels/tuple.cu}). */
public final class TupleMetrics {
    /**
     * Words of a ring's row that {@link #measure} writes: the step's bits, the loss, both
     * accuracies.
     */
    public static final int METRICS_WORDS = 4;

    private static final int THREADS = 256;

    private final KernelModule module;

    /** Loads the kernel. */
    public TupleMetrics(Device device) {
        module = device.module("tuple");
    }

    /**
     * One kind of thing that is classified.
     *
     * @param loss of each; null where it is not part of what is minimised
     * @param score of each
     * @param label of each, −1 or +1
     */
    public record Scored(DeviceBuffer loss, DeviceBuffer score, DeviceBuffer label) {}

    /**
     * Writes row step mod slots of the ring: the step, the loss (the mean over the n tuples, plus
     * that over the n k images if they have one), the share of tuples and the share of images with
     * y p &gt; 0.
     *
     * @param step one uint32
     * @param ring (slots, 4) words
     */
    public Work measure(int n, int k, Scored tuples, Scored images, DeviceBuffer step, DeviceBuffer ring, int slots) {
        Buffers.of("TupleMetrics.measure")
                .floats("tuples.loss", tuples.loss, n)
                .floatsOrNull("images.loss", images.loss, n, k)
                .floats("tuples.score", tuples.score, n)
                .floats("tuples.label", tuples.label, n)
                .floats("images.score", images.score, n, k)
                .floats("images.label", images.label, n, k)
                .ints("step", step, 1)
                .ring(ring, slots, METRICS_WORDS);
        return module.replicated("tuple_metrics")
                .cooperative(
                        Dim.of(1),
                        THREADS,
                        n,
                        k,
                        tuples.loss,
                        images.loss,
                        tuples.score,
                        tuples.label,
                        images.score,
                        images.label,
                        step,
                        slots,
                        ring)
                .costing(3.0 * n * (1 + k), 3.0 * n * (1 + k) * Float.BYTES);
    }
}
