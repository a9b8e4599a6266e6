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
 * Where a run is planned, or several that differ in nothing but their seeds, each in a replica of
 * all memory: a plan is made once for all of them, and so holds nothing that depends on a seed but
 * what the device has drawn, and what was uploaded to a replica of its own.
 *
 * @param kernels launchers, loaded once per device
 * @param workspace where the run's memory is allocated; whoever plans the run releases it
 * @param seeds of the replicas, in order
 * @param seed one uint64 on the device: the seed of the replica that reads it
 * @param step one uint32 on the device: the number of training steps done
 * @param unread how many steps of training metrics are left unread at most
 */
public record RunContext(
        Kernels kernels, Workspace workspace, List<Long> seeds, DeviceBuffer seed, DeviceBuffer step, int unread) {

    /** One run alone. */
    public RunContext(Kernels kernels, Workspace workspace, long seed, DeviceBuffer step, int unread) {
        this(kernels, workspace, List.of(seed), workspace.longs(seed), step, unread);
    }

    /**
     * Runs with these seeds, one in each replica of the workspace, before their first step.
     *
     * @throws IndexOutOfBoundsException if there are more seeds than replicas
     */
    public static RunContext of(Kernels kernels, Workspace workspace, List<Long> seeds, int unread) {
        DeviceBuffer seed = workspace.longs(0);
        for (int i = 0; i < seeds.size(); i++) {
            seed.replica(i).upload(seeds.get(i));
        }
        return new RunContext(kernels, workspace, List.copyOf(seeds), seed, workspace.ints(0), unread);
    }

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
