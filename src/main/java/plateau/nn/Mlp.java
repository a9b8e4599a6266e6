package plateau.nn;

import java.util.List;
import java.util.stream.IntStream;
import plateau.autograd.Parameters;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;

/**
 * Dense layers in a row, ReLU between them, the last one linear.
 *
 * @param layers at least one
 */
public record Mlp(List<Linear> layers) {

    /** Copies the list. */
    public Mlp {
        layers = List.copyOf(layers);
    }

    /**
     * Declares the layers as {@code name.1}, {@code name.2}, …
     *
     * @param widths of the input, of each hidden layer, and of the output
     */
    public static Mlp declare(Parameters.Declaration parameters, String name, int... widths) {
        int count = widths.length - 1;
        if (count < 1) {
            throw new IllegalArgumentException("A network needs the widths of its input and of its output");
        }
        return new Mlp(IntStream.range(0, count)
                .mapToObj(i -> Linear.declare(
                        parameters,
                        name + "." + (i + 1),
                        widths[i],
                        widths[i + 1],
                        i + 1 < count ? Activation.RELU : Activation.LINEAR))
                .toList());
    }

    /** Records the network on {@code x}, and returns its output. */
    public Tensor apply(Tape tape, Tensor x) {
        Tensor y = x;
        for (Linear layer : layers) {
            y = layer.apply(tape, y);
        }
        return y;
    }
}
