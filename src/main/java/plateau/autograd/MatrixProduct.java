package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * y = x w, a dense layer without bias.
 *
 * @param kernels launchers
 * @param x (rows, in), not rectified
 * @param w (in, out)
 * @param y (rows, out)
 */
public record MatrixProduct(Kernels kernels, Tensor x, Tensor w, Tensor y) implements Operation {

    /** Checks the shapes. */
    public MatrixProduct {
        if (x.columns() != w.rows() || y.columns() != w.columns() || y.rows() != x.rows() || x.rectified()) {
            throw new IllegalArgumentException("Shapes do not fit: %s times %s into %s".formatted(x, w, y));
        }
    }

    /** Records x w, and returns it. */
    public static Tensor of(Tape tape, String name, Tensor x, Tensor w) {
        Tensor y = tape.tensor(name, Shape.of(x.rows(), w.columns()));
        tape.record(new MatrixProduct(tape.kernels(), x, w, y));
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
        return kernels.dense()
                .forward(x.rows(), y.columns(), x.columns(), x.values(), w.values(), null, false, y.values());
    }

    /** dx = dy wᵀ; dw = xᵀ dy. */
    @Override
    public Work backward(Gradients gradients) {
        DeviceBuffer dy = gradients.of(y);
        List<Work> works = new ArrayList<>();
        if (gradients.wanted(x)) {
            works.add(kernels.dense()
                    .backwardInput(x.rows(), y.columns(), x.columns(), dy, w.values(), null, gradients.into(x)));
        }
        if (gradients.wanted(w)) {
            works.add(kernels.dense()
                    .backwardWeights(x.rows(), y.columns(), x.columns(), x.values(), dy, gradients.into(w), null));
        }
        return Work.sequence("product backward", works);
    }
}
