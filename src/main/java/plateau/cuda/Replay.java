package plateau.cuda;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a work many times on one stream: as captured graphs that each hold several repetitions, or
 * eagerly. Both enqueue the same operations in the same order, so their results have the same bits.
 */
public final class Replay implements AutoCloseable {
    private final Stream stream;
    private final Work work;
    /** By the number of repetitions, the most first; none where they are enqueued eagerly. */
    private final Map<Integer, GraphExec> graphs = new LinkedHashMap<>();

    /**
     * Captures graphs of {@code unroll} repetitions and of each smaller power of two, of which any
     * remainder is a sum. None is captured later: who captures must not meet who opens or closes a
     * library on the same device.
     *
     * @param unroll repetitions per graph; 0: eager
     * @param most repetitions that will be enqueued at once: larger graphs are left out
     */
    public Replay(Stream stream, Work work, int unroll, long most) {
        this.stream = stream;
        this.work = work;
        try {
            for (int count = unroll; count > 0; count = next(count)) {
                if (count <= most) {
                    graphs.put(count, capture(count));
                }
            }
        } catch (RuntimeException | Error e) {
            Releases.after(e, this::close);
            throw e;
        }
    }

    private static int next(int count) {
        return Integer.highestOneBit(count - 1);
    }

    /** Enqueues this many repetitions. */
    public void enqueue(long repetitions) {
        long left = repetitions;
        for (Map.Entry<Integer, GraphExec> graph : graphs.entrySet()) {
            for (; left >= graph.getKey(); left -= graph.getKey()) {
                graph.getValue().enqueue(stream);
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
