package plateau.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.report.FigureFiles;
import plateau.report.paper.Claim;
import plateau.report.paper.Page;
import plateau.report.paper.PaperFigure;
import plateau.report.paper.Report;
import plateau.report.paper.Scope;
import plateau.report.paper.Section;
import plateau.report.paper.SectionRuns;
import plateau.report.paper.Task;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;
import plateau.results.Results;
import plateau.results.Status;
import plateau.results.Verdict;
import plateau.study.Campaign;
import plateau.study.Failures;
import plateau.study.RunSpec;
import plateau.study.Settings;
import plateau.theory.Check;
import plateau.theory.Findings;
import plateau.theory.Scale;
import plateau.theory.Statement;

/**
 * The whole paper: runs its experiments' commands, draws its figures and judges its claims, on one
 * page.
 */
@Command(
        name = "reproduce",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Repeats the paper: carries out the campaigns of all its experiments over several seeds, draws its"
                    + " figures, and judges each of its claims by a statistical test; then computes its theorems, as"
                    + " plateau theory does.",
            "Writes index.html, a page that needs no network, the figures beside it, and each command's results in a"
                + " folder of its own. Results that are there already are kept, so that a run that was interrupted, or"
                + " restricted by --only, goes on where it ended; --full goes on within a command, from its"
                + " checkpoints."
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
    private static final DateTimeFormatter WHEN =
            DateTimeFormatter.ofPattern("d MMMM uuuu, HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);

    /** The theorems' name among those of the experiments, and their folder's. */
    private static final String THEORY = "theory";

    private static final List<String> NAMES = Stream.concat(Section.ALL.stream().map(Section::name), Stream.of(THEORY))
            .toList();

    @Spec
    private CommandSpec spec;

    @ArgGroup
    private Mode mode = new Mode();

    @Mixin
    private DevicesMixin device;

    @Option(
            names = "--only",
            paramLabel = "NAME[,NAME...]",
            completionCandidates = Sections.class,
            description =
                    "experiments to run, by the names of their commands, and theory (default: all); the page shows"
                            + " whatever results the folder holds")
    private String only;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "runs of each kind (default: as many as the claims take, by experiment)")
    private Long seeds;

    @Option(names = "--seed", paramLabel = "N", description = "the first of each kind's seeds (default: 1)")
    private Long seed;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "reproduction",
            description = "folder for the page and all results (default: ${DEFAULT-VALUE})")
    private Path out;

    @Option(names = "--overwrite", description = "run again what is there already")
    private boolean overwrite;

    /** What a shell offers for the option of experiments. */
    private static final class Sections implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return NAMES.iterator();
        }
    }

    /** One or the other. */
    private static final class Mode {
        @Option(names = "--quick", description = "as few steps and seeds as decide the claims (default)")
        private boolean quick;

        @Option(names = "--full", description = "the paper's steps, and more seeds; hours without a GPU")
        private boolean full;
    }

    /** What made tasks fail in this process, by folder, where their folders do not tell. */
    private final Map<String, String> failures = new LinkedHashMap<>();

    /** What each section asks for, at the scale of this command. */
    private final Map<Section, List<Task>> tasks = new HashMap<>();

    @Override
    public Integer call() throws IOException {
        List<String> names = TypedValues.names("--only", only, NAMES);
        List<Section> chosen = names.stream()
                .flatMap(name ->
                        Section.ALL.stream().filter(section -> section.name().equals(name)))
                .toList();
        boolean withTheory = names.contains(THEORY);
        device.check(); // refuses what cannot be before anything is run
        Scope scale = new Scope(
                mode.full,
                seed == null ? 1 : seed,
                seeds == null ? OptionalLong.empty() : OptionalLong.of(seeds),
                device.routing());
        Section.ALL.forEach(section -> tasks.put(section, section.tasks(scale)));
        PrintWriter print = spec.commandLine().getOut();
        boolean failed = false;
        Report report;
        try (Interruption interruption = new Interruption();
                ResultFolder folder = ResultFolder.claim(out, Purpose.ADD, "plateau reproduce")) {
            if (!overwrite) {
                chosen.forEach(section -> tasks.get(section).forEach(this::requireSame));
                if (withTheory) {
                    TheoryRunner.requireSame(Statement.ALL, theoryScale(scale), out.resolve(THEORY));
                }
            }
            for (Section section : chosen) {
                failed |= !run(section, scale, folder, interruption, print);
            }
            if (withTheory && !interruption.happened()) {
                failed |= !compute(theoryScale(scale), interruption, print);
            }
            report = report(scale);
            write(folder, report);
        }
        summarise(report, print);
        print.println("wrote " + out.resolve("index.html"));
        return failed ? ExitCode.FAILED : ExitCode.OK;
    }

    /** Carries out what a section still needs, and draws it; returns whether nothing failed. */
    private boolean run(Section section, Scope scale, ResultFolder folder, Interruption interruption, PrintWriter print)
            throws IOException {
        boolean done = true;
        for (Task task : tasks.get(section)) {
            if (interruption.happened()) {
                return done;
            }
            Map<String, Results> found = found(section);
            if (found.containsKey(task.folder()) || section.needs(task, scale, study(section, found))) {
                done &= run(task, interruption, print);
                if (!interruption.happened()) {
                    write(folder, report(scale));
                }
            }
        }
        if (!interruption.happened()) {
            draw(report(scale), section, folder);
        }
        return done;
    }

    private static Scale theoryScale(Scope scope) {
        return new Scale(scope.full(), scope.firstSeed());
    }

    /** Computes the theorems that are not there; returns whether that could be done. */
    private boolean compute(Scale scale, Interruption interruption, PrintWriter print) {
        print.printf("%n%s%n", theoryLine(scale));
        try {
            new TheoryRunner(device, print).run(Statement.ALL, scale, overwrite, out.resolve(THEORY), interruption);
            return true;
        } catch (RuntimeException | IOException e) {
            failures.put(THEORY, Main.explain(e));
            spec.commandLine().getErr().println("plateau: " + Main.explain(e));
            return false;
        }
    }

    /** As it is typed; one device does it, the first of several. */
    private String theoryLine(Scale scale) {
        List<String> words = new ArrayList<>(List.of("plateau", "theory"));
        if (scale.full()) {
            words.add("--full");
        }
        if (scale.seed() != 1) {
            words.addAll(List.of("--seed", Long.toString(scale.seed())));
        }
        words.addAll(List.of("--out", out.resolve(THEORY).toString()));
        device.typed().forEach(word -> words.add(word.equals(device.given()) ? word.split(",")[0] : word));
        return String.join(" ", words);
    }

    /** Of what was computed at this scale. */
    private Report.Theory theory(Scale scale) {
        Findings findings = new Findings(TheoryRunner.read(out.resolve(THEORY)).statements().entrySet().stream()
                .filter(entry -> entry.getValue().scale().equals(scale))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue, (a, _) -> a, LinkedHashMap::new)));
        boolean all = findings.statements().size() == Statement.ALL.size();
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("scale", scale.full() ? "full" : "quick");
        settings.put("seed", Long.toString(scale.seed()));
        findings.statements().values().stream()
                .map(Findings.Entry::device)
                .distinct()
                .reduce((a, b) -> a + ", " + b)
                .ifPresent(devices -> settings.put("device", devices));
        return new Report.Theory(
                new Report.Command(
                        theoryLine(scale),
                        all ? Status.FINISHED.text() : failures.containsKey(THEORY) ? Status.FAILED.text() : "not run",
                        failures.getOrDefault(THEORY, ""),
                        findings.statements().values().stream()
                                .mapToDouble(Findings.Entry::seconds)
                                .sum(),
                        settings),
                THEORY,
                findings);
    }

    private static void write(ResultFolder folder, Report report) throws IOException {
        String page = Page.render(report);
        folder.write("index.html", file -> Files.writeString(file, page));
    }

    /** @throws CommandFailedException if results of other runs stand where these go */
    private void requireSame(Task task) {
        Optional<Results> there =
                results(task).filter(results -> results.description().status() == Status.FINISHED);
        if (there.isPresent() && !isOf(task, there.get())) {
            throw new CommandFailedException(
                    "%s holds the results of other runs (%s); name another --out, or replace them with --overwrite"
                            .formatted(
                                    out.resolve(task.folder()),
                                    TypedLine.of(Campaigns.read(there.get()), OptionalLong.empty())));
        }
    }

    private static boolean isOf(Task task, Results results) {
        return Campaigns.read(results).asksFor(task.campaign());
    }

    /**
     * Carries out a task, or goes on with it, unless its results are there; returns whether they
     * are.
     */
    private boolean run(Task task, Interruption interruption, PrintWriter print) {
        print.printf("%n%s%n", line(task));
        Optional<Results> there = overwrite ? Optional.empty() : results(task).filter(results -> isOf(task, results));
        if (there.isPresent() && there.get().description().status() == Status.FINISHED) {
            print.println("kept what is there");
            return true;
        }
        Settings settings = task.checkpointEvery().isPresent()
                ? Settings.USUAL.withCheckpointEvery(task.checkpointEvery().getAsLong())
                : Settings.USUAL;
        boolean begun = there.isPresent()
                && Settings.of(there.get().description().settings())
                        .checkpointEvery()
                        .isPresent();
        if (begun) {
            print.println("goes on from its checkpoints");
        }
        Campaign<?> campaign = begun ? Campaigns.read(there.get()) : task.campaign();
        try {
            return new CampaignRunner(spec, device)
                            .run(
                                    campaign,
                                    settings,
                                    out.resolve(task.folder()),
                                    begun ? Purpose.CONTINUE : Purpose.REPLACE,
                                    interruption)
                    == ExitCode.OK;
        } catch (RuntimeException | IOException e) {
            failures.put(task.folder(), Main.explain(e));
            spec.commandLine().getErr().println("plateau: " + Main.explain(e));
            return false;
        }
    }

    private String line(Task task) {
        String options = String.join(" ", device.typed());
        return TypedLine.of(task.campaign(), task.checkpointEvery()) + " --out " + out.resolve(task.folder())
                + (options.isEmpty() ? "" : " " + options);
    }

    /** What a task's folder holds; empty where that is nothing that can be read. */
    private Optional<Results> results(Task task) {
        if (!Results.areIn(out.resolve(task.folder()))) {
            return Optional.empty();
        }
        try {
            return Optional.of(Results.read(out.resolve(task.folder())));
        } catch (IOException e) {
            throw new CommandFailedException(Failures.explain(e), e);
        }
    }

    private static void draw(Report report, Section section, ResultFolder folder) throws IOException {
        for (Report.Chapter part : report.parts()) {
            if (part.section() == section) {
                for (PaperFigure drawing : part.drawings()) {
                    if (drawing.figure() != null) {
                        FigureFiles.write(folder, drawing.name(), drawing.figure());
                    } else {
                        FigureFiles.copy(folder, drawing.name(), drawing.drawn());
                    }
                }
            }
        }
    }

    private static boolean isDone(Task task, Results results) {
        return results.description().status() == Status.FINISHED && isOf(task, results);
    }

    /** What the folder holds of a section, by its tasks' folders. */
    private Map<String, Results> found(Section section) {
        Map<String, Results> found = new LinkedHashMap<>();
        tasks.get(section).forEach(task -> results(task).ifPresent(there -> found.put(task.folder(), there)));
        return found;
    }

    /** The runs of those that are done. */
    private SectionRuns study(Section section, Map<String, Results> found) {
        return SectionRuns.of(tasks.get(section).stream()
                .flatMap(task -> Optional.ofNullable(found.get(task.folder()))
                        .filter(there -> isDone(task, there))
                        .map(there -> new SectionRuns.Finished(task.campaign(), there.folder(), there.histories()))
                        .stream())
                .toList());
    }

    /** Of all that the folder holds, whether it was made now or earlier. */
    private Report report(Scope scale) {
        Map<String, String> versions = new TreeMap<>();
        List<String> devices = new ArrayList<>();
        List<Report.Chapter> parts = new ArrayList<>();
        for (Section section : Section.ALL) {
            List<Report.Command> commands = new ArrayList<>();
            Map<String, Results> found = found(section);
            SectionRuns study = study(section, found);
            for (Task task : tasks.get(section)) {
                Optional<Results> results = Optional.ofNullable(found.get(task.folder()));
                results.filter(there -> isDone(task, there)).ifPresent(there -> {
                    there.description()
                            .versions()
                            .forEach((name, version) -> versions.put(name.replace('_', ' '), version));
                    devices.add(there.description().device());
                });
                if (results.isPresent() || section.needs(task, scale, study)) {
                    commands.add(command(task, results));
                }
            }
            parts.add(new Report.Chapter(section, commands, section.claims(scale, study), section.figures(study)));
        }
        return new Report(
                WHEN.format(Instant.now()),
                String.join(" and ", devices.stream().distinct().toList()),
                versions,
                parts,
                theory(theoryScale(scale)));
    }

    private Report.Command command(Task task, Optional<Results> results) {
        Map<String, Set<String>> chosen = new LinkedHashMap<>();
        for (RunSpec<?> run : task.campaign().runs()) {
            run.values()
                    .forEach((name, value) -> chosen.computeIfAbsent(name, key -> new LinkedHashSet<>())
                            .add(String.valueOf(value)));
            chosen.computeIfAbsent("steps", key -> new LinkedHashSet<>())
                    .add(Long.toString(run.schedule().steps()));
        }
        Map<String, String> settings = new LinkedHashMap<>();
        chosen.forEach((name, values) -> settings.put(name, String.join(", ", values)));
        for (Map.Entry<String, JsonNode> setting : results.map(
                        there -> there.description().settings().properties())
                .orElse(Set.of())) {
            if (!setting.getValue().isNull()) {
                settings.put(setting.getKey(), setting.getValue().asText());
            }
        }
        return new Report.Command(
                line(task),
                results.map(there -> there.description().status().text())
                        .orElse(failures.containsKey(task.folder()) ? Status.FAILED.text() : "not run"),
                results.flatMap(there -> there.description().error()).orElse(failures.getOrDefault(task.folder(), "")),
                results.map(there -> there.description().seconds()).orElse(0.0),
                settings);
    }

    private static void summarise(Report report, PrintWriter print) {
        print.println();
        for (Claim claim : report.claims().toList()) {
            print.printf(
                    "%-13s  %s (%s)%n               %s; %s%n",
                    claim.evidence().verdict(),
                    claim.sentence(),
                    claim.source(),
                    String.join("; ", claim.evidence().measured()),
                    claim.evidence().probability());
        }
        for (Check check : report.theory().checks().toList()) {
            print.printf(
                    "%-13s  %s (%s)%n               %s%n",
                    check.verdict(), check.sentence(), check.source(), check.measured());
        }
        print.printf(
                "%n%d hold, %d do not hold, %d undecided%n",
                report.count(Verdict.HOLDS), report.count(Verdict.DOES_NOT_HOLD), report.count(Verdict.UNDECIDED));
    }
}
