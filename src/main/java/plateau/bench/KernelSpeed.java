package plateau.bench;

import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import plateau.autograd.Kernels;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.cuda.Launch;
import plateau.cuda.Profiler;
import plateau.cuda.Work;
import plateau.experiment.Experiment;
import plateau.train.Trainer;

/**
 * How fast an operation of an experiment's training step is, replayed alone.
 *
 * @param name of the kernel, or of what else it is
 * @param launch its grid and block; empty where it is no kernel
 * @param nanoseconds the median of several graphs that hold nothing else
 * @param cost what it has to do at the least
 * @param floor nanoseconds that it needs at the least on this device
 */
public record KernelSpeed(String name, String launch, double nanoseconds, Cost cost, double floor) {
    private static final int REPETITIONS = 200;

    /** GB/s of what it has to touch. */
    public double gigabytesPerSecond() {
        return cost.bytes() / nanoseconds;
    }

    /** GFLOP/s. */
    public double gigaflops() {
        return cost.operations() / nanoseconds;
    }

    /**
     * Measures the operations of a step, each launch once.
     *
     * @param wanted names of operations
     * @param seen launches that have been measured already, which are left out and added to
     * @param measured is told of each as soon as it has been measured
     */
    public static void measure(
            Kernels kernels,
            Experiment experiment,
            Predicate<String> wanted,
            Set<String> seen,
            Consumer<KernelSpeed> measured) {
        Device device = kernels.device();
        try (Trainer trainer = new Trainer(kernels, experiment, Trainer.Options.of(1, 1))) {
            Optional<DeviceCeilings> ceilings = Optional.empty();
            double bytes = trainer.operations().stream()
                    .mapToDouble(work -> work.cost().bytes())
                    .sum();
            for (Work work : trainer.operations()) {
                String launch = work instanceof Launch kernel ? kernel.shape() : "";
                if (wanted.test(work.name()) && seen.add(work.name() + launch + work.cost())) {
                    ceilings = ceilings.or(() -> Optional.of(DeviceCeilings.measure(device, bytes)));
                    double[] samples = Profiler.nanoseconds(device, work, REPETITIONS);
                    measured.accept(new KernelSpeed(
                            work.name(),
                            launch,
                            samples[samples.length / 2],
                            work.cost(),
                            ceilings.get().nanoseconds(work.cost())));
                }
            }
        }
    }
}
