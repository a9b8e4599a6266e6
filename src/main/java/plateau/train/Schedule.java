package plateau.train;

/**
 * How long a run trains and how often it is looked at; together with the experiment, all that
 * decides its rows.
 *
 * @param steps of training
 * @param logEvery steps between evaluations; the last step is always followed by one
 */
public record Schedule(long steps, long logEvery) {
    /** Steps between evaluations when nothing else is asked for. */
    public static final long DEFAULT_LOG_EVERY = 100;

    /** @throws IllegalArgumentException with one line on the first number that is out of range */
    public Schedule {
        if (steps < 1 || steps > 0xFFFF_FFFFL) {
            throw new IllegalArgumentException("steps must be between 1 and 4294967295, not " + steps);
        }
        if (logEvery < 1) {
            throw new IllegalArgumentException("log-every must be at least 1, not " + logEvery);
        }
    }

    /** The step of the first row after so many steps. */
    long nextRow(long done) {
        long last = done - done % logEvery;
        return logEvery >= steps - last ? steps : last + logEvery;
    }

    /** Rows that were logged after so many steps. */
    public long rows(long done) {
        return done / logEvery + (done == steps && done % logEvery != 0 ? 1 : 0);
    }
}
