package plateau.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.report.Recorded;
import plateau.report.paper.Claim;
import plateau.report.paper.Drawing;
import plateau.report.paper.Page;
import plateau.report.paper.Report;
import plateau.report.paper.Scale;
import plateau.report.paper.Section;
import plateau.report.paper.Study;
import plateau.report.paper.Task;
import plateau.report.paper.Verdict;

/** The whole paper: runs its experiments' commands, draws its figures and judges its claims, on one page. */
@Command(
        name = "reproduce",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Repeats the paper: runs the commands of all its experiments over several seeds, draws its figures, and judges each of its claims by a statistical test.",
            "Writes index.html, a page that needs no network, the figures beside it, and each command's results in a folder of its own. Results that are there already are kept, so that a run that was interrupted, or restricted by --only, goes on where it ended; --full goes on within a command, from its checkpoints."
        },
        footer = {
            "",
            "Examples:",
            "  plateau reproduce",
            "      some minutes: every claim decided with fewer steps and seeds, into ./reproduction",
            "  plateau reproduce --full --out full",
            "      the paper's own steps",
            "  plateau reproduce --full --out full --only parity --seeds 20",
            "      one experiment, with more certainty",
            "  plateau reproduce --seed 1001 --out other",
            "      the same with other seeds",
            "",
            "The exit code is 0 whatever the verdicts, and 1 where a command failed."
        })
final class ReproduceCommand implements Callable<Integer> {
    private static final DateTimeFormatter WHEN = DateTimeFormatter.ofPattern("d MMMM uuuu, HH:mm 'UTC'").withZone(ZoneOffset.UTC);

    @Spec private CommandSpec spec;

    @ArgGroup private Mode mode = new Mode();

    @Mixin private DeviceMixin device;

    @Option(names = "--only", paramLabel = "NAME", split = ",", description = "experiments to run, by the names of their commands (default: all); the page shows whatever results the folder holds")
    private List<String> only = Section.ALL.stream().map(Section::name).toList();

    @Option(names = "--seeds", paramLabel = "N", description = "runs of each kind (default: as many as the claims take, by experiment)")
    private Integer seeds;

    @Option(names = "--seed", paramLabel = "N", description = "the first of each kind's seeds (default: 1)")
    private Long seed;

    @Option(names = "--out", paramLabel = "DIR", defaultValue = "reproduction", description = "folder for the page and all results (default: ${DEFAULT-VALUE})")
    private Path out;

    @Option(names = "--overwrite", description = "run again what is there already")
    private boolean overwrite;

    /** One or the other. */
    private static final class Mode {
        @Option(names = "--quick", description = "as few steps and seeds as decide the claims (default)")
        private boolean quick;

        @Option(names = "--full", description = "the paper's steps, and more seeds; hours without a GPU")
        private boolean full;
    }

    @Override
    public Integer call() throws IOException {
        if (seeds != null && seeds < 1) {
            throw new IllegalArgumentException("seeds must be at least 1, not " + seeds);
        }
        List<Section> chosen = only.stream().map(ReproduceCommand::section).toList();
        device.options(); // refuses what cannot be before anything is run
        Scale scale = new Scale(mode.full, seeds == null ? OptionalInt.empty() : OptionalInt.of(seeds));
        ResultFolder folder = ResultFolder.prepare(out, false);
        Journal journal = Journal.open(out);
        if (!overwrite) {
            chosen.forEach(section -> section.tasks(scale).forEach(task -> requireSame(journal, task)));
        }
        PrintWriter print = spec.commandLine().getOut();
        boolean failed = false;
        try (Interruption interruption = new Interruption()) {
            for (Section section : chosen) {
                for (Task task : section.tasks(scale)) {
                    failed |= !interruption.happened() && !run(task, journal, print);
                    folder.text("index.html", Page.render(report(journal, scale)));
                }
                if (!interruption.happened()) {
                    draw(report(journal, scale), section, folder);
                }
            }
        }
        Report report = report(journal, scale);
        summarise(report, print);
        print.println("wrote " + out.resolve("index.html"));
        return failed ? Main.FAILED : Main.OK;
    }

    private static Section section(String name) {
        return Section.ALL.stream().filter(section -> section.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("--only: '" + name + "' is none of " + String.join(", ", Section.ALL.stream().map(Section::name).toList())));
    }

    /** @throws CommandFailedException if results of another command stand where this one's go */
    private void requireSame(Journal journal, Task task) {
        if (isFinished(task) && !line(task).equals(journal.line(task))) {
            throw new CommandFailedException("%s holds the results of another command (%s); name another --out, or replace them with --overwrite".formatted(out.resolve(task.folder()), journal.line(task)));
        }
    }

    /** Runs a command, or goes on with it, unless its results are there; returns whether they are. */
    private boolean run(Task task, Journal journal, PrintWriter print) throws IOException {
        print.printf("%n%s%n", line(task));
        if (!overwrite && isFinished(task)) {
            print.println("kept what is there");
            return true;
        }
        boolean begun = !overwrite && hasCheckpoints(task) && line(task).equals(journal.line(task));
        double before = begun ? journal.seconds(task) : 0;
        List<String> arguments = new ArrayList<>();
        if (begun) {
            print.println("goes on from its checkpoints");
            arguments.addAll(List.of(task.arguments().getFirst(), "--resume", out.resolve(task.folder()).toString()));
            arguments.addAll(deviceOptions());
        } else {
            arguments.addAll(arguments(task));
            arguments.add("--overwrite");
        }
        journal.add(task, line(task), before);
        Instant started = Instant.now();
        int code = Main.run(spec.commandLine().getFactory(), print, spec.commandLine().getErr(), arguments.toArray(String[]::new));
        journal.add(task, line(task), before + Duration.between(started, Instant.now()).toMillis() / 1e3);
        return code == Main.OK;
    }

    /** The task's, the first seed and the device's options as they were given, and where the results go. */
    private List<String> arguments(Task task) {
        List<String> arguments = new ArrayList<>(task.arguments());
        if (seed != null) {
            arguments.addAll(List.of("--seed", seed.toString()));
        }
        arguments.addAll(List.of("--out", out.resolve(task.folder()).toString()));
        arguments.addAll(deviceOptions());
        return arguments;
    }

    private List<String> deviceOptions() {
        return spec.commandLine().getParseResult().matchedOptions().stream()
                .filter(option -> option.userObject() instanceof Field field && field.getDeclaringClass() == DeviceMixin.class)
                .flatMap(option -> option.originalStringValues().stream().flatMap(value -> Stream.of(option.longestName(), value)))
                .toList();
    }

    private String line(Task task) {
        return "plateau " + String.join(" ", arguments(task));
    }

    private Optional<Recorded> recorded(Task task) {
        try {
            return Optional.of(Recorded.read(out.resolve(task.folder())));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private boolean isFinished(Task task) {
        return recorded(task).filter(recorded -> recorded.status().equals("finished")).isPresent();
    }

    private boolean hasCheckpoints(Task task) {
        return recorded(task).filter(recorded -> recorded.description().path("arguments").path("checkpoint-every").isNumber()).isPresent();
    }

    private static void draw(Report report, Section section, ResultFolder folder) throws IOException {
        for (Report.Part part : report.parts()) {
            if (part.section() == section) {
                for (Drawing drawing : part.drawings()) {
                    if (drawing.figure() != null) {
                        folder.figure(drawing.name(), drawing.figure());
                    } else {
                        folder.copy(drawing.name() + ".png", drawing.drawn());
                        folder.copy(drawing.name() + ".svg", Path.of(drawing.drawn().toString().replaceFirst("png$", "svg")));
                    }
                }
            }
        }
    }

    /** Of all that the folder holds, whether it was made now or earlier. */
    private Report report(Journal journal, Scale scale) {
        Map<String, String> versions = new TreeMap<>();
        List<String> devices = new ArrayList<>();
        List<Report.Part> parts = new ArrayList<>();
        for (Section section : Section.ALL) {
            List<Recorded> finished = new ArrayList<>();
            List<Report.Command> commands = new ArrayList<>();
            for (Task task : section.tasks(scale)) {
                Optional<Recorded> recorded = recorded(task);
                recorded.filter(results -> results.status().equals("finished")).ifPresent(results -> {
                    finished.add(results);
                    results.description().path("versions").properties().forEach(version -> versions.put(version.getKey().replace('_', ' '), version.getValue().asText()));
                    devices.add(results.description().path("device").asText());
                });
                commands.add(command(task, recorded, journal));
            }
            Study study = Study.of(finished);
            parts.add(new Report.Part(section, commands, section.claims(study), section.figures(study)));
        }
        return new Report(WHEN.format(Instant.now()), String.join(" and ", devices.stream().distinct().toList()), versions, parts);
    }

    private Report.Command command(Task task, Optional<Recorded> recorded, Journal journal) {
        boolean started = !journal.line(task).isEmpty();
        JsonNode description = recorded.map(Recorded::description).orElse(MissingNode.getInstance());
        Map<String, String> settings = new LinkedHashMap<>();
        description.path("arguments").properties().stream().filter(argument -> !argument.getValue().isNull()).forEach(argument -> settings.put(argument.getKey(), plain(argument.getValue())));
        return new Report.Command(
                started ? journal.line(task) : line(task), recorded.map(Recorded::status).orElse(started ? "failed" : "not run"), description.path("error").asText(), journal.seconds(task), settings);
    }

    private static String plain(JsonNode value) {
        return value.isArray() ? String.join(", ", value.valueStream().map(JsonNode::asText).toList()) : value.asText();
    }

    private static void summarise(Report report, PrintWriter print) {
        print.println();
        for (Claim claim : report.claims().toList()) {
            print.printf("%-13s  %s (%s)%n               %s; %s%n", claim.evidence().verdict(), claim.sentence(), claim.source(), String.join("; ", claim.evidence().measured()), claim.evidence().probability());
        }
        print.printf("%n%d hold, %d do not hold, %d undecided%n", report.count(Verdict.HOLDS), report.count(Verdict.DOES_NOT_HOLD), report.count(Verdict.UNDECIDED));
    }
}
