package plateau.autograd;

import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * −log softmax(p)[label] of each sample.
 *
 * @param kernels launchers
 * @param p logits, (rows, classes), not rectified
 * @param label (rows) int32 in [0, classes)
 * @param loss of each sample, (rows, 1)
 */
public record SoftmaxCrossEntropy(Kernels kernels, Tensor p, DeviceBuffer label, Tensor loss) implements Loss {

    /** Checks the shapes. */
    public SoftmaxCrossEntropy {
        if (label.bytes() != (long) Integer.BYTES * p.rows() || loss.shape().elements() != p.rows() || p.rectified()) {
            throw new IllegalArgumentException(
                    "A cross-entropy takes plain logits and one label per row, not %s and %d bytes of labels"
                            .formatted(p, label.bytes()));
        }
    }

    /** Records the loss of logits {@code p} against labels, and returns the loss of each sample. */
    public static Tensor of(Tape tape, Tensor p, DeviceBuffer label) {
        Tensor loss = tape.tensor("cross-entropy", Shape.of(p.rows(), 1));
        tape.record(new SoftmaxCrossEntropy(tape.kernels(), p, label, loss));
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

    /** dp = (softmax(p) − one-hot(label)) / rows; and the losses. */
    @Override
    public Work backward(Gradients gradients) {
        return run(gradients.into(p));
    }

    private Work run(DeviceBuffer dp) {
        return kernels.losses()
                .softmaxCrossEntropy(p.rows(), p.columns(), 1f / p.rows(), p.values(), label, loss.values(), dp);
    }
}
