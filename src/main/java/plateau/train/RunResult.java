package plateau.train;

import plateau.results.LogRow;
import java.util.List;
import java.util.Map;

/**
 * A completed run, as it is written beside its metrics.
 *
 * @param experiment its name
 * @param options of the experiment
 * @param schedule of the trainer
 * @param seed of every random number
 * @param device that it ran on
 * @param versions of what it ran with, by name
 * @param setupSeconds to plan, warm up and capture
 * @param seconds from the first step to the last row, evaluation included
 * @param stepsPerSecond training alone: the time in which the device evaluated is taken out
 * @param stepsPerSecondWithEvaluation by the clock on the wall
 * @param launchesPerStep operations enqueued for one training step
 * @param metrics the names of the values in each row
 * @param history the logged rows
 */
public record RunResult(
        String experiment,
        Record options,
        Trainer.Options schedule,
        long seed,
        String device,
        Map<String, String> versions,
        double setupSeconds,
        double seconds,
        double stepsPerSecond,
        double stepsPerSecondWithEvaluation,
        int launchesPerStep,
        List<String> metrics,
        List<LogRow> history) {

    /** Copies the collections. */
    public RunResult {
        versions = Map.copyOf(versions);
        metrics = List.copyOf(metrics);
        history = List.copyOf(history);
    }

    /** The last row. */
    public LogRow last() {
        return history.getLast();
    }
}
