package plateau.train;

import plateau.results.LogRow;
import java.util.List;

/** A training or test loss was NaN or infinite, so that the run was stopped. */
public final class NonFiniteLossException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long step;
    private final transient List<LogRow> history;

    NonFiniteLossException(String metric, double value, long step, List<LogRow> history) {
        super("%s is %s at step %d: training diverged; try a smaller --lr".formatted(metric, value, step));
        this.step = step;
        this.history = List.copyOf(history);
    }

    /** The number of training steps done before the one that was not finite. */
    public long step() {
        return step;
    }

    /** What was logged before it happened. */
    public List<LogRow> history() {
        return history;
    }
}
