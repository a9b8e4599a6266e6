package plateau.study;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import plateau.experiment.Choice;
import plateau.experiment.Kind;
import plateau.train.Schedule;

/**
 * Runs that differ in some options, each with every value of the others, and in their seeds.
 *
 * @param <O> the options of their kind
 * @param kind of experiment
 * @param values by option: one, or several where runs may differ in it; options that are not named
 *     have their defaults
 * @param steps of each run; empty: as many as its kind takes with its options
 * @param logEvery steps between evaluations
 * @param seeds of each combination
 */
public record Grid<O extends Record>(
        Kind<O> kind, Map<String, List<?>> values, OptionalLong steps, long logEvery, Seeds seeds) {
    /** Runs at most: each is held in memory and has files of its own. */
    public static final int MOST_RUNS = 100_000;

    /**
     * The runs: those that differ in their seed alone side by side, the last option that differs
     * changing first.
     *
     * @throws IllegalArgumentException with one line on the first value that cannot be, or if there
     *     are more than {@link #MOST_RUNS}
     */
    public List<RunSpec<O>> runs() {
        Map<String, List<?>> completed = completed();
        requireRuns(completed.values());
        List<Map<String, Object>> combinations = List.of(Map.of());
        for (Map.Entry<String, List<?>> option : completed.entrySet()) {
            List<Map<String, Object>> longer = new ArrayList<>();
            for (Map<String, Object> combination : combinations) {
                for (Object value : option.getValue()) {
                    Map<String, Object> next = new LinkedHashMap<>(combination);
                    next.put(option.getKey(), value);
                    longer.add(next);
                }
            }
            combinations = longer;
        }
        List<RunSpec<O>> runs = new ArrayList<>();
        for (Map<String, Object> combination : combinations) {
            O options = kind.options(combination);
            Schedule schedule = schedule(options);
            seeds.stream().forEach(seed -> runs.add(new RunSpec<>(kind, options, schedule, seed)));
        }
        return runs;
    }

    private void requireRuns(Collection<List<?>> each) {
        double runs = seeds.count(); // which no number of values makes overflow
        for (List<?> several : each) {
            runs *= several.size();
        }
        if (runs > MOST_RUNS) {
            throw new IllegalArgumentException(
                    "%.0f runs are more than the %d that a campaign can have: %d seeds of %.0f kinds"
                            .formatted(runs, MOST_RUNS, seeds.count(), runs / seeds.count()));
        }
    }

    /** With the values of those options that differ between runs and were not named. */
    private Map<String, List<?>> completed() {
        Map<String, List<?>> all = new LinkedHashMap<>();
        for (Choice choice : kind.choices().all()) {
            List<?> named = values.get(choice.name());
            if (named != null && !choice.differs() && named.size() > 1) {
                throw new IllegalArgumentException("%s takes one value, not %s".formatted(choice.name(), named));
            }
            if (named != null && named.stream().distinct().count() < named.size()) {
                throw new IllegalArgumentException("%s names a value twice: %s".formatted(choice.name(), named));
            }
            if (named != null && !named.isEmpty()) {
                all.put(choice.name(), named);
            } else if (choice.differs()) {
                all.put(choice.name(), choice.each());
            }
        }
        values.keySet().stream()
                .filter(name -> !all.containsKey(name))
                .forEach(name -> all.put(name, values.get(name)));
        return all;
    }

    private Schedule schedule(O options) {
        long usual = kind.defaultSteps(options);
        if (kind.stepsFollow() && steps.orElse(usual) != usual) {
            throw new IllegalArgumentException("the steps of %s follow from its other options: %d, not %d"
                    .formatted(kind.name(), usual, steps.getAsLong()));
        }
        return new Schedule(steps.orElse(usual), logEvery);
    }
}
