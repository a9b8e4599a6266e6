package plateau.autograd;

import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * The scores themselves in the place of a loss, so that what is differentiated is their mean: a way
 * to the gradient of the network's output.
 *
 * @param p scores, (rows, 1), not rectified
 * @param loss a copy of them, (rows, 1)
 */
public record MeanScore(Tensor p, Tensor loss) implements Loss {

    /** Checks the shapes. */
    public MeanScore {
        if (p.columns() != 1 || !p.shape().equals(loss.shape()) || p.rectified()) {
            throw new IllegalArgumentException("A mean takes one plain score per row, not " + p);
        }
    }

    /** Records scores {@code p} as a loss, and returns it. */
    public static Tensor of(Tape tape, Tensor p) {
        Tensor loss = tape.tensor("mean score", p.shape());
        tape.record(new MeanScore(p, loss));
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
        long bytes = (long) Float.BYTES * p.rows();
        return loss.values().slice(0, bytes).copyFrom(p.values().slice(0, bytes));
    }

    /** dp = 1/rows; and the scores. */
    @Override
    public Work backward(Gradients gradients) {
        DeviceBuffer dp = gradients.into(p).slice(0, (long) Float.BYTES * p.rows());
        return Work.sequence("mean backward", List.of(forward(), dp.fill(Float.floatToRawIntBits(1f / p.rows()))));
    }
}
