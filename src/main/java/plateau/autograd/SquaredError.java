package plateau.autograd;

import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * weight · Σ (p − y)² of each sample.
 *
 * @param kernels launchers
 * @param weight 1 for the sum over a row, 1/columns for its mean
 * @param p outputs, (rows, columns), not rectified
 * @param y targets, of the same shape
 * @param loss of each sample, (rows, 1)
 */
public record SquaredError(Kernels kernels, float weight, Tensor p, Tensor y, Tensor loss) implements Loss {

    /** Checks the shapes. */
    public SquaredError {
        if (!p.shape().equals(y.shape()) || loss.shape().elements() != p.rows() || p.rectified()) {
            throw new IllegalArgumentException("A squared error takes plain outputs and targets of one shape, not %s and %s".formatted(p, y));
        }
    }

    /**
     * Records the loss of outputs {@code p} against targets {@code y}, and returns the loss of each
     * sample.
     */
    public static Tensor of(Tape tape, float weight, Tensor p, Tensor y) {
        Tensor loss = tape.tensor("squared error", Shape.of(p.rows(), 1));
        tape.record(new SquaredError(tape.kernels(), weight, p, y, loss));
        return loss;
    }

    @Override
    public List<Tensor> inputs() {
        return List.of(p);
    }

    @Override
    public List<Tensor> outputs() {
        return List.of(loss);
    }

    @Override
    public Work forward() {
        return run(null);
    }

    /** dp = 2 weight (p − y) / rows; and the losses. */
    @Override
    public Work backward(Gradients gradients) {
        return run(gradients.into(p));
    }

    private Work run(DeviceBuffer dp) {
        return kernels.losses().squaredError(p.rows(), p.columns(), weight, 1f / p.rows(), p.values(), y.values(), loss.values(), dp);
    }
}
