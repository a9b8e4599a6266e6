package plateau.cli;

/**
 * What a command tells whoever has started it. Java itself ends with 130 after SIGINT and 143 after
 * SIGTERM.
 */
final class ExitCode {
    /** Done. */
    static final int OK = 0;

    /** Failure at run time. */
    static final int FAILED = 1;

    /** Bad usage. */
    static final int USAGE = 2;

    /** A check was skipped for want of hardware. */
    static final int SKIPPED = 3;

    private ExitCode() {}
}
