package plateau.experiment;

import java.util.List;
import plateau.autograd.Kernels;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;

/** One experiment with its options chosen: everything about a run but the schedule. An instance holds no device memory and may be run many times. */
public interface Experiment {

    /** The command's name. */
    String name();

    /** The chosen options, for the run's description. */
    Record options();

    /** The seed that decides every random number of the run. */
    long seed();

    /** The names of the test metrics, in the order of the test ring. */
    List<String> metrics();

    /**
     * Allocates a run's memory and prepares its work.
     *
     * @param kernels launchers, loaded once per device
     * @param workspace where memory is allocated; the caller releases it
     * @param step one uint32 on the device: the number of training steps done
     * @param unread how many steps of training metrics the caller leaves unread at most
     */
    Plan plan(Kernels kernels, Workspace workspace, DeviceBuffer step, int unread);
}
