package plateau.experiment;

/**
 * The independent Philox streams of a run's seed. Numbers drawn from one never depend on how many are drawn from another.
 */
final class RandomStreams {
    /** What the run has to learn: parity's subset, a table of labels, a step function. */
    static final int TASK = 0;

    /** Training data, keyed by the step. */
    static final int TRAINING = 1;

    /** Data for evaluation, keyed by the step after which it takes place. */
    static final int EVALUATION = 2;

    /** First values: parameter i draws from stream INITIAL + i. */
    static final int INITIAL = 16;

    private RandomStreams() {}
}
