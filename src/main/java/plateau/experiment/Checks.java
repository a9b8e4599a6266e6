package plateau.experiment;

/** What options are refused for, in one line that names the option. */
final class Checks {
    private Checks() {}

    static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    static void requireBatch(int batch, int most) {
        require(batch >= 1 && batch <= most, "batch must be between 1 and " + most + ", not " + batch);
    }

    static void requireLearningRate(float learningRate) {
        require(learningRate > 0 && Float.isFinite(learningRate), "lr must be positive, not " + learningRate);
    }
}
