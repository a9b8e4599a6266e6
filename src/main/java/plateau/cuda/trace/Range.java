package plateau.cuda.trace;

/** A stretch of time on a thread, inside another or on its own. */
public final class Range implements AutoCloseable {
    /** Where nobody listens. */
    static final Range NONE = new Range();

    private final Nvtx nvtx;
    private final Recording recording;
    private final Category category;
    private final String name;
    private final Range parent;
    private final String thread;
    private final long begin;
    private long end;

    private Range() {
        nvtx = null;
        recording = null;
        category = null;
        name = null;
        parent = null;
        thread = null;
        begin = 0;
    }

    /** @param recurs whether its name is one that others have, too */
    Range(Nvtx nvtx, Recording recording, Category category, String name, boolean recurs) {
        this.nvtx = nvtx;
        this.recording = recording;
        this.category = category;
        this.name = name;
        if (nvtx != null) {
            nvtx.push(category, name, recurs);
        }
        thread = recording == null ? null : Thread.currentThread().getName();
        parent = recording == null ? null : recording.enter(this);
        begin = recording == null ? 0 : System.nanoTime();
    }

    /** What it is of. */
    public Category category() {
        return category;
    }

    /** Its name. */
    public String name() {
        return name;
    }

    /** The range that it is inside of, or null. */
    public Range parent() {
        return parent;
    }

    /** The name of its thread. */
    public String thread() {
        return thread;
    }

    /** When it was opened, by {@link System#nanoTime}. */
    public long begin() {
        return begin;
    }

    /** When it was closed. */
    public long end() {
        return end;
    }

    @Override
    public void close() {
        if (recording != null) {
            end = System.nanoTime();
            recording.leave(this);
        }
        if (nvtx != null) {
            nvtx.pop();
        }
    }
}
