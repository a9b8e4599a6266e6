package plateau.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.SequencedSet;
import java.util.TreeMap;
import plateau.autograd.Kernels;
import plateau.experiment.Experiment;
import plateau.train.RunListener;
import plateau.train.RunResult;
import plateau.train.Schedule;
import plateau.train.Trainer;

/**
 * What a run needs, seen from a few of its steps.
 *
 * @param setup seconds to plan, warm up and capture
 * @param step seconds of a training step
 * @param evaluation seconds of a row
 * @param bytes of device memory
 */
public record Estimate(double setup, double step, double evaluation, double bytes) {
    private static final double SECONDS_OF_WINDOW = 0.05;
    private static final int FEW = 2;
    private static final int ROWS = 10;

    /** Seconds of a run of that length. */
    public double seconds(Schedule schedule) {
        return setup + schedule.steps() * step + schedule.rows(schedule.steps()) * evaluation;
    }

    /**
     * Estimates of several experiments in which something ascends: the first, the last, and as many
     * between them as there is time for are measured; the others lie on the lines between.
     *
     * @param time for all; the first is measured in any case
     */
    public static List<Estimate> measure(Kernels kernels, List<? extends Experiment> experiments, Duration time) {
        long deadline = System.nanoTime() + time.toNanos();
        NavigableMap<Integer, Estimate> measured = new TreeMap<>();
        for (int i : order(experiments.size())) {
            if (measured.isEmpty() || System.nanoTime() < deadline) {
                measured.put(i, measure(kernels, experiments.get(i)));
            }
        }
        List<Estimate> all = new ArrayList<>();
        for (int i = 0; i < experiments.size(); i++) {
            var below = measured.floorEntry(i);
            var above = measured.ceilingEntry(i);
            all.add(
                    above == null || above.getKey().equals(below.getKey())
                            ? below.getValue()
                            : between(
                                    below.getValue(),
                                    above.getValue(),
                                    (i - below.getKey()) / (double) (above.getKey() - below.getKey())));
        }
        return all;
    }

    /** The ends first, then the middle of what lies between, and so on. */
    private static SequencedSet<Integer> order(int count) {
        SequencedSet<Integer> order = new LinkedHashSet<>(List.of(0, count - 1));
        for (int parts = 2; order.size() < count; parts *= 2) {
            for (int i = 1; i < parts; i++) {
                order.add((int) Math.round((double) i * (count - 1) / parts));
            }
        }
        return order;
    }

    private static Estimate between(Estimate low, Estimate high, double share) {
        return new Estimate(
                low.setup + share * (high.setup - low.setup),
                low.step + share * (high.step - low.step),
                low.evaluation + share * (high.evaluation - low.evaluation),
                low.bytes + share * (high.bytes - low.bytes));
    }

    private static Estimate measure(Kernels kernels, Experiment experiment) {
        Estimate first = measure(kernels, experiment, FEW);
        long steps = (long) (SECONDS_OF_WINDOW / first.step);
        return steps <= FEW ? first : measure(kernels, experiment, steps);
    }

    /** Twice, as in the first run something may be made that stays. */
    private static Estimate measure(Kernels kernels, Experiment experiment, long steps) {
        int unroll = (int) Math.min(steps, Trainer.Options.DEFAULT_UNROLL);
        Schedule schedule = new Schedule(steps, Math.ceilDiv(steps, ROWS));
        try (Trainer trainer = new Trainer(kernels, experiment, new Trainer.Options(schedule, unroll, true))) {
            trainer.run(RunListener.NONE);
            RunResult result = trainer.run(RunListener.NONE);
            double step = 1 / result.stepsPerSecond();
            double evaluations = Math.max(0, result.seconds() - steps * step);
            return new Estimate(result.setupSeconds(), step, evaluations / schedule.rows(steps), trainer.bytes());
        }
    }
}
