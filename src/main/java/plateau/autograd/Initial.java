package plateau.autograd;

import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/** How a parameter starts. */
@FunctionalInterface
public interface Initial {

    /**
     * Work that writes the first values.
     *
     * @param elements how many
     * @param seed the run's seed
     * @param stream the random stream of this parameter alone
     * @param values where to
     */
    Work fill(Kernels kernels, int elements, DeviceBuffer seed, int stream, DeviceBuffer values);
}
