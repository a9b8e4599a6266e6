package plateau.autograd;

import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * y = u(r), rounded down to a level, with a backward message that is handed on as if u were the
 * identity (section 5.5, "forward-only").
 *
 * @param kernels launchers
 * @param z the levels, ascending
 * @param r (rows, columns), not rectified
 * @param y of the same shape
 */
public record ForwardOnlyStep(Kernels kernels, Tensor z, Tensor r, Tensor y) implements Operation {

    /** Checks the shapes. */
    public ForwardOnlyStep {
        if (!r.shape().equals(y.shape()) || r.rectified()) {
            throw new IllegalArgumentException("A step takes a plain input and an output of one shape, not %s and %s".formatted(r, y));
        }
    }

    /** Records u(r), and returns it. */
    public static Tensor of(Tape tape, Tensor z, Tensor r) {
        Tensor y = tape.tensor("step", r.shape());
        tape.record(new ForwardOnlyStep(tape.kernels(), z, r, y));
        return y;
    }

    @Override
    public List<Tensor> inputs() {
        return List.of(r);
    }

    @Override
    public List<Tensor> outputs() {
        return List.of(y);
    }

    @Override
    public Work forward() {
        return kernels.stepFunction().forward(r.shape().elements(), z.shape().elements(), z.values(), r.values(), y.values());
    }

    /** dr = dy, although the derivative of u is zero. */
    @Override
    public Work backward(Gradients gradients) {
        long bytes = (long) Float.BYTES * r.shape().elements();
        DeviceBuffer dy = gradients.of(y).slice(0, bytes);
        return gradients.into(r).slice(0, bytes).copyFrom(dy);
    }
}
