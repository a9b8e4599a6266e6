package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.Conv2d;

/**
 * y = the 2×2 maxima, stride 2, of conv(x, w) + b, stride 1, "same" padding. All images are channels-last.
 *
 * @param kernels launchers
 * @param shape of the convolution
 * @param x (batch, rows · columns · in), not rectified
 * @param w out · window · window · in elements
 * @param b (out)
 * @param y (batch, rows/2 · columns/2 · out)
 * @param winners which of its four positions each maximum came from, kept by the forward for the backward
 */
public record ConvolutionPool(Kernels kernels, Conv2d.Shape shape, Tensor x, Tensor w, Tensor b, Tensor y, DeviceBuffer winners) implements Operation {

    /** Checks the shapes. */
    public ConvolutionPool {
        boolean fit =
                x.rows() == shape.batch()
                        && x.columns() == shape.inputs()
                        && w.shape().elements() == shape.weights()
                        && b.shape().elements() == shape.out()
                        && y.rows() == shape.batch()
                        && y.columns() == shape.outputs()
                        && !x.rectified();
        if (!fit) {
            throw new IllegalArgumentException("Shapes do not fit: %s of %s by %s plus %s into %s".formatted(shape, x, w, b, y));
        }
    }

    /** Records the convolution with its pooling, and returns its output. */
    public static Tensor of(Tape tape, String name, Conv2d.Shape shape, Tensor x, Tensor w, Tensor b) {
        Tensor y = tape.tensor(name, Shape.of(shape.batch(), shape.outputs()));
        tape.record(new ConvolutionPool(tape.kernels(), shape, x, w, b, y, tape.scratch(y.shape().elements())));
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
        return kernels.conv2d().forward(shape, x.values(), w.values(), b.values(), y.values(), winners);
    }

    /** Only winners have a gradient: dx is dy, put where they stood, correlated with the mirrored filter; dw is x correlated with it; db is the sum of dy. */
    @Override
    public Work backward(Gradients gradients) {
        DeviceBuffer dy = gradients.of(y);
        List<Work> works = new ArrayList<>();
        if (gradients.wanted(x)) {
            works.add(kernels.conv2d().backwardData(shape, w.values(), dy, winners, gradients.into(x)));
        }
        if (gradients.wanted(w) || gradients.wanted(b)) {
            DeviceBuffer db = gradients.wanted(b) ? gradients.into(b) : null;
            works.add(kernels.conv2d().backwardFilter(shape, x.values(), dy, winners, gradients.into(w), db));
        }
        return Work.sequence("convolution backward", works);
    }
}
