package plateau.nn;

import plateau.autograd.Convolution2dPool;
import plateau.autograd.Parameter;
import plateau.autograd.Parameters;
import plateau.autograd.Shape;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.kernel.Conv2d;

/**
 * A two-dimensional convolution, stride 1, "same" padding, with bias, then max-pooling 2×2 of
 * stride 2. All images are channels-last.
 *
 * @param weights (out, window, window, in)
 * @param bias (out)
 * @param rows of an input image
 * @param columns of an input image
 */
public record ConvolutionPool(Parameter weights, Parameter bias, int rows, int columns) {

    /**
     * Declares a layer's parameters as {@code name.weights}, truncated normal with σ = 1/√fan, and
     * {@code name.bias}, 0.
     *
     * @param rows of an input image, even
     * @param columns of an input image, even
     * @param in channels of the input
     * @param out channels of the output
     * @param window rows and columns of a filter, odd
     * @param fan what the initial weights are scaled for
     */
    public static ConvolutionPool declare(Parameters.Declaration parameters, String name, int rows, int columns, int in, int out, int window, int fan) {
        return new ConvolutionPool(
                parameters.declare(name + ".weights", Shape.of(out, window, window, in), Initials.truncatedNormal(fan)),
                parameters.declare(name + ".bias", Shape.of(out), Initials.zeros()),
                rows,
                columns);
    }

    /**
     * Records the layer on images of (rows, columns, in), one in each row of {@code x}, and returns
     * its (batch, rows/2 · columns/2 · out) output. A layer may be applied several times.
     */
    public Tensor apply(Tape tape, Tensor x) {
        return apply(tape, x, null);
    }

    /**
     * As {@link #apply(Tape, Tensor)}, on images most of whose pixels equal a background, which
     * costs less.
     *
     * @param background (in), such as the bias of a {@link ConvolutionPool} below; a pixel that
     *     equals it passes its gradient on to it. Null: 0
     */
    public Tensor apply(Tape tape, Tensor x, Tensor background) {
        String name = weights.name().replace(".weights", "");
        return Convolution2dPool.of(tape, name, shape(x.rows()), x, background, tape.parameter(weights), tape.parameter(bias));
    }

    private Conv2d.Geometry shape(int batch) {
        int out = weights.shape().sizes().get(0);
        int window = weights.shape().sizes().get(1);
        int in = weights.shape().sizes().get(3);
        return new Conv2d.Geometry(batch, rows, columns, in, out, window);
    }
}
