package plateau.bench;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import plateau.autograd.Kernels;
import plateau.cuda.Cost;
import plateau.experiment.Experiment;
import plateau.train.Checkpoints;
import plateau.train.RunListener;
import plateau.train.Schedule;
import plateau.train.Trainer;

/**
 * How fast an experiment trains, data generation and metrics included, and what each operation of a
 * step has a share in.
 *
 * @param replicas runs in one graph
 * @param stepsPerSecond of each window, ascending, those of all runs together
 * @param steps of a window
 * @param timings of a step's operations, in order, each replayed alone
 * @param ceilings of the device
 */
public record TrainingSpeed(
        int replicas, double[] stepsPerSecond, long steps, List<Trainer.Timing> timings, DeviceCeilings ceilings) {
    private static final double SECONDS_OF_WINDOW = 0.7;
    private static final long MOST_STEPS = 50_000;
    private static final int MOST_WINDOWS = 10_000;

    /**
     * What is measured.
     *
     * @param steps of a window; empty: as many as take a second or so
     * @param count windows, whose median counts
     * @param unroll steps in one CUDA graph
     * @param graph false: launch every kernel from Java
     */
    public record Windows(OptionalLong steps, int count, int unroll, boolean graph) {

        /** @throws IllegalArgumentException with one line, if a number is out of range */
        public Windows {
            if (count < 1 || count > MOST_WINDOWS) {
                throw new IllegalArgumentException(
                        "windows must be between 1 and %d, not %d".formatted(MOST_WINDOWS, count));
            }
            options(steps.orElse(1), unroll, graph); // refuses what a trainer would
        }
    }

    /** Measures runs that differ in nothing but their seeds, in one graph. */
    public static TrainingSpeed measure(Kernels kernels, List<Experiment> experiments, Windows windows) {
        int unroll = windows.unroll;
        boolean graph = windows.graph;
        long count = windows.steps.orElseGet(() -> steps(kernels, experiments, unroll, graph));
        try (Trainer trainer = new Trainer(kernels, experiments, options(count, unroll, graph))) {
            double[] rates = new double[windows.count];
            for (int i = 0; i < rates.length; i++) {
                rates[i] = rate(trainer, experiments.size());
            }
            Arrays.sort(rates);
            List<Trainer.Timing> timings = trainer.profile();
            Cost step = timings.stream().map(Trainer.Timing::cost).reduce(Cost.NONE, Cost::plus);
            return new TrainingSpeed(
                    experiments.size(), rates, count, timings, DeviceCeilings.measure(kernels.device(), step.bytes()));
        }
    }

    /** So many that they take about the time of a window, seen from a few. */
    private static long steps(Kernels kernels, List<Experiment> experiments, int unroll, boolean graph) {
        try (Trainer trainer = new Trainer(kernels, experiments, options(2L * unroll, unroll, graph))) {
            double each = rate(trainer, experiments.size()) / experiments.size();
            return Math.clamp((long) (each * SECONDS_OF_WINDOW), 1, MOST_STEPS);
        }
    }

    /** Of all runs together: each does its steps in the same time. */
    private static double rate(Trainer trainer, int runs) {
        Trainer.Participant nobody = new Trainer.Participant(RunListener.NONE, Checkpoints.NONE);
        return trainer.run(Collections.nCopies(runs, nobody)).stream()
                .mapToDouble(outcome -> switch (outcome.failure()) {
                    case null -> outcome.result().stepsPerSecond();
                    case RuntimeException failure -> throw failure;
                    case Throwable failure -> throw new IllegalStateException(failure);
                })
                .sum();
    }

    private static Trainer.Options options(long steps, int unroll, boolean graph) {
        return new Trainer.Options(new Schedule(steps, steps), unroll, graph);
    }

    /** The median of the windows. */
    public double median() {
        return stepsPerSecond[stepsPerSecond.length / 2];
    }

    /** What a step has to do at the least. */
    public Cost cost() {
        return timings.stream().map(Trainer.Timing::cost).reduce(Cost.NONE, Cost::plus);
    }

    /** Of all that the device could compute in this time, the share that steps needed. */
    public double shareOfOperations() {
        return cost().operations() * median() / replicas / 1e9 / ceilings.operationsPerNanosecond();
    }

    /** The time that a step's operations need at the least on this device, in nanoseconds. */
    public double floor() {
        return timings.stream()
                .mapToDouble(timing -> ceilings.nanoseconds(timing.cost()))
                .sum();
    }
}
