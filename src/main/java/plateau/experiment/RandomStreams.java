package plateau.experiment;

/**
 * The independent Philox streams of a run's seed. Numbers drawn from one never depend on how many
 * are drawn from another, so that two experiments of one seed that differ in their model alone see
 * the same data.
 */
public final class RandomStreams {
    /** What the run has to learn: parity's subset, a table of labels, a step function. */
    public static final int TASK = 0;

    /** Training data, keyed by the step. */
    public static final int TRAINING = 1;

    /** Data for evaluation, keyed by the step after which it takes place. */
    public static final int EVALUATION = 2;

    /**
     * First values: parameter i draws from stream INITIAL + i. Streams from 3 to 15 are free for an
     * experiment's own uses.
     */
    public static final int INITIAL = 16;

    private RandomStreams() {}
}
