package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What is shown of several runs, with a clock of the test's own. */
class ProgressTest {
    private static final List<Progress.Length> RUNS = List.of(
            new Progress.Length("d = 5", 1000),
            new Progress.Length("d = 10", 1000),
            new Progress.Length("d = 15", 2000));

    private final StringWriter written = new StringWriter();
    private long seconds = 1;
    private int columns = 80;

    private Progress progress(List<Progress.Length> runs, int parallel, boolean terminal) {
        return new Progress(
                new PrintWriter(written),
                runs,
                parallel,
                new Terminal(terminal, () -> columns),
                () -> TimeUnit.SECONDS.toNanos(seconds));
    }

    /** The first half way, with what it has measured; the second a tenth. */
    private static void twoRunsGoOn(Progress progress, String measured) {
        progress.start(0, 0);
        progress.start(1, 0);
        progress.at(0, 500);
        progress.measured(0, measured);
        progress.at(1, 100);
    }

    private List<String> lines() {
        List<String> lines = written.toString().lines().toList();
        written.getBuffer().setLength(0);
        return lines;
    }

    @Test
    void aLogHasALineForEachRunNowAndThenAndTheTimeLeft() {
        try (Progress progress = progress(RUNS, 2, false)) {
            progress.start(0, 0);
            progress.start(1, 0);
            seconds += 4;
            progress.at(0, 100);
            assertEquals(List.of(), lines());
            progress.measured(0, "loss 0.500");
            seconds += 6;
            progress.at(1, 50);
            // d = 5 has 36 s to go at 0.04 s a step, d = 10 190 s at 0.2; d = 15 at the mean of
            // 0.12 takes 240 s: 466 s over two places, but no less than 240.
            assertEquals(
                    List.of(
                            "d = 5: step 100 of 1,000, loss 0.500",
                            "d = 10: step 50 of 1,000",
                            "0 of 3 runs done, about 4 min 0 s left"),
                    lines());
            seconds += 2;
            progress.at(0, 300);
            assertEquals(List.of(), lines());
            progress.end(0, "d = 5: done");
            assertEquals(List.of("d = 5: done"), lines());
            seconds += 8;
            progress.at(1, 500);
            // d = 10 has 20 s to go at 0.04 s a step; d = 15 at the mean of that and 0.04 takes 80
            // s.
            assertEquals(List.of("d = 10: step 500 of 1,000", "1 of 3 runs done, about 1 min 20 s left"), lines());
        }
        assertEquals(List.of(), lines());
    }

    @Test
    void aRunAloneHasOneLineMore() {
        try (Progress progress = progress(RUNS.subList(0, 1), 2, false)) {
            progress.start(0, 0);
            seconds += 10;
            progress.at(0, 2);
            assertEquals(List.of("d = 5: step 2 of 1,000", "about 1 h 23 min left"), lines());
        }
    }

    @Test
    void aTerminalHasBarsThatAreGoneInTheEnd() throws Exception {
        try (Progress progress = progress(RUNS, 2, true)) {
            twoRunsGoOn(progress, "loss 0.250");
            progress.end(0, "d = 5: done");
            progress.end(1, "d = 10: done");
        }
        String all = written.toString();
        assertTrue(all.contains("d = 5  50%") && all.contains("d = 10  10%"), all);
        assertTrue(all.contains("0 of 3 runs done, time left unknown") || all.contains("left"), all);
        Screen screen = new Screen();
        screen.show(all);
        assertEquals(List.of("d = 5: done", "d = 10: done"), screen.lines());
    }

    @Test
    void aNarrowTerminalHasNarrowBars() {
        columns = 30;
        try (Progress progress = progress(RUNS, 2, true)) {
            twoRunsGoOn(progress, "loss 0.250, accuracy 0.875, and more that does not fit");
            columns = 20; // the window is made smaller
            progress.end(0, "done");
            progress.end(1, "done");
        }
        List<String> wide = written.toString()
                .lines()
                .map(line -> line.replaceAll("\033\\[[AJ]|\r", ""))
                .filter(line -> line.length() >= 30)
                .toList();
        assertEquals(List.of(), wide);
    }

    /** As much of a terminal as is used: line feeds, returns, one line up, erase below. */
    private static final class Screen {
        private final java.util.ArrayList<StringBuilder> rows = new java.util.ArrayList<>(List.of(new StringBuilder()));
        private int row;
        private int column;

        void show(String text) {
            for (int i = 0; i < text.length(); i++) {
                if (text.startsWith("\033[A", i)) {
                    row--;
                    i += 2;
                } else if (text.startsWith("\033[J", i)) {
                    rows.get(row).setLength(column);
                    while (rows.size() > row + 1) {
                        rows.removeLast();
                    }
                    i += 2;
                } else if (text.charAt(i) == '\r') {
                    column = 0;
                } else if (text.charAt(i) == '\n') {
                    row++;
                    column = 0;
                    if (row == rows.size()) {
                        rows.add(new StringBuilder());
                    }
                } else {
                    StringBuilder line = rows.get(row);
                    line.setLength(Math.max(line.length(), column));
                    line.replace(column, Math.min(column + 1, line.length()), text.substring(i, i + 1));
                    column++;
                }
            }
        }

        List<String> lines() {
            return rows.stream()
                    .map(StringBuilder::toString)
                    .filter(line -> !line.isEmpty())
                    .toList();
        }
    }
}
