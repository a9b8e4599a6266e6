package plateau.results;

/** What a test or a computation says about a claim of the paper. */
public enum Verdict {
    /** The claim's opposite is rejected. */
    HOLDS("holds"),
    /** The claim is rejected. */
    DOES_NOT_HOLD("does not hold"),
    /** Neither is: too few runs, too short, or too close to call. */
    UNDECIDED("undecided");

    private final String text;

    Verdict(String text) {
        this.text = text;
    }

    /** In words. */
    @Override
    public String toString() {
        return text;
    }
}
