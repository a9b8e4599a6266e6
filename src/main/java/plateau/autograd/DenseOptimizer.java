package plateau.autograd;

import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/** A rule for gradients that fill the arena: every value is updated, in one launch. */
public interface DenseOptimizer extends Optimizer {

    /**
     * One update of all values, at the rate that {@link Parameters#learningRate} then holds.
     *
     * @param workspace for scratch
     * @param parameters allocated for this rule
     * @param step one uint32 on the device: the number of updates done before this one
     */
    Work update(Kernels kernels, Workspace workspace, Parameters parameters, DeviceBuffer step);
}
