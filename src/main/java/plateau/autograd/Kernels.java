package plateau.autograd;

import plateau.cuda.Device;
import plateau.kernel.Accumulate;
import plateau.kernel.Conv1d;
import plateau.kernel.Conv2d;
import plateau.kernel.Counter;
import plateau.kernel.Dense;
import plateau.kernel.Hinge;
import plateau.kernel.Initializer;
import plateau.kernel.Losses;
import plateau.kernel.Metrics;
import plateau.kernel.Sigmoid;
import plateau.kernel.Updates;

/**
 * The launchers that networks are made of, loaded once per device and shared by every run on it. The generators of data belong to the experiments.
 *
 * @param device the device they launch on
 * @param dense dense layers and their gradients
 * @param conv1d one-dimensional convolutions and their gradients
 * @param conv2d two-dimensional convolutions with pooling and their gradients
 * @param accumulate sums of gradients
 * @param hinge the hinge loss
 * @param sigmoid the logistic sigmoid
 * @param losses squared error and cross-entropy
 * @param updates of parameters
 * @param metrics means over a batch, into a ring
 * @param counter the step number in device memory
 * @param initializer first values of weights
 */
public record Kernels(
        Device device,
        Dense dense,
        Conv1d conv1d,
        Conv2d conv2d,
        Accumulate accumulate,
        Hinge hinge,
        Sigmoid sigmoid,
        Losses losses,
        Updates updates,
        Metrics metrics,
        Counter counter,
        Initializer initializer) {

    /** Loads all of them; matrix products run as is said, convolutions as is judged best. */
    public static Kernels load(Device device, Dense.Products products) {
        return load(device, products, Conv2d.Convolutions.AUTO);
    }

    /** Loads all of them; matrix products and two-dimensional convolutions run as is said. */
    public static Kernels load(Device device, Dense.Products products, Conv2d.Convolutions convolutions) {
        return new Kernels(
                device,
                new Dense(device, products),
                new Conv1d(device),
                new Conv2d(device, convolutions),
                new Accumulate(device),
                new Hinge(device),
                new Sigmoid(device),
                new Losses(device),
                new Updates(device),
                new Metrics(device),
                new Counter(device),
                new Initializer(device));
    }
}
