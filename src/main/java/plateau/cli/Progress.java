package plateau.cli;

import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how far a run is: a bar on a terminal, gone when the run has ended; a line now and then elsewhere. */
final class Progress implements AutoCloseable {
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(5);
    private static final int REDRAW_MILLISECONDS = 200;
    private static final int WIDTH = 79;
    private static final String ERASE_LINE = "\r\033[K";

    private final PrintWriter out;
    private final String what;
    private final long steps;
    private final ProgressBar bar;
    private long lastLine = System.nanoTime();

    Progress(PrintWriter out, String what, long steps) {
        this.out = out;
        this.what = what;
        this.steps = steps;
        boolean terminal = System.console() != null && System.console().isTerminal();
        bar = terminal ? bar() : null;
    }

    private ProgressBar bar() {
        return new ProgressBarBuilder()
                .setTaskName(what)
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(REDRAW_MILLISECONDS)
                .setConsumer(new DelegatingProgressBarConsumer(this::redraw, WIDTH))
                .build();
    }

    private void redraw(String line) {
        out.print(ERASE_LINE + line);
        out.flush();
    }

    /** That many steps are done. */
    void at(long done, String message) {
        if (bar != null) {
            bar.stepTo(done);
            bar.setExtraMessage(" " + message);
        } else if (System.nanoTime() - lastLine >= BETWEEN_LINES.toNanos()) {
            lastLine = System.nanoTime();
            out.printf("%s: step %,d of %,d, %s%n", what, done, steps, message);
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            redraw("");
        }
    }
}
