package plateau.autograd;

import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * Plain stochastic gradient descent: w ← w − lr·g.
 *
 * @param learningRate lr, positive
 */
public record Sgd(float learningRate) implements Optimizer {

    @Override
    public int stateArrays() {
        return 0;
    }

    @Override
    public Work update(Kernels kernels, Workspace workspace, Parameters parameters, DeviceBuffer learningRate, DeviceBuffer step) {
        return kernels.updates().sgd(parameters.elements(), learningRate, parameters.values(), parameters.gradients());
    }
}
