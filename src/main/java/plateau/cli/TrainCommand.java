package plateau.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.experiment.Kind;
import plateau.results.Description;
import plateau.results.ResultFolder.Purpose;
import plateau.study.Campaign;
import plateau.study.Grid;
import plateau.study.RunSpec;
import plateau.study.Seeds;
import plateau.study.Settings;
import plateau.train.Schedule;

/** Trains all runs of one kind of experiment: the command that every kind has. */
@Command(mixinStandardHelpOptions = true, versionProvider = Version.class)
final class TrainCommand<O extends Record> implements Callable<Integer> {
    private final Kind<O> kind;
    private KindOptions<O> options;
    private OptionSpec steps;

    @Spec
    private CommandSpec spec;

    @Mixin
    private DevicesMixin device;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "decides everything random: what is to be learnt, first weights and data (default: 1)")
    private Long seed;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description =
                    "runs of each kind, with the seeds that follow --seed; figures then show their mean, and a band"
                            + " from the lowest to the highest (default: 1)")
    private Long seeds;

    @Option(
            names = "--log-every",
            paramLabel = "N",
            description = "steps between evaluations on fresh data (default: " + Schedule.DEFAULT_LOG_EVERY + ")")
    private Long logEvery;

    @Option(
            names = "--resume",
            paramLabel = "DIR",
            description = "go on with the runs in that folder from their checkpoints, with the options they have; the"
                    + " results have the same bits as without the break")
    private Path resume;

    @Mixin
    private TrainingMixin training;

    private TrainCommand(Kind<O> kind) {
        this.kind = kind;
    }

    /** The command of a kind. */
    static <O extends Record> CommandLine of(Kind<O> kind, CommandLine.IFactory factory) {
        TrainCommand<O> command = new TrainCommand<>(kind);
        CommandSpec spec = CommandSpec.forAnnotatedObject(command, factory);
        spec.name(kind.name());
        command.options = KindOptions.addTo(spec, kind);
        if (!kind.stepsFollow()) {
            command.steps = OptionSpec.builder("--steps")
                    .paramLabel("N")
                    .type(Long.class)
                    .description("training steps (default: %s)".formatted(command.options.steps()))
                    .build();
            spec.addOption(command.steps);
        }
        if (kind.name().equals("snr")) { // networks are what its seeds decide
            OptionSpec seeds = spec.findOption("--seeds");
            spec.remove(seeds);
            spec.addOption(OptionSpec.builder(seeds).names("--seeds", "--inits").build());
        }
        spec.usageMessage()
                .description(
                        kind.description(),
                        "Writes metrics.csv, metrics.jsonl, run.json, curves.csv where curves are learnt, and figures"
                                + " as PNG and SVG.")
                .footer(Examples.footer(kind.name()));
        return new CommandLine(spec, factory);
    }

    @Override
    public Integer call() throws IOException {
        return resume == null ? start() : goOn();
    }

    private int start() throws IOException {
        OptionalLong count = stepsGiven() ? OptionalLong.of(steps.getValue()) : OptionalLong.empty();
        Grid<O> grid = new Grid<>(
                kind, options.values(), count, logEvery == null ? Schedule.DEFAULT_LOG_EVERY : logEvery, seedsGiven());
        Settings settings = training.settings(Settings.USUAL);
        Path folder = training.out() == null ? Path.of(kind.name()) : training.out();
        return new CampaignRunner(spec, device)
                .run(
                        Campaign.of(grid, device.routing()),
                        settings,
                        folder,
                        training.overwrite() ? Purpose.REPLACE : Purpose.NEW);
    }

    private Seeds seedsGiven() {
        return new Seeds(seed == null ? 1 : seed, seeds == null ? 1 : seeds);
    }

    private boolean stepsGiven() {
        return steps != null && steps.getValue() != null;
    }

    private int goOn() throws IOException {
        for (String option : List.of("--out", "--overwrite")) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new IllegalArgumentException(
                        option + " has no place beside --resume, which goes on in the folder it names");
            }
        }
        Description description = Description.read(resume);
        Campaign<?> campaign = Campaigns.read(resume, description);
        if (!campaign.kind().name().equals(kind.name())) {
            throw new IllegalArgumentException(
                    "--resume %s: it holds runs of another command; use: plateau %s --resume %s"
                            .formatted(resume, campaign.kind().name(), resume));
        }
        requireSame(campaign);
        Settings before = Settings.of(description.settings());
        if (before.checkpointEvery().isEmpty()) {
            throw new CommandFailedException(
                    ("--resume %s: its runs were started without --checkpoint-every and left no checkpoints;"
                                    + " start them again with --overwrite")
                            .formatted(resume));
        }
        device.otherwise(description.settings().path("device").asText("auto"));
        return new CampaignRunner(spec, device).run(campaign, training.settings(before), resume, Purpose.CONTINUE);
    }

    /**
     * @throws IllegalArgumentException if an option that was given contradicts what the folder's
     *     runs were started with
     */
    private void requireSame(Campaign<?> campaign) {
        for (Map.Entry<String, List<?>> given : options.values().entrySet()) {
            List<String> before = campaign.runs().stream()
                    .map(run -> String.valueOf(run.values().get(given.getKey())))
                    .distinct()
                    .toList();
            requireSame(
                    options.typed(given.getKey()),
                    given.getValue().stream()
                            .map(value -> plain(given.getKey(), value))
                            .toList(),
                    before);
        }
        List<? extends RunSpec<?>> runs = campaign.runs();
        if (stepsGiven()) {
            requireSame(
                    "--steps",
                    List.of(steps.getValue().toString()),
                    runs.stream()
                            .map(run -> Long.toString(run.schedule().steps()))
                            .distinct()
                            .toList());
        }
        if (logEvery != null) {
            requireSame(
                    "--log-every",
                    List.of(logEvery.toString()),
                    runs.stream()
                            .map(run -> Long.toString(run.schedule().logEvery()))
                            .distinct()
                            .toList());
        }
        List<Long> before = runs.stream().map(RunSpec::seed).distinct().sorted().toList();
        if (seed != null) {
            requireSame(
                    "--seed",
                    List.of(seed.toString()),
                    List.of(before.getFirst().toString()));
        }
        if (seeds != null) {
            requireSame("--seeds", List.of(seeds.toString()), List.of(Integer.toString(before.size())));
        }
        device.requireSame(campaign.routing(), resume);
    }

    /** The value as a run of the kind has it: 1e-3 as 0.001. */
    private String plain(String option, Object value) {
        Map<String, Object> first = new LinkedHashMap<>();
        kind.choices()
                .differing()
                .forEach(choice -> first.put(choice.name(), choice.each().getFirst()));
        first.put(option, value);
        return String.valueOf(kind.choices().values(kind.options(first)).get(option));
    }

    private void requireSame(String option, List<String> given, List<String> before) {
        if (!given.equals(before)) {
            throw new IllegalArgumentException(
                    "%s %s contradicts the runs in %s, which have %s; leave it out, or start others"
                            .formatted(option, String.join(",", given), resume, String.join(",", before)));
        }
    }
}
