package plateau.autograd;

import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * One differentiable step of a network: its forward and its backward, side by side. An operation is
 * made once for tensors of fixed shape; both halves are prepared {@link Work}.
 */
public interface Operation {

    /**
     * The tensors it reads and may have to differentiate: data and parameters, in a fixed order.
     */
    List<Tensor> inputs();

    /** The tensors it writes. */
    List<Tensor> outputs();

    /** Computes the outputs from the inputs. */
    Work forward();

    /**
     * Computes the gradient of each input that {@link Gradients#wanted} names, from the gradients
     * of the outputs.
     *
     * <p>It overwrites the buffer given by {@link Gradients#into}; the tape adds up the
     * contributions of several consumers. Where an input is {@link Tensor#rectified}, its
     * contribution is zero wherever the input's value is not positive.
     */
    Work backward(Gradients gradients);

    /** Where an operation's backward reads and writes gradients. */
    interface Gradients {

        /** Whether anybody needs the gradient of this input. */
        boolean wanted(Tensor input);

        /**
         * The buffer to overwrite with this operation's contribution to the gradient of an input;
         * to be called once per wanted input.
         */
        DeviceBuffer into(Tensor input);

        /** The gradient of an output, complete. */
        DeviceBuffer of(Tensor output);
    }
}
