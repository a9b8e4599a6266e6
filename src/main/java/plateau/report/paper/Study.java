package plateau.report.paper;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;
import plateau.report.History;
import plateau.figure.Panel;
import plateau.report.Recorded;

/**
 * The runs of a section.
 *
 * @param runs of all its commands
 * @param folders that their results lie in
 */
public record Study(List<History> runs, List<Path> folders) {
    /** What these commands left behind. */
    public static Study of(List<Recorded> results) {
        return new Study(results.stream().flatMap(recorded -> recorded.histories().stream()).toList(), results.stream().map(Recorded::folder).toList());
    }

    /** A figure that a command has drawn itself: its PNG, beside which its SVG lies. */
    Optional<Path> drawn(String name) {
        return folders.stream().map(folder -> folder.resolve(name + ".png")).filter(Files::isRegularFile).findFirst();
    }

    /** The runs in which a key has this value, one for each seed, ascending. */
    List<History> with(String key, Object value) {
        return runs.stream().filter(run -> value.toString().equals(run.key().get(key))).sorted(Comparator.comparing(History::seed)).toList();
    }

    /** A number of each run. */
    static double[] each(List<History> runs, ToDoubleFunction<History> number) {
        return runs.stream().mapToDouble(number).toArray();
    }

    /** A number of each pair of runs that have the same seed. */
    static double[] pairs(List<History> first, List<History> second, ToDoubleBiFunction<History, History> number) {
        List<Double> values = new ArrayList<>();
        for (History one : first) {
            second.stream().filter(other -> other.seed() == one.seed()).forEach(other -> values.add(number.applyAsDouble(one, other)));
        }
        return values.stream().mapToDouble(value -> value).toArray();
    }

    /** The number of steps that the runs have in common. */
    static long steps(List<History> runs) {
        return runs.stream().mapToLong(run -> run.steps().getLast()).min().orElse(0);
    }

    /** A metric against the steps: of the runs the mean, and a band from the lowest to the highest. */
    static Panel.Curve mean(String name, List<History> runs, String metric, Panel.Look look) {
        return Panel.Curve.mean(name, look, runs.stream().map(run -> run.values(metric)).toList());
    }
}
