package plateau.train;

import java.util.List;
import java.util.Map;
import plateau.autograd.Kernels;
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.cuda.Launch;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.experiment.Experiment;
import plateau.experiment.Plan;
import plateau.experiment.RunContext;

/**
 * What is seen of a run by planning it alone: how many of its kind a device takes at once.
 *
 * @param content bytes of device memory that it asks for
 * @param blocks of the launch of a step that lies in the middle by them
 * @param inReplicas whether all it does can be done for several runs in one launch
 */
record Shape(long content, int blocks, boolean inReplicas) {
    /** Of a run that is not looked at. */
    static final Shape UNKNOWN = new Shape(0, 1, false);

    /** Blocks that a multiprocessor has at work when memory and barriers are waited for. */
    private static final int BLOCKS_EACH = 4;

    /** As many layers as a grid has. */
    private static final int MOST = 65_535;

    /** Everything of a run but its seed. */
    record Key(String name, Map<String, Object> options) {
        static Key of(Experiment experiment) {
            return new Key(experiment.name(), experiment.options());
        }
    }

    /** Plans the run and takes a step: what is chosen by measuring is known from then on. */
    static Shape of(Kernels kernels, Experiment experiment, Trainer.Options options) {
        Device device = kernels.device();
        try (Workspace workspace = new Workspace(device);
                Stream stream = device.createStream()) {
            RunContext context = RunContext.of(kernels, workspace, List.of(experiment.seed()), Trainer.unread(options));
            Plan plan = experiment.plan(context);
            plan.initialise().enqueue(stream);
            plan.step().enqueue(stream);
            plan.evaluation().enqueue(stream);
            stream.synchronize();
            List<Integer> blocks = plan.step().parts().stream()
                    .filter(Launch.class::isInstance)
                    .map(part -> ((Launch) part).blocks())
                    .sorted()
                    .toList();
            return new Shape(
                    workspace.content(),
                    blocks.isEmpty() ? 1 : blocks.get(blocks.size() / 2),
                    List.of(plan.initialise(), plan.step(), plan.evaluation()).stream()
                            .allMatch(Work::inReplicas));
        }
    }

    /**
     * So many that they fill the device and its memory holds them: on a CPU, whose cores a run
     * shares out or has alone, one.
     *
     * @param memory bytes that they may take
     */
    int fill(Device device, long memory) {
        return device.isCpu() ? 1 : most(Math.ceilDiv(BLOCKS_EACH * device.multiprocessorCount(), blocks), memory);
    }

    /** So many, or as many as can be and as memory holds. */
    int most(int wanted, long memory) {
        return inReplicas ? Math.clamp(Math.min(wanted, memory / content), 1, MOST) : 1;
    }
}
