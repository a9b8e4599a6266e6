package plateau.train;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import plateau.cuda.Graph;
import plateau.cuda.GraphExec;
import plateau.cuda.Releases;
import plateau.cuda.Stream;
import plateau.cuda.Work;

/**
 * Runs a work many times on one stream: as captured graphs that each hold several repetitions, or
 * eagerly. Both enqueue the same operations in the same order, so their results have the same bits.
 */
final class Replay implements AutoCloseable {
    private final Stream stream;
    private final Work work;
    private final int unroll;
    /** By the number of repetitions. */
    private final Map<Integer, GraphExec> graphs = new HashMap<>();

    /** @param unroll repetitions per graph; 0: eager */
    Replay(Stream stream, Work work, int unroll) {
        this.stream = stream;
        this.work = work;
        this.unroll = unroll;
    }

    /**
     * Captures all that {@link #enqueue} of up to so many repetitions replays. None is captured
     * later: whoever captures must be alone with a device on which a library is opened or closed.
     */
    void prepare(long most) {
        for (int count = unroll; count > 0; count = next(count)) {
            if (count <= most) {
                graphs.put(count, capture(count));
            }
        }
    }

    /** Below the full unroll the powers of two, of which any remainder is a sum. */
    private static int next(int count) {
        return Integer.highestOneBit(count - 1);
    }

    /** Enqueues this many repetitions, as many as have been prepared for. */
    void enqueue(long repetitions) {
        long left = repetitions;
        for (int count = unroll; count > 0; count = next(count)) {
            for (; left >= count; left -= count) {
                graphs.get(count).enqueue(stream);
            }
        }
        for (; left > 0; left--) {
            work.enqueue(stream);
        }
    }

    private GraphExec capture(int repetitions) {
        try (Graph graph = stream.capture(() -> {
            for (int i = 0; i < repetitions; i++) {
                work.enqueue(stream);
            }
        })) {
            return graph.instantiate();
        }
    }

    @Override
    public void close() {
        List<Runnable> all =
                graphs.values().stream().<Runnable>map(graph -> graph::close).toList();
        graphs.clear();
        Releases.all(all);
    }
}
