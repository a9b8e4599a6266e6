package plateau.cli;

import java.util.function.IntSupplier;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;

/**
 * What output is shown on.
 *
 * @param redraws whether it knows escape sequences, and may be drawn on again
 * @param columns how wide it is now
 */
record Terminal(boolean redraws, IntSupplier columns) {
    /** Where nothing tells. */
    private static final int USUAL_COLUMNS = 80;

    /** A file, or a pipe. */
    static final Terminal NONE = new Terminal(false, () -> USUAL_COLUMNS);

    /** What standard output is, and the environment says of it (NO_COLOR: no-color.org). */
    static Terminal standard() {
        if (System.console() == null || !System.console().isTerminal()) {
            return NONE;
        }
        boolean plain = "dumb".equals(System.getenv("TERM")) || isSet("NO_COLOR");
        return new Terminal(!plain, Terminal::measured);
    }

    private static boolean isSet(String variable) {
        String value = System.getenv(variable);
        return value != null && !value.isEmpty();
    }

    /** By the library that draws the bars, which asks the terminal anew for each. */
    private static int measured() {
        return new DelegatingProgressBarConsumer(_ -> {}).getMaxRenderedLength();
    }
}
