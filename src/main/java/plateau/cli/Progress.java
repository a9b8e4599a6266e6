package plateau.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows how far the runs of a command are, and how much time is left: a bar for each on a terminal,
 * gone when all have ended; lines now and then elsewhere. Runs are counted from 0. May be called
 * from any thread.
 */
final class Progress implements AutoCloseable {
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(5);
    private static final int REDRAW_MILLISECONDS = 200;
    private static final String ERASE_BELOW = "\r\033[J";
    private static final String LINE_UP = "\033[A";

    private final PrintWriter out;
    private final List<Task> tasks;
    private final int parallel;
    private final Terminal terminal;
    private final LongSupplier clock;
    private final Map<Integer, String> bars = new TreeMap<>();
    private int drawn;
    private long lastLines;

    /**
     * One run.
     *
     * @param name for display
     * @param steps in all
     */
    record Length(String name, long steps) {}

    /** How far one run is. */
    private final class Task {
        private final String name;
        private final long steps;
        private long before;
        private long done;
        private long started;
        private long seen;
        private boolean ended;
        private String message = "";
        private ProgressBar bar;

        Task(Length length) {
            name = length.name;
            steps = length.steps;
        }

        boolean running() {
            return started != 0 && !ended;
        }

        boolean measured() {
            return done > before;
        }

        double secondsPerStep() {
            return (seen - started) / 1e9 / (done - before);
        }

        double secondsLeft() {
            return secondsPerStep() * (steps - done);
        }
    }

    /** Draws a run's bar, as wide as the terminal is at that moment. */
    private final class Bar extends DelegatingProgressBarConsumer {
        Bar(int run) {
            super(line -> redraw(run, line));
        }

        @Override
        public int getMaxRenderedLength() {
            return columns();
        }
    }

    /** One less than there are, as some terminals go to the next line after the last. */
    private int columns() {
        return Math.max(1, terminal.columns().getAsInt() - 1);
    }

    /** @param parallel runs at once */
    Progress(PrintWriter out, List<Length> runs, int parallel) {
        this(out, runs, parallel, Terminal.standard(), System::nanoTime);
    }

    Progress(PrintWriter out, List<Length> runs, int parallel, Terminal terminal, LongSupplier clock) {
        this.out = out;
        this.tasks = runs.stream().map(Task::new).toList();
        this.parallel = parallel;
        this.terminal = terminal;
        this.clock = clock;
        this.lastLines = clock.getAsLong();
    }

    /** A run starts, with that many of its steps done before. */
    synchronized void start(int run, long done) {
        Task task = tasks.get(run);
        task.before = done;
        task.done = done;
        task.started = clock.getAsLong();
        if (terminal.redraws()) {
            task.bar = new ProgressBarBuilder()
                    .setTaskName(task.name)
                    .setInitialMax(task.steps)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(REDRAW_MILLISECONDS)
                    .setConsumer(new Bar(run))
                    .build();
        }
    }

    /** That many of its steps are done. */
    synchronized void at(int run, long done) {
        Task task = tasks.get(run);
        task.done = done;
        task.seen = clock.getAsLong();
        if (terminal.redraws()) {
            task.bar.stepTo(done);
        } else if (task.seen - lastLines >= BETWEEN_LINES.toNanos()) {
            lastLines = task.seen;
            lines().forEach(out::println);
        }
    }

    /** What it has measured last. */
    synchronized void measured(int run, String values) {
        Task task = tasks.get(run);
        task.message = values;
        if (terminal.redraws()) {
            task.bar.setExtraMessage(" " + values);
        }
    }

    /** A run has ended, and this is to be said of it. */
    void end(int run, String line) {
        Task task = tasks.get(run);
        if (task.bar != null) {
            task.bar.close(); // draws once more, from a thread that this one waits for: without the lock
        }
        synchronized (this) {
            task.bar = null;
            task.ended = true;
            bars.remove(run);
            erase();
            out.println(line);
            draw();
        }
    }

    /** A line for each run that is going on, and one for all. */
    private List<String> lines() {
        List<String> lines = new ArrayList<>();
        tasks.stream()
                .filter(Task::running)
                .forEach(task -> lines.add("%s: step %,d of %,d%s%s"
                        .formatted(
                                task.name, task.done, task.steps, task.message.isEmpty() ? "" : ", ", task.message)));
        lines.add(total());
        return lines;
    }

    private String total() {
        long ended = tasks.stream().filter(task -> task.ended).count();
        return tasks.size() == 1 ? timeLeft() : "%d of %d runs done, %s".formatted(ended, tasks.size(), timeLeft());
    }

    /**
     * Those that have not begun are thought to take as long a step as the others, and all to share
     * the places evenly.
     */
    private String timeLeft() {
        double perStep = tasks.stream()
                .filter(Task::measured)
                .mapToDouble(Task::secondsPerStep)
                .average()
                .orElse(Double.NaN);
        if (Double.isNaN(perStep)) {
            return "time left unknown";
        }
        double longest = 0;
        double sum = 0;
        for (Task task : tasks) {
            double left = task.ended ? 0 : task.measured() ? task.secondsLeft() : perStep * (task.steps - task.done);
            longest = Math.max(longest, left);
            sum += left;
        }
        return "about " + spoken(Duration.ofSeconds(Math.round(Math.max(longest, sum / parallel)))) + " left";
    }

    private static String spoken(Duration time) {
        if (time.toHours() > 0) {
            return "%d h %d min".formatted(time.toHours(), time.toMinutesPart());
        }
        return time.toMinutes() > 0
                ? "%d min %d s".formatted(time.toMinutes(), time.toSecondsPart())
                : "%d s".formatted(time.toSeconds());
    }

    private synchronized void redraw(int run, String line) {
        if (!tasks.get(run).ended) {
            bars.put(run, line);
            erase();
            draw();
        }
    }

    private void erase() {
        if (drawn > 0) {
            out.print(LINE_UP.repeat(drawn - 1) + ERASE_BELOW);
        }
        drawn = 0;
    }

    /**
     * The bars of the runs that are going on, one below the other, and the total where there are
     * several runs.
     */
    private void draw() {
        if (!bars.isEmpty()) {
            List<String> lines = new ArrayList<>(bars.values());
            if (tasks.size() > 1) {
                lines.add(total());
            }
            lines.replaceAll(line -> line.substring(0, Math.min(line.length(), columns())));
            out.print(String.join(System.lineSeparator(), lines));
            drawn = lines.size();
        }
        out.flush();
    }

    @Override
    public void close() {
        for (Task task : tasks) {
            if (task.bar != null) {
                task.bar.close();
            }
        }
        synchronized (this) {
            bars.clear();
            erase();
            out.flush();
        }
    }
}
