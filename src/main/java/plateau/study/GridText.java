package plateau.study;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;
import plateau.train.Schedule;

/**
 * Grids as a line of text: {@code parity d=5..30 batch=64 steps=5000 seeds=100}. The experiment
 * comes first; an option takes a value, values with commas between them, or a range of whole
 * numbers, {@code 5..30} or {@code 10..100..10}. The other names are seed, seeds, steps and
 * log-every.
 */
public final class GridText {
    private static final Pattern RANGE = Pattern.compile("(-?[0-9]{1,9})\\.\\.(-?[0-9]{1,9})(?:\\.\\.([0-9]{1,9}))?");

    private GridText() {}

    /**
     * The grid of a line.
     *
     * @throws IllegalArgumentException with one line on the first thing in it that cannot be
     */
    public static Grid<?> parse(String text) {
        List<String> words = List.of(text.strip().split("\\s+"));
        if (words.getFirst().isEmpty()) {
            throw new IllegalArgumentException("a grid names its experiment and what differs: parity d=5..30 seeds=10");
        }
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (String word : words.subList(1, words.size())) {
            int equals = word.indexOf('=');
            if (equals < 1 || equals == word.length() - 1) {
                throw new IllegalArgumentException(
                        "grid '%s': '%s' is not of the form name=values".formatted(text, word));
            }
            if (values.put(word.substring(0, equals), values(word.substring(equals + 1))) != null) {
                throw new IllegalArgumentException(
                        "grid '%s' names %s twice".formatted(text, word.substring(0, equals)));
            }
        }
        Kind<?> kind = Kinds.named(words.getFirst());
        try {
            return grid(kind, values);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("grid '%s': %s".formatted(text, e.getMessage()), e);
        }
    }

    private static <O extends Record> Grid<O> grid(Kind<O> kind, Map<String, List<String>> named) {
        Map<String, List<?>> values = new LinkedHashMap<>(named);
        OptionalLong seed = whole(values, "seed");
        OptionalLong seeds = whole(values, "seeds");
        OptionalLong steps = whole(values, "steps");
        OptionalLong logEvery = whole(values, "log-every");
        return new Grid<>(
                kind,
                values,
                steps,
                logEvery.orElse(Schedule.DEFAULT_LOG_EVERY),
                new Seeds(seed.orElse(1), seeds.orElse(1)));
    }

    /** Takes out what is no option of the experiment. */
    private static OptionalLong whole(Map<String, List<?>> values, String name) {
        List<?> given = values.remove(name);
        if (given == null) {
            return OptionalLong.empty();
        }
        String text = String.valueOf(given.getFirst());
        if (given.size() > 1 || !text.matches("-?[0-9]{1,18}")) {
            throw new IllegalArgumentException("%s must be one whole number".formatted(name));
        }
        return OptionalLong.of(Long.parseLong(text));
    }

    private static List<String> values(String text) {
        List<String> values = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            Matcher range = RANGE.matcher(part);
            if (range.matches()) {
                addRange(values, range);
            } else {
                values.add(part);
            }
        }
        return values;
    }

    private static void addRange(List<String> values, Matcher range) {
        int first = Integer.parseInt(range.group(1));
        int last = Integer.parseInt(range.group(2));
        int step = range.group(3) == null ? 1 : Integer.parseInt(range.group(3));
        if (step < 1 || first > last || (last - (long) first) / step >= Grid.MOST_RUNS) {
            throw new IllegalArgumentException(
                    "the range %s must ascend, and have at most %d values".formatted(range.group(), Grid.MOST_RUNS));
        }
        for (long value = first; value <= last; value += step) {
            values.add(Long.toString(value));
        }
    }
}
