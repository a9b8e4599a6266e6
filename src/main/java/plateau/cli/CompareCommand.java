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
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.experiment.Curves;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.report.FigureFiles;
import plateau.results.History;
import plateau.results.Numbers;
import plateau.results.Results;
import plateau.results.RunRecord;
import plateau.study.Campaign;
import plateau.study.RunSpec;

/**
 * Lays the results of one command side by side, as they came of different options, devices or
 * versions.
 */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description =
                "Compares results of the same command: prints what was different, each run's metrics at the end (mean"
                        + " and standard deviation over seeds) and speed, and draws the metrics over each other"
                        + " (compare.png, compare.svg).",
        footer = {
            "",
            "Examples:",
            "  plateau parity --d 10 --seeds 5 --out slow",
            "  plateau parity --d 10 --seeds 5 --lr 0.05 --out fast",
            "  plateau compare slow fast --out slow-fast",
            "      what the learning rate does to the accuracy"
        })
final class CompareCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "DIR",
            arity = "2..*",
            description = "folders that hold the results of one command each, the same")
    private List<Path> folders;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "folder for the figure (default: this one)")
    private Path out;

    @Option(names = "--overwrite", description = "replace a figure of that name")
    private boolean overwrite;

    /**
     * One of the results that are compared.
     *
     * @param name in the table's head and the legend: its folder, told apart from the others
     * @param results as they were read
     * @param campaign that they came of
     */
    private record Side(String name, Results results, Campaign<?> campaign) {

        List<History> runs(String label) {
            return results.histories().stream()
                    .filter(run -> run.label().equals(label) && !run.isEmpty())
                    .toList();
        }

        double[] speeds(String label) {
            return results.description().runs().stream()
                    .filter(run -> run.key().label().equals(label))
                    .flatMap(run -> run.speeds().stream())
                    .mapToDouble(RunRecord.Speeds::stepsPerSecond)
                    .toArray();
        }

        /** Every option, the steps and so on, with the values that its runs have. */
        Map<String, String> options() {
            Map<String, Set<String>> values = new LinkedHashMap<>();
            for (RunSpec<?> run : campaign.runs()) {
                run.values()
                        .forEach((name, value) -> values.computeIfAbsent(name, _ -> new LinkedHashSet<>())
                                .add(value == null ? "-" : value.toString()));
                values.computeIfAbsent("steps", _ -> new LinkedHashSet<>())
                        .add(Long.toString(run.schedule().steps()));
                values.computeIfAbsent("log-every", _ -> new LinkedHashSet<>())
                        .add(Long.toString(run.schedule().logEvery()));
            }
            Map<String, String> options = new LinkedHashMap<>();
            values.forEach((name, each) -> options.put(name, String.join(",", each)));
            List<Long> seeds = campaign.runs().stream()
                    .map(RunSpec::seed)
                    .distinct()
                    .sorted()
                    .toList();
            options.put("seed", seeds.getFirst().toString());
            options.put("seeds", Integer.toString(seeds.size()));
            options.put("gemm", campaign.routing().gemmText());
            options.put("conv", campaign.routing().convText());
            for (Map.Entry<String, JsonNode> setting :
                    results.description().settings().properties()) {
                options.put(
                        setting.getKey(),
                        setting.getValue().isNull() ? "-" : setting.getValue().asText());
            }
            return options;
        }
    }

    @Override
    public Integer call() throws IOException {
        List<Side> sides = new ArrayList<>();
        for (Path folder : folders) {
            Results results = Results.read(folder);
            Campaign<?> campaign = Campaigns.read(results);
            String first = sides.isEmpty()
                    ? campaign.kind().name()
                    : sides.getFirst().campaign.kind().name();
            if (!campaign.kind().name().equals(first)) {
                throw new CommandFailedException("%s holds results of '%s', %s of '%s'; name those of one command"
                        .formatted(
                                folders.getFirst(),
                                first,
                                folder,
                                campaign.kind().name()));
            }
            long same = sides.stream()
                    .filter(side -> side.results.folder().equals(folder))
                    .count();
            sides.add(
                    new Side(same == 0 ? folder.toString() : "%s (%d)".formatted(folder, same + 1), results, campaign));
        }
        List<String> written = FigureFiles.write(out, "compare", figure(sides), overwrite);
        print(table(sides), spec.commandLine().getOut());
        spec.commandLine().getOut().println("wrote " + String.join(", ", written) + " to " + out);
        return ExitCode.OK;
    }

    /**
     * A header, then the options that differ, then metrics and speed of each kind of run: one cell
     * for each folder behind the name of the row.
     */
    private static List<List<String>> table(List<Side> sides) {
        List<List<String>> rows = new ArrayList<>(List.of(row("", sides, Side::name)));
        Set<String> options = new LinkedHashSet<>();
        sides.forEach(side -> options.addAll(side.options().keySet()));
        for (String option : options) {
            add(rows, row(option, sides, side -> side.options().getOrDefault(option, "-")));
        }
        add(rows, row("device", sides, side -> side.results.description().device()));
        metrics(sides).forEach((label, names) -> {
            names.forEach(name -> rows.add(row(
                    label + ": " + name,
                    sides,
                    side -> Numbers.spread(side.runs(label).stream()
                            .filter(run -> run.measures(name))
                            .mapToDouble(run -> run.last(name))
                            .toArray()))));
            rows.add(row(label + ": steps/s", sides, side -> Numbers.spread(side.speeds(label))));
        });
        return rows;
    }

    /** What is measured, by kind of run. */
    private static SequencedMap<String, Set<String>> metrics(List<Side> sides) {
        SequencedMap<String, Set<String>> metrics = new LinkedHashMap<>();
        sides.forEach(side -> side.results
                .histories()
                .forEach(run -> metrics.computeIfAbsent(run.label(), _ -> new LinkedHashSet<>())
                        .addAll(run.metrics())));
        return metrics;
    }

    private interface Cell {
        String of(Side side);
    }

    private static List<String> row(String name, List<Side> sides, Cell cell) {
        List<String> row = new ArrayList<>(List.of(name));
        sides.forEach(side -> row.add(cell.of(side)));
        return row;
    }

    /** Unless its cells are all the same. */
    private static void add(List<List<String>> rows, List<String> row) {
        if (row.stream().skip(1).distinct().count() > 1) {
            rows.add(row);
        }
    }

    private static void print(List<List<String>> rows, PrintWriter print) {
        int[] widths = new int[rows.getFirst().size()];
        rows.forEach(row -> Arrays.setAll(
                widths, column -> Math.max(widths[column], row.get(column).length())));
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                line.append(row.get(column))
                        .repeat(' ', widths[column] - row.get(column).length() + 2);
            }
            print.println(line.toString().stripTrailing());
        }
    }

    /** A panel for each metric, a curve for each folder and kind of run. */
    private static Figure figure(List<Side> sides) {
        Set<String> names = new LinkedHashSet<>();
        metrics(sides).values().forEach(names::addAll);
        List<Panel> panels = names.stream().map(metric -> panel(metric, sides)).toList();
        return new Figure(Math.min(2, panels.size()), panels);
    }

    private static Panel panel(String metric, List<Side> sides) {
        List<Panel.Curve> curves = new ArrayList<>();
        for (Side side : sides) {
            for (String label : new TreeSet<>(
                    side.results.histories().stream().map(History::label).toList())) {
                List<History> runs = side.runs(label).stream()
                        .filter(run -> run.measures(metric))
                        .toList();
                if (!runs.isEmpty()) {
                    curves.add(Curves.mean(side.name + ": " + label, Panel.Look.PLAIN, runs, metric));
                }
            }
        }
        return new Panel(
                metric,
                Panel.Axis.steps(),
                isWide(curves) ? Panel.Axis.logarithmic(metric) : Panel.Axis.fitting(metric),
                curves);
    }

    /** Whether values lie magnitudes apart. */
    private static boolean isWide(List<Panel.Curve> curves) {
        DoubleSummaryStatistics values = curves.stream()
                .flatMap(curve -> curve.y().stream())
                .mapToDouble(value -> value)
                .summaryStatistics();
        return values.getMin() > 0 && values.getMax() > 1000 * values.getMin();
    }
}
