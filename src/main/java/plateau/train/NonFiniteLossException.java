package plateau.train;

/** A training or test loss was NaN or infinite, so that the run was stopped. */
public final class NonFiniteLossException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long step;

    NonFiniteLossException(String metric, double value, long step) {
        super("%s is %s at step %d: training diverged; try a smaller learning rate".formatted(metric, value, step));
        this.step = step;
    }

    /** The number of training steps done before the one that was not finite. */
    public long step() {
        return step;
    }
}
