package plateau.results;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.RandomAccess;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * One run as it is logged, or was: its metrics by step, and what it has learnt at some of them. It
 * may hold fewer rows than were logged, so that a figure or a test of a long run needs little
 * memory: where there would be too many, every second one is left out, and so on; the last stays.
 * Not safe for use by several threads.
 */
public final class History {
    private final RunKey key;
    private final List<String> metrics;
    private final int mostRows;
    private final Map<String, Object> facts = new LinkedHashMap<>();
    private final NavigableMap<Long, SequencedMap<String, float[]>> curves = new TreeMap<>();
    private long[] steps = new long[64];
    private double[][] values;
    private int rows;
    private int stride = 1;
    private long logged;

    /** An empty history that keeps all its rows. */
    public History(RunKey key, List<String> metrics) {
        this(key, metrics, Integer.MAX_VALUE);
    }

    /**
     * An empty history.
     *
     * @param key of the run
     * @param metrics the names of a row's values
     * @param mostRows rows that it keeps at most, but for the last; at least 2
     */
    public History(RunKey key, List<String> metrics, int mostRows) {
        if (mostRows < 2) {
            throw new IllegalArgumentException("a history keeps at least 2 rows, not " + mostRows);
        }
        this.key = key;
        this.metrics = List.copyOf(metrics);
        this.mostRows = mostRows;
        this.values = new double[metrics.size()][steps.length];
    }

    /**
     * Adds a row.
     *
     * @param step training steps done, more than at the last row
     * @param row one value per metric
     * @throws IllegalArgumentException if it is out of order or has another number of values
     */
    public void add(long step, List<Double> row) {
        if (row.size() != metrics.size()) {
            throw new IllegalArgumentException(
                    "a row of %d values where there are %d metrics".formatted(row.size(), metrics.size()));
        }
        if (rows > 0 && step <= steps[rows - 1]) {
            throw new IllegalArgumentException("step %d after step %d".formatted(step, steps[rows - 1]));
        }
        if (rows > 0 && (logged - 1) % stride != 0) {
            rows--; // the row before was kept as the last alone
        }
        if (rows == steps.length) {
            int longer = Math.min(2 * rows, mostRows == Integer.MAX_VALUE ? 2 * rows : mostRows + 1);
            steps = Arrays.copyOf(steps, longer);
            for (int i = 0; i < values.length; i++) {
                values[i] = Arrays.copyOf(values[i], longer);
            }
        }
        steps[rows] = step;
        for (int i = 0; i < values.length; i++) {
            values[i][rows] = row.get(i);
        }
        rows++;
        logged++;
        if (rows > mostRows && (logged - 1) % stride == 0) {
            thin();
        }
    }

    /** Leaves out every second row. */
    private void thin() {
        int kept = (rows + 1) / 2;
        for (int i = 0; i < kept; i++) {
            steps[i] = steps[2 * i];
            for (double[] column : values) {
                column[i] = column[2 * i];
            }
        }
        if (rows % 2 == 0) { // the last row was an odd one, and stays as the last
            steps[kept] = steps[rows - 1];
            for (double[] column : values) {
                column[kept] = column[rows - 1];
            }
            kept++;
        }
        rows = kept;
        stride *= 2;
    }

    /**
     * Keeps what was learnt.
     *
     * @param step training steps done
     * @param learnt by name, as the experiment documents it
     */
    public void keep(long step, Map<String, float[]> learnt) {
        curves.put(step, new LinkedHashMap<>(learnt));
    }

    /** Adds what a reader of the results wants to know of the run beside its metrics, by name. */
    public History withFacts(Map<String, ?> other) {
        facts.putAll(other);
        return this;
    }

    /** What tells the run from others. */
    public RunKey key() {
        return key;
    }

    /** Of every random number of the run. */
    public long seed() {
        return key.seed();
    }

    /** For legends: {@code d = 5}, and names as they are. */
    public String label() {
        return key.label();
    }

    /** The names of a row's values. */
    public List<String> metrics() {
        return metrics;
    }

    /** Whether the run has a metric of that name. */
    public boolean measures(String metric) {
        return metrics.contains(metric);
    }

    /** What is known of the run beside its metrics, by name: texts, numbers, lists and maps. */
    public Map<String, Object> facts() {
        return facts;
    }

    /** Whether nothing was logged. */
    public boolean isEmpty() {
        return rows == 0;
    }

    /** Rows that were logged, of which fewer may be held. */
    public long logged() {
        return logged;
    }

    /** The steps of the rows, ascending; a view. */
    public List<Long> steps() {
        return new View<>() {
            @Override
            public Long get(int index) {
                return steps[check(index)];
            }
        };
    }

    /**
     * A metric, one value per step; a view.
     *
     * @throws IllegalArgumentException if the run has no such metric
     */
    public List<Double> values(String metric) {
        int column = column(metric);
        return new View<>() {
            @Override
            public Double get(int index) {
                return values[column][check(index)];
            }
        };
    }

    /** A list over the rows as they are. */
    private abstract class View<T> extends AbstractList<T> implements RandomAccess {
        @Override
        public int size() {
            return rows;
        }

        int check(int index) {
            return Objects.checkIndex(index, rows);
        }
    }

    private int column(String metric) {
        int column = metrics.indexOf(metric);
        if (column < 0) {
            throw new IllegalArgumentException(
                    "%s has no metric '%s', but %s".formatted(label(), metric, String.join(", ", metrics)));
        }
        return column;
    }

    /** What was learnt, by step and name. */
    public NavigableMap<Long, SequencedMap<String, float[]>> curves() {
        return curves;
    }

    /** The step of the last row. */
    public long lastStep() {
        return steps().getLast();
    }

    /** A metric at the end. */
    public double last(String metric) {
        return values(metric).getLast();
    }

    /** A metric's mean over all that was logged. */
    public double mean(String metric) {
        return Arrays.stream(values[column(metric)], 0, rows).average().orElseThrow();
    }

    /**
     * The median of a metric over the last tenth of what was logged, which a spike at the very end
     * does not move.
     */
    public double tail(String metric) {
        double[] tail = Arrays.copyOfRange(values[column(metric)], rows - Math.ceilDiv(rows, 10), rows);
        Arrays.sort(tail);
        return (tail[(tail.length - 1) / 2] + tail[tail.length / 2]) / 2;
    }

    /** The first logged step at which a metric is at most so much; empty where it never is. */
    public OptionalLong firstAtMost(String metric, double threshold) {
        double[] column = values[column(metric)];
        return IntStream.range(0, rows)
                .filter(i -> column[i] <= threshold)
                .mapToLong(i -> steps[i])
                .findFirst();
    }
}
