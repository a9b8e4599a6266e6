package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.Conv2d;

/**
 * y = the 2×2 maxima, stride 2, of conv(x, w) + b, stride 1, "same" padding. All images are
 * channels-last.
 *
 * <p>Where most pixels of x equal a background, such as the bias of a like layer below, naming it
 * saves their work. A pixel that equals the background is the background: its gradient goes there,
 * and that of x is zero at it. The parameters below get the gradients that they would have got;
 * dark pixels below them, which are no parameters, do not.
 *
 * @param kernels launchers
 * @param shape of the convolution
 * @param x (batch, rows · columns · in), not rectified
 * @param background (in), or null
 * @param w out · window · window · in elements
 * @param b (out)
 * @param y (batch, rows/2 · columns/2 · out)
 * @param memory what the forward keeps for the backward
 */
public record Convolution2dPool(
        Kernels kernels,
        Conv2d.Geometry shape,
        Tensor x,
        Tensor background,
        Tensor w,
        Tensor b,
        Tensor y,
        Conv2d.Memory memory)
        implements Operation {

    /** Checks the shapes. */
    public Convolution2dPool {
        boolean fit = x.rows() == shape.batch()
                && x.columns() == shape.inputs()
                && (background == null || background.shape().elements() == shape.in())
                && w.shape().elements() == shape.weights()
                && b.shape().elements() == shape.out()
                && y.rows() == shape.batch()
                && y.columns() == shape.outputs()
                && !x.rectified();
        if (!fit) {
            throw new IllegalArgumentException("Shapes do not fit: %s of %s over %s by %s plus %s into %s"
                    .formatted(shape, x, background, w, b, y));
        }
    }

    /** Records the convolution with its pooling, and returns its output. */
    public static Tensor of(Tape tape, String name, Conv2d.Geometry shape, Tensor x, Tensor w, Tensor b) {
        return of(tape, name, shape, x, null, w, b);
    }

    /**
     * As {@link #of(Tape, String, Conv2d.Geometry, Tensor, Tensor, Tensor)}, where most pixels of x
     * equal {@code background}, (in).
     */
    public static Tensor of(
            Tape tape, String name, Conv2d.Geometry shape, Tensor x, Tensor background, Tensor w, Tensor b) {
        Tensor y = tape.tensor(name, Shape.of(shape.batch(), shape.outputs()));
        tape.record(tape.kernels()
                .conv2d()
                .byCudnn(shape, tape.isDifferentiable(x), background != null)
                .<Operation>map(cudnn -> CudnnConvolution2dPool.of(tape, cudnn, x, w, b, y))
                .orElseGet(() -> new Convolution2dPool(
                        tape.kernels(),
                        shape,
                        x,
                        background,
                        w,
                        b,
                        y,
                        tape.kernels().conv2d().memory(shape, tape::scratch))));
        return y;
    }

    @Override
    public List<Tensor> inputs() {
        return background == null ? List.of(x, w, b) : List.of(x, background, w, b);
    }

    @Override
    public List<Tensor> outputs() {
        return List.of(y);
    }

    @Override
    public Work forward() {
        return kernels.conv2d()
                .forward(shape, x.values(), values(background), w.values(), b.values(), y.values(), memory);
    }

    /**
     * Only winners have a gradient: dx is dy, put where they stood, correlated with the mirrored
     * filter; dw is x correlated with it; db is the sum of dy.
     */
    @Override
    public Work backward(Gradients gradients) {
        DeviceBuffer dy = gradients.of(y);
        List<Work> works = new ArrayList<>();
        if (gradients.wanted(x)) {
            works.add(kernels.conv2d()
                    .backwardData(shape, x.values(), values(background), dy, memory, gradients.into(x)));
        }
        boolean toBackground = background != null && gradients.wanted(background);
        if (gradients.wanted(w) || gradients.wanted(b) || toBackground) {
            DeviceBuffer dw = gradients.into(w);
            DeviceBuffer db = gradients.wanted(b) ? gradients.into(b) : null;
            DeviceBuffer dbackground = toBackground ? gradients.into(background) : null;
            works.add(kernels.conv2d()
                    .backwardFilter(shape, x.values(), values(background), dy, memory, dw, db, dbackground));
        }
        return Work.sequence("convolution backward", works);
    }

    private static DeviceBuffer values(Tensor tensor) {
        return tensor == null ? null : tensor.values();
    }
}
