package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.Conv1d;

/**
 * y[b, o, t] = Σ w[o, c, j] x[b, c, t + j − padding], stride 1, without bias.
 *
 * @param kernels launchers
 * @param shape of the convolution
 * @param x (batch, in · length), not rectified
 * @param w out · in · taps elements
 * @param y (batch, out · outLength)
 */
public record Convolution1d(Kernels kernels, Conv1d.Geometry shape, Tensor x, Tensor w, Tensor y) implements Operation {

    /** Checks the shapes. */
    public Convolution1d {
        boolean fit =
                x.rows() == shape.batch()
                        && x.columns() == shape.in() * shape.length()
                        && w.shape().elements() == shape.out() * shape.in() * shape.taps()
                        && y.rows() == shape.batch()
                        && y.columns() == shape.out() * shape.outLength()
                        && !x.rectified();
        if (!fit) {
            throw new IllegalArgumentException("Shapes do not fit: %s of %s by %s into %s".formatted(shape, x, w, y));
        }
    }

    /** Records the convolution, and returns its output. */
    public static Tensor of(Tape tape, String name, Conv1d.Geometry shape, Tensor x, Tensor w) {
        Tensor y = tape.tensor(name, Shape.of(shape.batch(), shape.out() * shape.outLength()));
        tape.record(new Convolution1d(tape.kernels(), shape, x, w, y));
        return y;
    }

    @Override
    public List<Tensor> inputs() {
        return List.of(x, w);
    }

    @Override
    public List<Tensor> outputs() {
        return List.of(y);
    }

    @Override
    public Work forward() {
        return kernels.conv1d().forward(shape, x.values(), w.values(), y.values());
    }

    /** dx is dy correlated with the mirrored filter; dw is x correlated with dy. */
    @Override
    public Work backward(Gradients gradients) {
        DeviceBuffer dy = gradients.of(y);
        List<Work> works = new ArrayList<>();
        if (gradients.wanted(x)) {
            works.add(kernels.conv1d().backwardData(shape, dy, w.values(), gradients.into(x)));
        }
        if (gradients.wanted(w)) {
            works.add(kernels.conv1d().backwardFilter(shape, x.values(), dy, gradients.into(w)));
        }
        return Work.sequence("convolution backward", works);
    }
}
