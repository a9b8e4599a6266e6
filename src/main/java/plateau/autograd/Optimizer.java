package plateau.autograd;

/**
 * A rule that turns gradients into new values. It says what {@link Parameters} have to keep for it;
 * how an update is made depends on where the gradients are: {@link DenseOptimizer},
 * {@link RowAdam}.
 */
public interface Optimizer {

    /** The first learning rate; afterwards it is {@link Parameters#learningRate}. */
    float learningRate();

    /** How many arrays of the arena's length the rule keeps between steps. */
    int stateArrays();

    /** How many words of another layout it keeps behind them. */
    default int restWords() {
        return 0;
    }

    /**
     * A learning rate that is one.
     *
     * @throws IllegalArgumentException if it is not positive and finite
     */
    static float requireRate(float learningRate) {
        if (!(learningRate > 0) || Float.isInfinite(learningRate)) {
            throw new IllegalArgumentException("A learning rate must be positive, not " + learningRate);
        }
        return learningRate;
    }
}
