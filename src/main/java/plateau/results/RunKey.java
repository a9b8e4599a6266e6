package plateau.results;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What tells a run from the others of its campaign.
 *
 * @param columns the options in which runs differ, by their names, in the order of the tables'
 *     columns; values are Integer, Long, Float, Double or String
 * @param seed of every random number of the run
 */
public record RunKey(SequencedMap<String, Object> columns, long seed) {
    /** Leaves room for endings in the 255 bytes that file systems allow. */
    private static final int LONGEST_NAME = 200;

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
                .map(column ->
                        column.getValue() instanceof String name ? name : column.getKey() + " = " + column.getValue())
                .collect(Collectors.joining(", "));
    }

    /** For files about the run: {@code d-5-seed-1}. */
    public String fileName() {
        String kind = columns.entrySet().stream()
                .map(column ->
                        column.getValue() instanceof String name ? name : column.getKey() + "-" + column.getValue())
                .collect(Collectors.joining("-"));
        return ((kind.isEmpty() ? "" : kind + "-") + "seed-" + seed).replaceAll("[^A-Za-z0-9.-]", "_");
    }

    /**
     * Names for files about runs, no two of them alike, not even for a file system that does not
     * tell cases apart. They depend on the runs' order.
     */
    public static List<String> fileNames(List<RunKey> keys) {
        Set<String> taken = new HashSet<>();
        List<String> names = new ArrayList<>();
        for (RunKey key : keys) {
            String whole = key.fileName();
            String plain = whole.substring(0, Math.min(whole.length(), LONGEST_NAME));
            String name = plain;
            for (int i = 2; !taken.add(name.toLowerCase(Locale.ROOT)); i++) {
                name = plain + "-" + i;
            }
            names.add(name);
        }
        return names;
    }

    /** The key as tables and descriptions have it, all texts: there 0.1f and 0.1 are alike. */
    RunKey asWritten() {
        SequencedMap<String, Object> texts = new LinkedHashMap<>();
        columns.forEach((column, value) -> texts.put(column, String.valueOf(value)));
        return new RunKey(texts, seed);
    }

    /** Whether another run differs from this one in its seed alone. */
    public boolean isOfSameKind(RunKey other) {
        return columns.equals(other.columns);
    }
}
