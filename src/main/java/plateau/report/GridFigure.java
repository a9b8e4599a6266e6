package plateau.report;

import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import plateau.experiment.Logged;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.results.History;
import plateau.results.RunKey;

/**
 * What a grid's runs came to at their ends, against the numeric option of which there are the most
 * values: a panel per metric, a curve per combination of the other options, the mean of the seeds
 * with a band from the lowest to the highest.
 */
public final class GridFigure {
    /** The name of its files. */
    public static final String NAME = "grid";

    private static final int FEWEST_VALUES = 3;
    private static final int MOST_CURVES = 12;

    private GridFigure() {}

    /** The figure; empty where no option has three values, or where curves would be too many. */
    public static <O extends Record> Optional<Figure> of(List<Logged<O>> runs) {
        List<History> histories =
                runs.stream().map(Logged::history).filter(run -> !run.isEmpty()).toList();
        return option(histories).map(option -> {
            SequencedMap<String, List<History>> curves = new LinkedHashMap<>();
            histories.forEach(run -> curves.computeIfAbsent(others(run.key(), option), _ -> new ArrayList<>())
                    .add(run));
            if (curves.size() > MOST_CURVES) {
                return null;
            }
            List<Panel> panels = histories.getFirst().metrics().stream()
                    .map(metric -> panel(option, metric, curves))
                    .toList();
            return new Figure(Math.min(2, panels.size()), panels);
        });
    }

    private static Optional<String> option(List<History> runs) {
        SequencedMap<String, Long> values = new LinkedHashMap<>();
        for (History run : runs) {
            run.key().columns().forEach((name, value) -> {
                if (value instanceof Number) {
                    values.computeIfAbsent(
                            name,
                            _ -> runs.stream()
                                    .map(each -> each.key().columns().get(name))
                                    .distinct()
                                    .count());
                }
            });
        }
        return values.entrySet().stream()
                .filter(each -> each.getValue() >= FEWEST_VALUES)
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey);
    }

    private static String others(RunKey key, String option) {
        SequencedMap<String, Object> columns = new LinkedHashMap<>(key.columns());
        columns.remove(option);
        return new RunKey(columns, key.seed()).label();
    }

    private static Panel panel(String option, String metric, SequencedMap<String, List<History>> groups) {
        List<Panel.Curve> curves = new ArrayList<>();
        groups.forEach((name, runs) -> {
            SortedMap<Double, DoubleSummaryStatistics> ends = new TreeMap<>();
            for (History run : runs) {
                double end = run.measures(metric) ? run.last(metric) : Double.NaN;
                if (Double.isFinite(end) && run.key().columns().get(option) instanceof Number x) {
                    ends.computeIfAbsent(x.doubleValue(), _ -> new DoubleSummaryStatistics())
                            .accept(end);
                }
            }
            curves.add(new Panel.Curve(
                    name.isEmpty() ? "mean of the seeds" : name,
                    List.copyOf(ends.keySet()),
                    ends.values().stream()
                            .map(DoubleSummaryStatistics::getAverage)
                            .toList(),
                    Panel.Look.PLAIN,
                    ends.values().stream().map(DoubleSummaryStatistics::getMin).toList(),
                    ends.values().stream().map(DoubleSummaryStatistics::getMax).toList()));
        });
        return new Panel(
                "%s at the end".formatted(metric), Panel.Axis.fitting(option), Panel.Axis.fitting(metric), curves);
    }
}
