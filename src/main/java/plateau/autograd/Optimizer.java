package plateau.autograd;

import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/** A rule that turns gradients into new values, over a whole arena in one launch. */
public interface Optimizer {

    /** The first learning rate; afterwards it lives in device memory, so that a captured graph survives a change. */
    float learningRate();

    /** How many arrays of the arena's length the rule keeps between steps. */
    int stateArrays();

    /**
     * One update of all values.
     *
     * @param workspace for scratch
     * @param learningRate one float on the device
     * @param step one uint32 on the device: the number of updates done before this one
     */
    Work update(Kernels kernels, Workspace workspace, Parameters parameters, DeviceBuffer learningRate, DeviceBuffer step);
}
