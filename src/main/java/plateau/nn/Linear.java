package plateau.nn;

import plateau.autograd.Affine;
import plateau.autograd.Parameter;
import plateau.autograd.Parameters;
import plateau.autograd.Shape;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;

/**
 * A dense layer, N(out) in the paper: act(x w + b), weights (in, out) truncated normal with σ =
 * 1/√in, biases 0.
 *
 * @param weights (in, out)
 * @param bias (out)
 * @param activation fused into its end
 */
public record Linear(Parameter weights, Parameter bias, Activation activation) {

    /** Declares a layer's parameters as {@code name.weights} and {@code name.bias}. */
    public static Linear declare(Parameters.Declaration parameters, String name, int in, int out, Activation activation) {
        return new Linear(
                parameters.declare(name + ".weights", Shape.of(in, out), Initials.truncatedNormal(in)),
                parameters.declare(name + ".bias", Shape.of(out), Initials.zeros()),
                activation);
    }

    /**
     * Records the layer on rows of {@code in} values, and returns its (rows, out) output. A layer
     * may be applied several times.
     */
    public Tensor apply(Tape tape, Tensor x) {
        String name = weights.name().replace(".weights", "");
        return Affine.of(tape, name, x, tape.parameter(weights), tape.parameter(bias), activation == Activation.RELU);
    }
}
