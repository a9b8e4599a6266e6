package plateau.results;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/**
 * What tells a run from the others of its campaign.
 *
 * @param columns the options in which runs differ, by their names, in the order of the tables' columns; values are
 *     Integer, Long, Float, Double or String
 * @param seed of every random number of the run
 */
public record RunKey(SequencedMap<String, Object> columns, long seed) {

    /** Copies the map. */
    public RunKey {
        columns = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(columns));
    }

    /** A key of one column. */
    public static RunKey of(String column, Object value, long seed) {
        return new RunKey(new LinkedHashMap<>(Map.of(column, value)), seed);
    }

    /** For messages and legends, without the seed: {@code d = 5}, and names as they are. */
    public String label() {
        return columns.entrySet().stream()
                .map(column -> column.getValue() instanceof String name ? name : column.getKey() + " = " + column.getValue())
                .collect(Collectors.joining(", "));
    }

    /** For files about the run: {@code d-5-seed-1}. */
    public String fileName() {
        String kind = columns.entrySet().stream()
                .map(column -> column.getValue() instanceof String name ? name : column.getKey() + "-" + column.getValue())
                .collect(Collectors.joining("-"));
        return ((kind.isEmpty() ? "" : kind + "-") + "seed-" + seed).replaceAll("[^A-Za-z0-9.-]", "_");
    }

    /** Whether another run differs from this one in its seed alone. */
    public boolean isOfSameKind(RunKey other) {
        return columns.equals(other.columns);
    }
}
