package plateau.experiment;

/** What options are refused for, in one line that names the option. */
final class Checks {
    private Checks() {}

    static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    /** @throws IllegalArgumentException if an option without a default is not given */
    static void requireChosen(String name, Object value) {
        require(value != null, name + " is missing");
    }

    static void requireBatch(int batch, int most) {
        require(batch >= 1 && batch <= most, "batch must be between 1 and " + most + ", not " + batch);
    }

    static void requireLearningRate(float learningRate) {
        require(learningRate > 0 && Float.isFinite(learningRate), "lr must be positive, not " + learningRate);
    }
}
