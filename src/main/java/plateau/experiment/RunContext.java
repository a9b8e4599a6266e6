package plateau.experiment;

import java.util.List;
import plateau.autograd.DenseOptimizer;
import plateau.autograd.Kernels;
import plateau.autograd.Parameters;
import plateau.autograd.Tape;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * Where a run is planned.
 *
 * @param kernels launchers, loaded once per device
 * @param workspace where the run's memory is allocated; whoever plans the run releases it
 * @param step one uint32 on the device: the number of training steps done
 * @param unread how many steps of training metrics are left unread at most
 */
public record RunContext(Kernels kernels, Workspace workspace, DeviceBuffer step, int unread) {

    /** A tape over these parameters. */
    public Tape tape(Parameters parameters) {
        return new Tape(kernels, workspace, parameters);
    }

    /**
     * One update of these parameters, which were allocated for that optimiser, after a step's
     * gradients.
     */
    public Work update(DenseOptimizer optimizer, Parameters parameters) {
        return optimizer.update(kernels, workspace, parameters, step);
    }

    /** A ring for the metrics of training steps, of which so many stay unread. */
    public Ring trainingRing(List<String> names) {
        return Ring.allocate(workspace, unread, names);
    }

    /** A ring for the metrics of one evaluation. */
    public Ring testRing(List<String> names) {
        return Ring.allocate(workspace, 1, names);
    }
}
