package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * The gain of investing by a softmax, its gradient, and how noisy that is, appendix A
 * ({@code kernels/stocks.cu}).
 */
public final class StocksLoss {
    /** Words of a ring's row that {@link #metrics} writes: the step's bits and eight numbers. */
    public static final int METRICS_WORDS = 9;

    private static final int THREADS = 256;

    /** Of a share and its gradient, by count in the source; 21 of them are the exponential. */
    private static final int SOFTMAX_OPERATIONS = 28;

    /** Of a share and its powers, likewise. */
    private static final int MOMENT_OPERATIONS = 30;

    private final KernelModule module;

    /** Loads the kernels. */
    public StocksLoss(Device device) {
        module = device.module("stocks");
    }

    /**
     * loss(rows) = −z · softmax(p + bias) of each row, and its gradient, scaled.
     *
     * @param p (rows, k)
     * @param bias (k)
     * @param label (rows) int32 in [0, k)
     * @param signs of z, ⌈k/32⌉ words a row, as {@link StocksData#batch} draws them; null: z is
     *     one-hot at the label
     * @param dp (rows, k); null where only the loss is wanted
     */
    public Work softmaxDot(
            int rows,
            int k,
            float scale,
            DeviceBuffer p,
            DeviceBuffer bias,
            DeviceBuffer label,
            DeviceBuffer signs,
            DeviceBuffer loss,
            DeviceBuffer dp) {
        Buffers.of("StocksLoss.softmaxDot")
                .floats("p", p, rows, k)
                .floats("bias", bias, k)
                .ints("label", label, rows)
                .intsOrNull("signs", signs, rows, Math.ceilDiv(k, Integer.SIZE))
                .floats("loss", loss, rows)
                .floatsOrNull("dp", dp, rows, k);
        return module.replicated("softmax_dot")
                .cooperative(Dim.of(rows), THREADS, k, scale, p, bias, label, signs, loss, dp)
                .costing((double) SOFTMAX_OPERATIONS * rows * k);
    }

    /**
     * Of each row of p(rows, k): right(rows), 1 where the largest score is the label's, the first
     * of equal ones, else 0; and the second moments, over z, of the gradient with respect to
     * p + bias of either loss, endToEnd(rows) and decomposed(rows).
     */
    public Work gradientMoments(
            int rows,
            int k,
            DeviceBuffer p,
            DeviceBuffer bias,
            DeviceBuffer label,
            DeviceBuffer right,
            DeviceBuffer endToEnd,
            DeviceBuffer decomposed) {
        Buffers.of("StocksLoss.gradientMoments")
                .floats("p", p, rows, k)
                .floats("bias", bias, k)
                .ints("label", label, rows)
                .floats("right", right, rows)
                .floats("endToEnd", endToEnd, rows)
                .floats("decomposed", decomposed, rows);
        return module.replicated("softmax_gradient_moments")
                .cooperative(Dim.of(rows), THREADS, k, p, bias, label, right, endToEnd, decomposed)
                .costing((double) MOMENT_OPERATIONS * rows * k);
    }

    /**
     * Writes row step mod slots of the ring: the step; the mean of loss(n); over the d inputs the
     * mean of exactLoss(d) and right(d); E‖∇ − E∇‖² of the end-to-end and of the decomposed
     * gradient and their ratio (0 where the latter has none); E‖∇‖² of both.
     *
     * @param endToEnd (d) of {@link #gradientMoments}
     * @param decomposed (d) likewise
     * @param mean (k) gradient of the exact loss with respect to the bias
     * @param step one uint32
     * @param ring (slots, 9) words
     */
    public Work metrics(
            int n,
            int d,
            int k,
            DeviceBuffer loss,
            DeviceBuffer exactLoss,
            DeviceBuffer right,
            DeviceBuffer endToEnd,
            DeviceBuffer decomposed,
            DeviceBuffer mean,
            DeviceBuffer step,
            DeviceBuffer ring,
            int slots) {
        Buffers.of("StocksLoss.metrics")
                .floats("loss", loss, n)
                .floats("exactLoss", exactLoss, d)
                .floats("right", right, d)
                .floats("endToEnd", endToEnd, d)
                .floats("decomposed", decomposed, d)
                .floats("mean", mean, k)
                .ints("step", step, 1)
                .ring(ring, slots, METRICS_WORDS);
        return module.replicated("stock_metrics")
                .cooperative(
                        Dim.of(1),
                        THREADS,
                        n,
                        d,
                        k,
                        loss,
                        exactLoss,
                        right,
                        endToEnd,
                        decomposed,
                        mean,
                        step,
                        slots,
                        ring)
                .costing(n + 4.0 * d + 2.0 * k);
    }
}
