package plateau.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.figure.Figure;
import plateau.report.History;
import plateau.report.Numbers;
import plateau.figure.Panel;
import plateau.report.Recorded;

/** Lays the results of one command side by side, as they came of different options, devices or versions. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Compares results of the same command: prints what was different, each run's metrics at the end (mean and standard deviation over seeds) and speed, and draws the metrics over each other (compare.png, compare.svg).",
        footer = {
            "",
            "Examples:",
            "  plateau parity --d 10 --seeds 5 --out slow",
            "  plateau parity --d 10 --seeds 5 --lr 0.05 --out fast",
            "  plateau compare slow fast --out slow-fast",
            "      what the learning rate does to the accuracy"
        })
final class CompareCommand implements Callable<Integer> {
    private static final Set<String> NOT_COMPARED = Set.of("out", "overwrite");

    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "DIR", arity = "2..*", description = "folders that hold the results of one command each, the same")
    private List<Path> folders;

    @Option(names = "--out", paramLabel = "DIR", defaultValue = ".", description = "folder for the figure (default: this one)")
    private Path out;

    @Override
    public Integer call() throws IOException {
        List<Recorded> all = folders.stream().map(PlotCommand::read).toList();
        Recorded first = all.getFirst();
        for (Recorded other : all) {
            if (!other.experiment().equals(first.experiment())) {
                throw new CommandFailedException("%s holds results of '%s', %s of '%s'; name those of one command".formatted(first.folder(), first.experiment(), other.folder(), other.experiment()));
            }
        }
        ResultFolder folder = ResultFolder.prepare(out, true);
        print(table(all), spec.commandLine().getOut());
        folder.figure("compare", figure(all));
        spec.commandLine().getOut().println("wrote " + folder.description());
        return Main.OK;
    }

    /** A header, then the options that differ, then metrics and speed of each kind of run: one cell for each folder behind the name of the row. */
    private static List<List<String>> table(List<Recorded> all) {
        List<List<String>> rows = new ArrayList<>(List.of(row("", all, results -> results.folder().toString())));
        Set<String> options = new LinkedHashSet<>();
        all.forEach(results -> results.description().path("arguments").fieldNames().forEachRemaining(options::add));
        options.removeAll(NOT_COMPARED);
        for (String option : options) {
            add(rows, row(option, all, results -> text(results.description().path("arguments").path(option))));
        }
        add(rows, row("device", all, results -> results.description().path("device").asText()));
        Map<String, Set<String>> metrics = new LinkedHashMap<>();
        all.forEach(results -> results.histories().forEach(run -> metrics.computeIfAbsent(run.label(), _ -> new LinkedHashSet<>()).addAll(run.metrics().keySet())));
        metrics.forEach((label, names) -> {
            names.forEach(name -> rows.add(row(label + ": " + name, all, results -> Numbers.spread(runs(results, label).stream().filter(run -> run.metrics().containsKey(name)).mapToDouble(run -> run.last(name)).toArray()))));
            rows.add(row(label + ": steps/s", all, results -> Numbers.spread(speeds(results, label))));
        });
        return rows;
    }

    private interface Cell {
        String of(Recorded results);
    }

    private static List<String> row(String name, List<Recorded> all, Cell cell) {
        List<String> row = new ArrayList<>(List.of(name));
        all.forEach(results -> row.add(cell.of(results)));
        return row;
    }

    /** Unless its cells are all the same. */
    private static void add(List<List<String>> rows, List<String> row) {
        if (row.stream().skip(1).distinct().count() > 1) {
            rows.add(row);
        }
    }

    private static String text(JsonNode value) {
        return value.isArray() ? value.valueStream().map(JsonNode::asText).collect(Collectors.joining(",")) : value.isNull() || value.isMissingNode() ? "-" : value.asText();
    }

    private static List<History> runs(Recorded results, String label) {
        return results.histories().stream().filter(run -> run.label().equals(label)).toList();
    }

    private static double[] speeds(Recorded results, String label) {
        return runs(results, label).stream().map(run -> run.description().path("steps_per_second")).filter(JsonNode::isNumber).mapToDouble(JsonNode::asDouble).toArray();
    }

    private static void print(List<List<String>> rows, PrintWriter print) {
        int[] widths = new int[rows.getFirst().size()];
        rows.forEach(row -> Arrays.setAll(widths, column -> Math.max(widths[column], row.get(column).length())));
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                line.append(row.get(column)).repeat(' ', widths[column] - row.get(column).length() + 2);
            }
            print.println(line.toString().stripTrailing());
        }
    }

    /** A panel for each metric, a curve for each folder and kind of run. */
    private static Figure figure(List<Recorded> all) {
        Set<String> metrics = new LinkedHashSet<>();
        all.forEach(results -> results.histories().forEach(run -> metrics.addAll(run.metrics().keySet())));
        List<Panel> panels = metrics.stream().map(metric -> panel(metric, all)).toList();
        return new Figure(Math.min(2, panels.size()), panels);
    }

    private static Panel panel(String metric, List<Recorded> all) {
        List<Panel.Curve> curves = new ArrayList<>();
        for (Recorded results : all) {
            for (String label : new TreeSet<>(results.histories().stream().map(History::label).toList())) {
                List<History> runs = runs(results, label).stream().filter(run -> run.metrics().containsKey(metric)).toList();
                if (!runs.isEmpty()) {
                    curves.add(Panel.Curve.mean(results.folder() + ": " + label, Panel.Look.PLAIN, runs.stream().map(run -> run.values(metric)).toList()));
                }
            }
        }
        return new Panel(metric, Panel.Axis.steps(), isWide(curves) ? Panel.Axis.logarithmic(metric) : Panel.Axis.fitting(metric), curves);
    }

    /** Whether values lie magnitudes apart. */
    private static boolean isWide(List<Panel.Curve> curves) {
        DoubleSummaryStatistics values = curves.stream().flatMap(curve -> curve.y().stream()).mapToDouble(value -> value).summaryStatistics();
        return values.getMin() > 0 && values.getMax() > 1000 * values.getMin();
    }
}
