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
    /**
     * By the number of repetitions: the full unroll, and the few remainders that log intervals
     * leave.
     */
    private final Map<Integer, GraphExec> graphs = new HashMap<>();

    /** @param unroll repetitions per graph; 0: eager */
    Replay(Stream stream, Work work, int unroll) {
        this.stream = stream;
        this.work = work;
        this.unroll = unroll;
    }

    /** Captures now what {@link #enqueue} of so many repetitions would capture. */
    void prepare(long repetitions) {
        if (unroll > 0 && repetitions >= unroll) {
            graph(unroll);
        }
        if (unroll > 0 && repetitions % unroll > 0) {
            graph((int) (repetitions % unroll));
        }
    }

    /** Enqueues this many repetitions. */
    void enqueue(long repetitions) {
        long left = repetitions;
        while (left > 0) {
            if (unroll == 0) {
                work.enqueue(stream);
                left--;
            } else {
                int count = (int) Math.min(left, unroll);
                graph(count).enqueue(stream);
                left -= count;
            }
        }
    }

    private GraphExec graph(int repetitions) {
        return graphs.computeIfAbsent(repetitions, this::capture);
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
