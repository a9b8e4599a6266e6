package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * Losses of rows of outputs, and their gradients ({@code kernels/loss.cu}). A gradient is of
 * {@code scale} times the loss: 1/rows for the mean over a batch.
 */
public final class Losses {
    private static final int THREADS = 128;

    /**
     * Of an element of a softmax with its gradient, by count in the source: two exponentials of 21,
     * a maximum, a sum and a product.
     */
    private static final int SOFTMAX_OPERATIONS = 48;

    private final KernelModule module;

    /** Loads the kernels. */
    public Losses(Device device) {
        module = device.module("loss");
    }

    /**
     * loss(rows) = weight · Σ (p − y)² over each row.
     *
     * @param p (rows, columns)
     * @param y (rows, columns)
     * @param dp (rows, columns); null where only the loss is wanted
     */
    public Work squaredError(
            int rows,
            int columns,
            float weight,
            float scale,
            DeviceBuffer p,
            DeviceBuffer y,
            DeviceBuffer loss,
            DeviceBuffer dp) {
        Buffers.of("Losses.squaredError")
                .floats("p", p, rows, columns)
                .floats("y", y, rows, columns)
                .floats("loss", loss, rows)
                .floatsOrNull("dp", dp, rows, columns);
        if (columns == 1) {
            return module.replicated("squared_error_single")
                    .elementwise(rows, rows, weight, scale, p, y, loss, dp)
                    .costing(5.0 * rows);
        }
        return module.replicated("squared_error")
                .cooperative(Dim.of(rows), THREADS, columns, weight, scale, p, y, loss, dp)
                .costing(5.0 * rows * columns);
    }

    /**
     * loss(rows) = −log softmax(p)[label] of each row.
     *
     * @param p logits, (rows, classes)
     * @param label (rows) int32 in [0, classes)
     * @param dp (rows, classes); null where only the loss is wanted
     */
    public Work softmaxCrossEntropy(
            int rows,
            int classes,
            float scale,
            DeviceBuffer p,
            DeviceBuffer label,
            DeviceBuffer loss,
            DeviceBuffer dp) {
        Buffers.of("Losses.softmaxCrossEntropy")
                .floats("p", p, rows, classes)
                .ints("label", label, rows)
                .floats("loss", loss, rows)
                .floatsOrNull("dp", dp, rows, classes);
        return module.replicated("softmax_cross_entropy")
                .cooperative(Dim.of(rows), THREADS, classes, scale, p, label, loss, dp)
                .costing((double) SOFTMAX_OPERATIONS * rows * classes);
    }
}
