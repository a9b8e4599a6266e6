package plateau.autograd;

import java.util.List;
import plateau.cuda.Work;

/**
 * y = 1/(1 + e⁻ˣ), element by element.
 *
 * @param kernels launchers
 * @param x of any shape, not rectified
 * @param y of the same shape
 */
public record SigmoidActivation(Kernels kernels, Tensor x, Tensor y) implements Operation {

    /** Checks the shapes. */
    public SigmoidActivation {
        if (!x.shape().equals(y.shape()) || x.rectified()) {
            throw new IllegalArgumentException(
                    "A sigmoid takes a plain input and an output of one shape, not %s and %s".formatted(x, y));
        }
    }

    /** Records the sigmoid of {@code x}, and returns it. */
    public static Tensor of(Tape tape, Tensor x) {
        Tensor y = tape.tensor("sigmoid", x.shape());
        tape.record(new SigmoidActivation(tape.kernels(), x, y));
        return y;
    }

    @Override
    public List<Tensor> inputs() {
        return List.of(x);
    }

    @Override
    public List<Tensor> outputs() {
        return List.of(y);
    }

    @Override
    public Work forward() {
        return kernels.sigmoid().forward(x.shape().elements(), x.values(), y.values());
    }

    /** dx = dy y (1 − y). */
    @Override
    public Work backward(Gradients gradients) {
        return kernels.sigmoid().backward(x.shape().elements(), y.values(), gradients.of(y), gradients.into(x));
    }
}
