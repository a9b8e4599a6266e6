package plateau.cli;

/** A step of a check does not come to its end. The message is one line. */
final class StepEnded extends Exception {
    private static final long serialVersionUID = 1;

    /** How a step can end. */
    enum Verdict {
        OK("ok"),
        FAILED("FAILED"),
        SKIPPED("skipped");

        private final String text;

        Verdict(String text) {
            this.text = text;
        }

        /** As a reader sees it. */
        String text() {
            return text;
        }
    }

    private final Verdict verdict;

    private StepEnded(Verdict verdict, String message) {
        super(message);
        this.verdict = verdict;
    }

    /** Something is wrong. */
    static StepEnded failed(String message) {
        return new StepEnded(Verdict.FAILED, message);
    }

    /** What it needs is not here. */
    static StepEnded skipped(String message) {
        return new StepEnded(Verdict.SKIPPED, message);
    }

    Verdict verdict() {
        return verdict;
    }
}
