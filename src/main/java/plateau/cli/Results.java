package plateau.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import plateau.cli.ExperimentCommand.Outcome;
import plateau.cli.ExperimentCommand.Run;
import plateau.cli.ExperimentCommand.Snapshot;
import plateau.cli.ExperimentCommand.Status;
import plateau.figure.Figure;
import plateau.results.LogRow;
import plateau.train.RunResult;

/** The results of a command that trains, in one schema for all: metrics.csv and the same as JSON lines, curves.csv where curves are learnt, run.json written anew after every run and now and then, and figures. Runs may report from threads of their own. */
final class Results {
    private static final ObjectMapper LINE = new ObjectMapper();
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** For whoever looks at the files while runs go on. */
    private static final Duration BETWEEN_WRITES = Duration.ofSeconds(10);

    private final ResultFolder folder;
    private final CommandSpec command;
    private final Function<List<Outcome>, Map<String, Figure>> figures;
    private final String started = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    private final List<Outcome> outcomes = new ArrayList<>();
    private final Map<String, String> versions = new TreeMap<>();
    private final Map<String, Figure> dataFigures = new LinkedHashMap<>();
    private String device;
    private boolean isToBeKept;
    private long lastWritten = System.nanoTime();

    Results(ResultFolder folder, CommandSpec command, Function<List<Outcome>, Map<String, Figure>> figures) {
        this.folder = folder;
        this.command = command;
        this.figures = figures;
    }

    void describeDevice(DeviceMixin.Opened opened) {
        device = opened.description();
        int version = opened.devices().getFirst().driverVersion();
        versions.put("cuda_driver_api", "%d.%d".formatted(version / 1000, version % 1000 / 10));
        versions.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version") + " " + System.getProperty("os.arch"));
    }

    /** Adds a run; they are counted from 0. */
    void add(Run run, Map<String, Object> facts) {
        outcomes.add(new Outcome(run, facts, new ArrayList<>(), new ArrayList<>(), Status.WAITING, Optional.empty(), Optional.empty()));
    }

    /** Describes what is about to be done, for whoever is to go on with it. */
    synchronized void begin() throws IOException {
        isToBeKept = true;
        writeDescription("running", Optional.empty());
    }

    Path path() {
        return folder.path();
    }

    /** Adds figures that do not depend on what is logged. */
    void addFigures(Map<String, Figure> figures) {
        dataFigures.putAll(figures);
    }

    /** The runs as they stand. */
    synchronized List<Outcome> outcomes() {
        return List.copyOf(outcomes);
    }

    /** A run starts. */
    synchronized void start(int run) {
        become(run, Status.RUNNING, Optional.empty(), Optional.empty());
    }

    /** A run has logged a row. */
    synchronized void log(int run, LogRow row) throws IOException {
        outcomes.get(run).rows().add(row);
        if (System.nanoTime() - lastWritten > BETWEEN_WRITES.toNanos()) {
            write("running", Optional.empty());
        }
    }

    /** What a run has learnt until now. */
    synchronized void keep(int run, Snapshot snapshot) {
        outcomes.get(run).snapshots().add(snapshot);
    }

    /** A run came to its end. */
    synchronized void complete(int run, RunResult result) throws IOException {
        become(run, Status.FINISHED, Optional.of(result), Optional.empty());
        versions.putAll(result.versions());
        write("running", Optional.empty());
    }

    /** A run failed. */
    synchronized void fail(int run, Throwable cause) {
        become(run, Status.FAILED, Optional.empty(), Optional.of(cause));
    }

    private void become(int run, Status status, Optional<RunResult> result, Optional<Throwable> failure) {
        Outcome outcome = outcomes.get(run);
        outcomes.set(run, new Outcome(outcome.run(), outcome.facts(), outcome.rows(), outcome.snapshots(), status, result, failure));
    }

    /** All runs came to their end. */
    synchronized void finish() throws IOException {
        writeDescription("finished", Optional.empty());
    }

    /**
     * Draws what was logged.
     *
     * @throws CommandFailedException if that cannot be done; the numbers are safe
     */
    void draw() {
        if (!isAnythingLogged()) {
            return;
        }
        try {
            Map<String, Figure> all = new LinkedHashMap<>(dataFigures);
            all.putAll(figures.apply(outcomes.stream().filter(outcome -> !outcome.rows().isEmpty()).toList()));
            for (Map.Entry<String, Figure> figure : all.entrySet()) {
                folder.figure(figure.getKey(), figure.getValue());
            }
        } catch (IOException e) {
            throw new CommandFailedException(e.getMessage() + "; metrics.csv and run.json are in " + folder.path());
        }
    }

    /** The command cannot go on: keeps what was logged until then, if anything, beside the reason. */
    synchronized void fail(Exception cause) {
        try {
            if (isToBeKept || isAnythingLogged()) {
                write("failed", Optional.of(cause));
                draw();
            } else {
                folder.discard();
            }
        } catch (IOException | CommandFailedException e) {
            cause.addSuppressed(e);
        }
    }

    /** The user ends the command: keeps what was logged until then, if anything; says so. */
    synchronized String interrupted() throws IOException {
        if (!isToBeKept && !isAnythingLogged()) {
            folder.discard();
            return "interrupted before anything was logged";
        }
        for (int i = 0; i < outcomes.size(); i++) {
            if (outcomes.get(i).status() == Status.RUNNING) {
                become(i, Status.INTERRUPTED, Optional.empty(), Optional.empty());
            }
        }
        write("interrupted", Optional.empty());
        draw();
        return "interrupted; wrote " + written();
    }

    private boolean isAnythingLogged() {
        return outcomes.stream().anyMatch(outcome -> !outcome.rows().isEmpty());
    }

    /** What lies where, for the user. */
    String written() {
        return folder.description();
    }

    private void write(String status, Optional<Exception> cause) throws IOException {
        lastWritten = System.nanoTime();
        writeMetrics();
        writeCurves();
        writeDescription(status, cause);
    }

    private void writeMetrics() throws IOException {
        Set<String> names = new LinkedHashSet<>();
        outcomes.forEach(outcome -> names.addAll(outcome.run().experiment().metrics()));
        List<String> header = new ArrayList<>(outcomes.getFirst().run().key().keySet());
        header.addAll(List.of("seed", "step"));
        header.addAll(names);
        List<List<Object>> rows = new ArrayList<>();
        StringBuilder lines = new StringBuilder();
        for (Outcome outcome : outcomes) {
            for (LogRow row : outcome.rows()) {
                List<Object> cells = new ArrayList<>(outcome.run().key().values());
                cells.add(outcome.run().experiment().seed());
                cells.add(row.step());
                List<String> measured = outcome.run().experiment().metrics();
                names.forEach(name -> cells.add(measured.contains(name) ? shortest(row.test().get(measured.indexOf(name))) : null));
                rows.add(cells);
                lines.append(line(header, cells)).append('\n');
            }
        }
        folder.table("metrics.csv", header, rows);
        folder.text("metrics.jsonl", lines.toString());
    }

    /** A row as one JSON object, without what a run does not measure. */
    private static String line(List<String> header, List<Object> cells) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        for (int i = 0; i < cells.size(); i++) {
            if (cells.get(i) != null) {
                values.put(header.get(i), cells.get(i));
            }
        }
        return LINE.writeValueAsString(values);
    }

    /** What was learnt, if the experiment has curves of it: one row per point. */
    private void writeCurves() throws IOException {
        Set<String> names = new LinkedHashSet<>();
        outcomes.forEach(outcome -> outcome.snapshots().forEach(snapshot -> names.addAll(snapshot.curves().keySet())));
        if (names.isEmpty()) {
            return;
        }
        List<String> header = new ArrayList<>(outcomes.getFirst().run().key().keySet());
        header.addAll(List.of("seed", "step", "point"));
        header.addAll(names);
        List<List<Object>> rows = new ArrayList<>();
        for (Outcome outcome : outcomes) {
            for (Snapshot snapshot : outcome.snapshots()) {
                int points = snapshot.curves().values().stream().mapToInt(values -> values.length).max().orElse(0);
                for (int i = 0; i < points; i++) {
                    List<Object> cells = new ArrayList<>(outcome.run().key().values());
                    cells.addAll(List.of(outcome.run().experiment().seed(), snapshot.step(), i));
                    for (String name : names) {
                        float[] values = snapshot.curves().get(name);
                        cells.add(values == null || i >= values.length ? null : values[i]);
                    }
                    rows.add(cells);
                }
            }
        }
        folder.table("curves.csv", header, rows);
    }

    private void writeDescription(String status, Optional<Exception> cause) throws IOException {
        Map<String, Object> run = new LinkedHashMap<>();
        run.put("experiment", command.name());
        run.put("status", status);
        cause.ifPresent(e -> run.put("error", Main.explain(e)));
        run.put("started", started);
        run.put("arguments", arguments());
        run.put("device", device);
        run.put("versions", versions);
        run.put("runs", outcomes.stream().map(Results::describe).toList());
        folder.text("run.json", JSON.writeValueAsString(run) + System.lineSeparator());
    }

    /** Every parameter and option of the command with the value that it was given or has by default. */
    private Map<String, Object> arguments() {
        Map<String, Object> arguments = new LinkedHashMap<>();
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            arguments.put(parameter.paramLabel().toLowerCase(), plain(parameter.getValue()));
        }
        for (OptionSpec option : command.options()) {
            if (!option.usageHelp() && !option.versionHelp()) {
                arguments.put(option.longestName().substring(2), plain(option.getValue()));
            }
        }
        return arguments;
    }

    /** The other way: what is typed for a value that {@code run.json} has; nothing for an option that was left out. */
    static List<String> typed(ArgSpec argument, JsonNode value) {
        if (value.isNull() || value.isMissingNode() || value.isBoolean() && !value.asBoolean()) {
            return List.of();
        }
        List<String> values = value.isArray() ? value.valueStream().map(JsonNode::asText).toList() : List.of(value.asText());
        if (!(argument instanceof OptionSpec option)) {
            return values;
        }
        return List.of(value.isBoolean() ? option.longestName() : option.longestName() + "=" + String.join(",", values));
    }

    /** As JSON has it: absent options as null, paths and choices as they are typed. */
    static Object plain(Object value) {
        return switch (value) {
            case Optional<?> optional -> plain(optional.orElse(null));
            case Path path -> path.toString();
            case Enum<?> choice -> Choices.typed(choice);
            case null, default -> value;
        };
    }

    private static ObjectNode describe(Outcome outcome) {
        ObjectNode run = JSON.createObjectNode();
        outcome.run().key().forEach(run::putPOJO);
        run.put("seed", outcome.run().experiment().seed());
        run.put("status", Choices.typed(outcome.status()));
        outcome.failure().ifPresent(cause -> run.put("error", Main.explain(cause)));
        outcome.facts().forEach(run::putPOJO);
        outcome.result().ifPresent(result -> run.put("steps_per_second", Math.round(result.stepsPerSecond()))
                .put("steps_per_second_with_evaluation", Math.round(result.stepsPerSecondWithEvaluation()))
                .put("seconds", milliseconds(result.seconds()))
                .put("setup_seconds", milliseconds(result.setupSeconds())));
        if (!outcome.rows().isEmpty()) {
            LogRow last = outcome.rows().getLast();
            ObjectNode end = run.putObject("last").put("step", last.step());
            List<String> names = outcome.run().experiment().metrics();
            for (int i = 0; i < names.size(); i++) {
                end.put(names.get(i), shortest(last.test().get(i)));
            }
        }
        return run;
    }

    private static double milliseconds(double seconds) {
        return Math.round(seconds * 1e3) / 1e3;
    }

    /** Metrics come as floats: with a float's digits where that is all there is to the value. */
    static BigDecimal shortest(double value) {
        return (float) value == value ? new BigDecimal(Float.toString((float) value)) : BigDecimal.valueOf(value);
    }
}
