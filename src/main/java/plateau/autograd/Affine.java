package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * y = x w + b, with a ReLU fused into its end where y is rectified. Rows of any shape are
 * flattened.
 *
 * @param kernels launchers
 * @param x (rows, in)
 * @param w (in, out)
 * @param b (out)
 * @param y (rows, out)
 */
public record Affine(Kernels kernels, Tensor x, Tensor w, Tensor b, Tensor y) implements Operation {

    /** Checks the shapes. */
    public Affine {
        if (x.columns() != w.rows() || w.columns() != b.shape().elements() || y.columns() != w.columns() || y.rows() != x.rows()) {
            throw new IllegalArgumentException("Shapes do not fit: %s times %s plus %s into %s".formatted(x, w, b, y));
        }
    }

    /** Records x w + b, rectified where {@code relu} says so, and returns it. */
    public static Tensor of(Tape tape, String name, Tensor x, Tensor w, Tensor b, boolean relu) {
        Shape shape = Shape.of(x.rows(), w.columns());
        Tensor y = relu ? tape.rectified(name, shape) : tape.tensor(name, shape);
        tape.record(new Affine(tape.kernels(), x, w, b, y));
        return y;
    }

    @Override
    public List<Tensor> inputs() {
        return List.of(x, w, b);
    }

    @Override
    public List<Tensor> outputs() {
        return List.of(y);
    }

    @Override
    public Work forward() {
        return kernels.dense().forward(x.rows(), y.columns(), x.columns(), x.values(), w.values(), b.values(), y.rectified(), y.values());
    }

    /** dx = dy wᵀ, masked by x where that is rectified; dw = xᵀ dy; db = the column sums of dy. */
    @Override
    public Work backward(Gradients gradients) {
        int m = x.rows();
        int n = y.columns();
        int k = x.columns();
        DeviceBuffer dy = gradients.of(y);
        List<Work> works = new ArrayList<>();
        if (gradients.wanted(x)) {
            works.add(kernels.dense().backwardInput(m, n, k, dy, w.values(), x.mask(), gradients.into(x)));
        }
        if (gradients.wanted(w) || gradients.wanted(b)) {
            DeviceBuffer db = gradients.wanted(b) ? gradients.into(b) : null;
            works.add(kernels.dense().backwardWeights(m, n, k, x.values(), dy, gradients.into(w), db));
        }
        return Work.sequence("dense backward", works);
    }
}
