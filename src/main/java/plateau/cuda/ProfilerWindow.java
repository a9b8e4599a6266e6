package plateau.cuda;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The steps of a run that a profiler is to look at: those after the first ones, of the first run
 * that gets there. The driver tells NVIDIA's profilers where they begin and end (cuProfilerStart,
 * cuProfilerStop); a {@link Timeline} is open in between. Nothing that a run computes depends on
 * it.
 */
public final class ProfilerWindow {
    /**
     * The environment variable that says which steps: {@code 100:300} is 300 after the first 100.
     */
    public static final String STEPS = "PLATEAU_PROFILE_STEPS";

    private static ProfilerWindow current = ofEnvironment().orElse(null);

    private final long skipped;
    private final long count;
    private Object run;
    private long end;
    private boolean over;

    private ProfilerWindow(long skipped, long count) {
        this.skipped = skipped;
        this.count = count;
    }

    private static Optional<ProfilerWindow> ofEnvironment() {
        Matcher steps =
                Pattern.compile("(\\d{1,9}):(\\d{1,9})").matcher(System.getenv().getOrDefault(STEPS, ""));
        return steps.matches()
                ? Optional.of(new ProfilerWindow(Long.parseLong(steps.group(1)), Long.parseLong(steps.group(2))))
                : Optional.empty();
    }

    /** As the environment variable has it. */
    public static String text(long skipped, long count) {
        return skipped + ":" + count;
    }

    /** Asks for one in this process, {@code count} steps after the first {@code skipped}. */
    public static synchronized void set(long skipped, long count) {
        current = new ProfilerWindow(skipped, count);
    }

    /** Asks for none. */
    public static synchronized void clear() {
        current = null;
    }

    /**
     * A run is at this step, and nothing of it is under way.
     *
     * @param run whatever is the same for all calls of a run, and for no other
     * @param first step of the run in this process
     * @param last step of the run
     * @return the step where it is to come here again, at the latest
     */
    public static synchronized long at(Object run, long first, long done, long last) {
        return current == null ? last : current.reached(run, first, done, last);
    }

    /** The run goes no further. */
    public static synchronized void leave(Object run) {
        if (current != null && current.run == run && !current.over) {
            current.close();
        }
    }

    private long reached(Object who, long first, long done, long last) {
        long begin = first + Math.min(skipped, (last - first) / 2); // of a short run, its second half
        if (run == null && done < begin) {
            return begin;
        }
        if (run == null) {
            run = who;
            end = done + count;
            open();
        } else if (run == who && !over && done >= end) {
            close();
        }
        return run == who && !over ? Math.min(end, last) : last;
    }

    private static void open() {
        Timeline timeline = Timeline.current();
        if (timeline != null) {
            timeline.setOpen(true);
        }
        Calls.profilerStart();
    }

    private void close() {
        over = true;
        try {
            Calls.profilerStop();
        } catch (CudaException e) {
            // After a failure, of which the run tells.
        }
        Timeline timeline = Timeline.current();
        if (timeline != null) {
            timeline.setOpen(false);
        }
    }
}
