package plateau.cuda.trace;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The ranges of this process, taken down. */
public final class Recording {
    private final Queue<Range> ended = new ConcurrentLinkedQueue<>();
    private final ThreadLocal<Range> innermost = new ThreadLocal<>();

    Recording() {}

    /** The innermost range that is open on this thread, or null. */
    public Range innermost() {
        return innermost.get();
    }

    /** Those that have been closed, in that order. */
    public List<Range> ranges() {
        return List.copyOf(ended);
    }

    /** Returns the range that this one is inside of. */
    Range enter(Range range) {
        Range outer = innermost.get();
        innermost.set(range);
        return outer;
    }

    void leave(Range range) {
        innermost.set(range.parent());
        ended.add(range);
    }
}
