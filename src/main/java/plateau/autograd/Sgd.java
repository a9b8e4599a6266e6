package plateau.autograd;

import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * Plain stochastic gradient descent: w ← w − lr·g.
 *
 * @param learningRate lr, positive
 */
public record Sgd(float learningRate) implements DenseOptimizer {

    /** @throws IllegalArgumentException if the learning rate is not positive and finite */
    public Sgd {
        Optimizer.requireRate(learningRate);
    }

    @Override
    public int stateArrays() {
        return 0;
    }

    @Override
    public Work update(Kernels kernels, Workspace workspace, Parameters parameters, DeviceBuffer step) {
        return kernels.updates()
                .sgd(parameters.elements(), parameters.learningRate(), parameters.values(), parameters.gradients());
    }
}
