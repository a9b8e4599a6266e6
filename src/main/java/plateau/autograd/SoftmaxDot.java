package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * −z · softmax(p + bias) of each sample: the loss of whoever invests by that softmax in stocks that
 * move by z (appendix A).
 *
 * @param kernels launchers
 * @param p scores, (rows, k), not rectified
 * @param bias (k)
 * @param label (rows) int32 in [0, k)
 * @param signs of z, bits as the data kernel draws them; null: z is one-hot at the label
 * @param loss of each sample, (rows, 1)
 */
public record SoftmaxDot(Kernels kernels, Tensor p, Tensor bias, DeviceBuffer label, DeviceBuffer signs, Tensor loss)
        implements Loss {

    /** Checks the shapes. */
    public SoftmaxDot {
        if (label.bytes() != (long) Integer.BYTES * p.rows()
                || bias.shape().elements() != p.columns()
                || loss.shape().elements() != p.rows()
                || p.rectified()) {
            throw new IllegalArgumentException(("A softmax takes plain scores, a bias per column and one label per row,"
                            + " not %s, %s and %d label bytes")
                    .formatted(p, bias, label.bytes()));
        }
    }

    /**
     * Records the loss of scores {@code p} plus {@code bias}, and returns the loss of each sample.
     */
    public static Tensor of(Tape tape, Tensor p, Tensor bias, DeviceBuffer label, DeviceBuffer signs) {
        Tensor loss = tape.tensor("softmax dot", Shape.of(p.rows(), 1));
        tape.record(new SoftmaxDot(tape.kernels(), p, bias, label, signs, loss));
        return loss;
    }

    @Override
    public List<Tensor> inputs() {
        return List.of(p, bias);
    }

    @Override
    public List<Tensor> outputs() {
        return List.of(loss);
    }

    @Override
    public Work forward() {
        return run(null);
    }

    /** dp = softmax (z · softmax − z) / rows; dbias = the column sums of dp; and the losses. */
    @Override
    public Work backward(Gradients gradients) {
        DeviceBuffer dp = gradients.into(p);
        List<Work> works = new ArrayList<>();
        works.add(run(dp));
        if (gradients.wanted(bias)) {
            works.add(kernels.dense().columnSums(p.rows(), p.columns(), dp, gradients.into(bias)));
        }
        return Work.sequence("softmax dot backward", works);
    }

    private Work run(DeviceBuffer dp) {
        return kernels.stocksLoss()
                .softmaxDot(
                        p.rows(),
                        p.columns(),
                        1f / p.rows(),
                        p.values(),
                        bias.values(),
                        label,
                        signs,
                        loss.values(),
                        dp);
    }
}
