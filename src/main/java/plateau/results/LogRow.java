package plateau.results;

import java.util.Arrays;
import java.util.List;

/**
 * Metrics at one point of a run, one value per name of the experiment's metrics.
 *
 * @param step training steps done
 * @param test on fresh test data, after these steps
 * @param training on the batch of the last of these steps, before its update
 */
public record LogRow(long step, List<Double> test, List<Double> training) {

    /** Copies the lists. */
    public LogRow {
        test = List.copyOf(test);
        training = List.copyOf(training);
    }

    /** Copies the values. */
    public static LogRow of(long step, double[] test, double[] training) {
        return new LogRow(
                step,
                Arrays.stream(test).boxed().toList(),
                Arrays.stream(training).boxed().toList());
    }
}
