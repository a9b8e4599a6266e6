package plateau.autograd;

import java.util.List;
import plateau.cuda.Work;

/**
 * max(0, 1 − y·p) of each sample.
 *
 * @param kernels launchers
 * @param p scores, (rows, 1), not rectified
 * @param y labels, −1 or +1, (rows, 1)
 * @param loss of each sample, (rows, 1)
 */
public record HingeLoss(Kernels kernels, Tensor p, Tensor y, Tensor loss) implements Loss {

    /** Checks the shapes. */
    public HingeLoss {
        if (p.columns() != 1 || !p.shape().equals(y.shape()) || !p.shape().equals(loss.shape()) || p.rectified()) {
            throw new IllegalArgumentException("A hinge takes one plain score and one label per row, not %s and %s".formatted(p, y));
        }
    }

    /**
     * Records the loss of scores {@code p} against labels {@code y}, and returns the loss of each
     * sample.
     */
    public static Tensor of(Tape tape, Tensor p, Tensor y) {
        Tensor loss = tape.tensor("hinge", p.shape());
        tape.record(new HingeLoss(tape.kernels(), p, y, loss));
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
        return kernels.hinge().forward(p.rows(), p.values(), y.values(), loss.values());
    }

    /** dp = −y/rows where y·p &lt; 1, else 0; and the losses. */
    @Override
    public Work backward(Gradients gradients) {
        return kernels.hinge().forwardBackward(p.rows(), 1f / p.rows(), p.values(), y.values(), loss.values(), gradients.into(p));
    }
}
