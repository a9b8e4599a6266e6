package plateau.report.paper;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;
import plateau.experiment.Kind;
import plateau.experiment.Logged;
import plateau.figure.Figure;
import plateau.results.History;
import plateau.study.Campaign;

/**
 * The runs of a section.
 *
 * @param runs of all its tasks, as far as they are finished
 * @param folders that their results lie in
 * @param figures of all of them, by name; none where there are no runs
 */
public record SectionRuns(List<History> runs, List<Path> folders, SequencedMap<String, Figure> figures) {

    /**
     * One finished task.
     *
     * @param campaign what was run
     * @param folder with the results
     * @param histories of its runs
     */
    public record Finished(Campaign<?> campaign, Path folder, List<History> histories) {}

    /** What these tasks, all of one kind, left behind. */
    public static SectionRuns of(List<Finished> tasks) {
        List<History> runs = tasks.stream()
                .flatMap(task -> task.histories.stream())
                .filter(run -> !run.isEmpty())
                .toList();
        List<Path> folders = tasks.stream().map(Finished::folder).toList();
        return new SectionRuns(
                runs,
                folders,
                runs.isEmpty()
                        ? new LinkedHashMap<>()
                        : figures(tasks.getFirst().campaign.kind(), tasks));
    }

    /** Those of the kind, of the runs of all tasks together. */
    private static <O extends Record> SequencedMap<String, Figure> figures(Kind<O> kind, List<Finished> tasks) {
        List<Logged<O>> logged = new ArrayList<>();
        for (Finished task : tasks) {
            for (Logged<?> run : task.campaign.logged(task.histories)) {
                logged.add(new Logged<>(kind.choices().cast(run.options()), run.history()));
            }
        }
        return kind.figures(logged);
    }

    /** A figure of that name, told about; nothing where there are no runs. */
    List<PaperFigure> drawing(String figure, String name, String title, String caption) {
        return figures.containsKey(figure)
                ? List.of(new PaperFigure(name, title, caption, figures.get(figure)))
                : List.of();
    }

    /** A figure that a task has drawn itself: its PNG, beside which its SVG lies. */
    Optional<Path> drawn(String name) {
        return folders.stream()
                .map(folder -> folder.resolve(name + ".png"))
                .filter(Files::isRegularFile)
                .findFirst();
    }

    /** What a run has in a column of the tables that tells runs apart, as a text. */
    static String text(History run, String column) {
        return String.valueOf(run.key().columns().get(column));
    }

    /** As above, where the column has the constants of an enum. */
    static <E extends Enum<E>> E constant(Class<E> type, History run, String column) {
        return Enum.valueOf(type, text(run, column).toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    /** The runs in which a column has this value, one for each seed, ascending. */
    List<History> with(String column, Object value) {
        return runs.stream()
                .filter(run -> value.toString().equals(text(run, column)))
                .sorted(Comparator.comparing(History::seed))
                .toList();
    }

    /** A number of each run. */
    static double[] each(List<History> runs, ToDoubleFunction<History> number) {
        return runs.stream().mapToDouble(number).toArray();
    }

    /** A number of each pair of runs that have the same seed. */
    static double[] pairs(List<History> first, List<History> second, ToDoubleBiFunction<History, History> number) {
        List<Double> values = new ArrayList<>();
        for (History one : first) {
            second.stream()
                    .filter(other -> other.seed() == one.seed())
                    .forEach(other -> values.add(number.applyAsDouble(one, other)));
        }
        return values.stream().mapToDouble(value -> value).toArray();
    }

    /** The number of steps that the runs have in common. */
    static long steps(List<History> runs) {
        return runs.stream().mapToLong(History::lastStep).min().orElse(0);
    }
}
