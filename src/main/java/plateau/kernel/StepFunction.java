package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * The step function u, which rounds down to one of its levels, and its smooth stand-in ũ
 * ({@code kernels/step.cu}).
 */
public final class StepFunction {
    /**
     * Words of a ring's row that {@link #metrics} writes: the step's bits, mean loss, mean squared
     * error, share of exact levels.
     */
    public static final int METRICS_WORDS = 4;

    private static final int SMOOTH_SAMPLES = 64;

    /**
     * Of a sigmoid, its slope and their sums, by count in the source; 21 of them are the
     * exponential.
     */
    private static final int SMOOTH_OPERATIONS = 33;

    private static final int LEVEL_THREADS = 64;
    private static final int METRICS_THREADS = 256;

    private final KernelModule module;

    /** Loads the kernels. */
    public StepFunction(Device device) {
        module = device.module("step");
    }

    /**
     * y(n) = u(r(n)), the largest level that is at most r, the lowest where there is none.
     *
     * @param z (levels), ascending
     */
    public Work forward(int n, int levels, DeviceBuffer z, DeviceBuffer r, DeviceBuffer y) {
        Buffers.of("StepFunction.forward")
                .floats("z", z, levels)
                .floats("r", r, n)
                .floats("y", y, n);
        return module.replicated("step_forward").elementwise(n, n, levels, z, r, y);
    }

    /**
     * y(n) = ũ(r(n)) = z₀ + Σ (zᵢ − zᵢ₋₁) σ(cᵢ (r − mᵢ)), and its derivative.
     *
     * @param z (levels), ascending
     * @param m (levels) midpoints; the first is unused
     * @param c (levels) steepnesses; the first is unused
     * @param derivative (n)
     */
    public Work smoothForward(
            int n,
            int levels,
            DeviceBuffer z,
            DeviceBuffer m,
            DeviceBuffer c,
            DeviceBuffer r,
            DeviceBuffer y,
            DeviceBuffer derivative) {
        Buffers.of("StepFunction.smoothForward")
                .floats("z", z, levels)
                .floats("m", m, levels)
                .floats("c", c, levels)
                .floats("r", r, n)
                .floats("y", y, n)
                .floats("derivative", derivative, n);
        return module.replicated("smooth_step_forward")
                .cooperative(
                        Dim.of(Math.ceilDiv(n, SMOOTH_SAMPLES)), SMOOTH_SAMPLES, n, levels, z, m, c, r, y, derivative)
                .costing((double) SMOOTH_OPERATIONS * n * levels);
    }

    /** dr(n) = dy(n) derivative(n). */
    public Work smoothBackward(int n, DeviceBuffer derivative, DeviceBuffer dy, DeviceBuffer dr) {
        Buffers.of("StepFunction.smoothBackward")
                .floats("derivative", derivative, n)
                .floats("dy", dy, n)
                .floats("dr", dr, n);
        return module.replicated("smooth_step_backward").elementwise(n, n, derivative, dy, dr);
    }

    /**
     * score(n) = the level of the largest logit of each row, the lowest of equal ones.
     *
     * @param z (levels)
     * @param logits (n, levels)
     */
    public Work likeliestLevel(int n, int levels, DeviceBuffer z, DeviceBuffer logits, DeviceBuffer score) {
        Buffers.of("StepFunction.likeliestLevel")
                .floats("z", z, levels)
                .floats("logits", logits, n, levels)
                .floats("score", score, n);
        return module.replicated("likeliest_level").cooperative(Dim.of(n), LEVEL_THREADS, levels, z, logits, score);
    }

    /**
     * Writes row step mod slots of the ring: the step, the mean of loss(n), the mean of
     * (u(score) − y)², and the share of samples with u(score) = y.
     *
     * @param step one uint32
     * @param ring (slots, 4) words
     */
    public Work metrics(
            int n,
            int levels,
            DeviceBuffer z,
            DeviceBuffer loss,
            DeviceBuffer score,
            DeviceBuffer y,
            DeviceBuffer step,
            DeviceBuffer ring,
            int slots) {
        Buffers.of("StepFunction.metrics")
                .floats("z", z, levels)
                .floats("loss", loss, n)
                .floats("score", score, n)
                .floats("y", y, n)
                .ints("step", step, 1)
                .ring(ring, slots, METRICS_WORDS);
        return module.replicated("step_metrics")
                .cooperative(Dim.of(1), METRICS_THREADS, n, levels, z, loss, score, y, step, slots, ring)
                .costing(6.0 * n, (3.0 * n + levels) * Float.BYTES);
    }
}
