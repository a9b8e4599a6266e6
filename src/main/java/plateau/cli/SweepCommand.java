package plateau.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SequencedSet;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.bench.Estimate;
import plateau.cuda.CudaException;
import plateau.cuda.load.DeviceUnavailableException;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;
import plateau.results.Results;
import plateau.study.Campaign;
import plateau.study.Devices;
import plateau.study.Failures;
import plateau.study.Grid;
import plateau.study.GridText;
import plateau.study.RunSpec;
import plateau.study.Settings;
import plateau.study.Sweep;
import plateau.study.SweepFolder;
import plateau.train.ParallelRuns;

/** Runs a grid, here or on a cluster. */
@Command(
        name = "sweep",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Runs grids of experiments, here or on a cluster: cuts them into shards of about the same time, which run"
                    + " independently, and puts the results together as one process would have written them.",
            "The same command again, or with --out alone, runs what is missing; a run that was ended goes on from its"
                    + " checkpoint."
        },
        footer = {
            "",
            "A grid is an experiment with values for its options, and seed, seeds, steps and log-every:",
            "  parity d=5..30 batch=64,128 seeds=100",
            "",
            "Examples:",
            "  plateau sweep --grid \"parity d=5..30 seeds=100\" --out curve",
            "      2,600 runs here; plateau status curve says how far they are",
            "  plateau sweep --grid \"parity d=5..30 seeds=100\" --out curve --engine slurm --time 60 --shards 50",
            "      as an array job of 50 tasks, and one that puts their results together",
            "  plateau sweep --grid \"pwl lr=0.1,0.01 seeds=5\" --out rates --engine files",
            "      scripts for GNU parallel, PBS, SGE or LSF"
        })
final class SweepCommand implements Callable<Integer> {
    private static final Duration TIME_TO_ESTIMATE = Duration.ofSeconds(2);

    /** What a shard is to take, where nobody says how many there are. */
    private static final Duration USUAL_SHARD = Duration.ofMinutes(30);

    private static final int MOST_USUAL_SHARDS = 1000;
    private static final double SECONDS_BETWEEN_CHECKPOINTS = 60;

    @Spec
    private CommandSpec spec;

    @Mixin
    private DevicesMixin device;

    @Parameters(paramLabel = "FILE", arity = "0..1", description = "a campaign as JSON, in place of grids")
    private Path file;

    @Option(names = "--grid", paramLabel = "GRID", description = "runs, as below; may be given several times")
    private List<String> grids = List.of();

    @Option(names = "--out", paramLabel = "DIR", description = "folder of the sweep (default: sweep)")
    private Path out = Path.of("sweep");

    @Option(
            names = "--engine",
            paramLabel = "ENGINE",
            description = "local: here; slurm: an array job; k8s: writes an Indexed Job; files: writes scripts for any"
                    + " other (default: local)")
    private Engine engine = Engine.LOCAL;

    @Option(
            names = "--shards",
            paramLabel = "N",
            description = "parts that run independently (default: 1 here, else as many as take half an hour each)")
    private Integer shards;

    @Option(names = "--parallel", paramLabel = "N", description = "runs at once in a shard (default: one per core)")
    private Integer parallel;

    @Option(
            names = "--checkpoint-every",
            paramLabel = "N",
            description = "steps between checkpoints (default: about a minute's, for runs that take longer)")
    private Long checkpointEvery;

    @Mixin
    private EngineMixin engineOptions;

    private enum Engine {
        LOCAL,
        SLURM,
        K8S,
        FILES
    }

    @Override
    public Integer call() throws IOException {
        device.check();
        engineOptions.check(engine.name().toLowerCase(java.util.Locale.ROOT));
        Settings settings = new Settings(
                parallel == null ? OptionalInt.empty() : OptionalInt.of(parallel),
                OptionalInt.empty(),
                Settings.USUAL.unroll(),
                true,
                checkpointEvery == null ? OptionalLong.empty() : OptionalLong.of(checkpointEvery),
                false);
        if (shards != null && shards < 1) {
            throw new IllegalArgumentException("--shards must be at least 1, not " + shards);
        }
        List<Campaign<?>> campaigns = campaigns();
        Optional<SweepFolder> before =
                Files.exists(out.resolve(SweepFolder.SWEEP)) ? Optional.of(Sweeps.open(out)) : Optional.empty();
        before.ifPresent(folder -> requireSame(folder.sweep(), campaigns));
        if (before.isEmpty() && campaigns.isEmpty()) {
            throw new IllegalArgumentException(
                    "there is nothing to run: give --grid \"parity d=5..30 seeds=10\", or the"
                            + " file of a campaign; with --out alone it goes on with what " + out
                            + " holds, which is no sweep");
        }
        if (before.isEmpty() && Results.areIn(out)) {
            throw new CommandFailedException(
                    out + " holds the results of another command; name another folder (--out)");
        }
        SweepFolder sweep = before.isPresent() ? before.get() : new SweepFolder(out, planned(campaigns, settings));
        return carryOut(sweep, before.isEmpty());
    }

    private List<Campaign<?>> campaigns() throws IOException {
        if (file != null && !grids.isEmpty()) {
            throw new IllegalArgumentException("either grids or a file, not both");
        }
        if (file != null) {
            JsonNode node = RunCommand.read(file);
            try {
                return List.of(Campaign.of(node.has("campaign") ? node.get("campaign") : node));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
            }
        }
        List<Grid<?>> parsed = new ArrayList<>();
        grids.forEach(text -> parsed.add(GridText.parse(text)));
        return parsed.isEmpty() ? List.of() : Sweep.campaigns(parsed, device.routing());
    }

    private void requireSame(Sweep before, List<Campaign<?>> campaigns) {
        if (!campaigns.isEmpty() && !before.asksFor(campaigns)) {
            throw new IllegalArgumentException(
                    "%s holds a sweep of other runs; name another folder, or give --out alone to go on with it"
                            .formatted(out));
        }
        if (shards != null && shards != before.shards()) {
            throw new IllegalArgumentException(
                    "--shards %d: the sweep in %s is cut into %d".formatted(shards, out, before.shards()));
        }
    }

    /** What runs need decides how they are cut. */
    private Sweep planned(List<Campaign<?>> campaigns, Settings settings) {
        PrintWriter print = spec.commandLine().getOut();
        int runs =
                campaigns.stream().mapToInt(campaign -> campaign.runs().size()).sum();
        List<List<Estimate>> needs = new ArrayList<>();
        int atOnce = 1;
        try (Devices devices = device.openAll()) {
            print.println("device: " + devices.description());
            atOnce = settings.parallel()
                    .orElse(ParallelRuns.defaultParallel(
                            List.of(device.kernels(devices.all().getFirst()))));
            for (Campaign<?> campaign : campaigns) {
                needs.add(estimates(campaign, devices, campaigns.size()));
            }
        } catch (DeviceUnavailableException | CudaException e) { // a node may have what is not here
            if (engine == Engine.LOCAL) {
                throw e;
            }
            spec.commandLine()
                    .getErr()
                    .println("plateau: no time is estimated, and shards are balanced by steps, since "
                            + Failures.explain(e));
            return new Sweep(
                    campaigns,
                    shards == null ? Math.min(runs, MOST_USUAL_SHARDS / 10) : shards,
                    settings,
                    device.text(),
                    List.of());
        }
        List<List<Double>> seconds = new ArrayList<>();
        double sum = 0;
        double bytes = 0;
        for (int i = 0; i < campaigns.size(); i++) {
            List<? extends RunSpec<?>> specs = campaigns.get(i).runs();
            List<Estimate> own = needs.get(i);
            seconds.add(IntStream.range(0, specs.size())
                    .mapToObj(run -> rounded(own.get(run).seconds(specs.get(run).schedule())))
                    .toList());
            sum += seconds.getLast().stream().mapToDouble(Double::doubleValue).sum();
            bytes = Math.max(
                    bytes, own.stream().mapToDouble(Estimate::bytes).max().orElse(0));
        }
        int count = shards != null
                ? shards
                : engine == Engine.LOCAL
                        ? 1
                        : Math.clamp(
                                (long) Math.ceil(sum / atOnce / USUAL_SHARD.toSeconds()),
                                1,
                                Math.min(runs, MOST_USUAL_SHARDS));
        print.println("%,d runs in %,d %s: about %s of this device, %d at once, which take up to %s of its memory"
                .formatted(
                        runs,
                        count,
                        count == 1 ? "shard" : "shards",
                        time(sum / atOnce),
                        atOnce,
                        size(bytes * Math.min(runs, atOnce))));
        Settings used = settings.checkpointEvery().isPresent() ? settings : withCheckpoints(settings, campaigns, needs);
        return new Sweep(campaigns, count, used, device.text(), seconds);
    }

    /** Of each run; those that differ in their seed alone need the same. */
    private <O extends Record> List<Estimate> estimates(Campaign<O> campaign, Devices devices, int campaigns) {
        SequencedSet<O> kinds = new LinkedHashSet<>();
        campaign.runs().forEach(run -> kinds.add(run.options()));
        List<Estimate> measured = Estimate.measure(
                campaign.routing().kernels(devices.all().getFirst()),
                kinds.stream()
                        .map(options -> campaign.kind().create(options, 1))
                        .toList(),
                TIME_TO_ESTIMATE.dividedBy(campaigns));
        Map<O, Estimate> byOptions = new LinkedHashMap<>();
        int i = 0;
        for (O options : kinds) {
            byOptions.put(options, measured.get(i++));
        }
        return campaign.runs().stream().map(run -> byOptions.get(run.options())).toList();
    }

    /** Such that the slowest run loses about a minute; none where none takes as long. */
    private static Settings withCheckpoints(
            Settings settings, List<Campaign<?>> campaigns, List<List<Estimate>> needs) {
        double slowest = 0;
        for (int i = 0; i < campaigns.size(); i++) {
            List<? extends RunSpec<?>> runs = campaigns.get(i).runs();
            for (int run = 0; run < runs.size(); run++) {
                if (needs.get(i).get(run).seconds(runs.get(run).schedule()) > SECONDS_BETWEEN_CHECKPOINTS) {
                    slowest = Math.max(slowest, needs.get(i).get(run).step());
                }
            }
        }
        return slowest == 0
                ? settings
                : settings.withCheckpointEvery(Math.max(1, Math.round(SECONDS_BETWEEN_CHECKPOINTS / slowest)));
    }

    private static double rounded(double seconds) {
        return Math.round(seconds * 1e4) / 1e4;
    }

    private int carryOut(SweepFolder sweep, boolean isNew) throws IOException {
        PrintWriter print = spec.commandLine().getOut();
        Set<Integer> held = isNew ? Set.of() : sweep.held();
        SortedSet<Integer> shardsLeft = new TreeSet<>(sweep.state().unfinished());
        if (!held.isEmpty()) {
            print.println("shards %s of %d run now, and are left alone"
                    .formatted(Sweeps.numbers(held), sweep.sweep().shards()));
            shardsLeft.removeAll(held);
        }
        if (isNew) {
            for (int i = 0; i < sweep.sweep().campaigns().size(); i++) {
                CampaignRunner.requireNoOthers(sweep.folder(i));
            }
        }
        if (!shardsLeft.isEmpty()) {
            try (ResultFolder folder = CampaignRunner.claim(out, Purpose.ADD, "sweep", "--out")) {
                sweep.write(folder);
                if (engine != Engine.LOCAL) {
                    return submit(sweep, shardsLeft, folder);
                }
            }
            try (Interruption interruption = new Interruption()) {
                runHere(sweep, shardsLeft, interruption);
                if (interruption.happened()) {
                    print.println("interrupted; to go on: plateau sweep --out " + out);
                    return Signals.exitCode(); // seldom seen: the signal decides
                }
            }
        }
        Sweeps.merge(sweep, print, spec.commandLine().getErr());
        return ExitCode.OK;
    }

    /** What fails is told when all is put together. */
    private void runHere(SweepFolder sweep, SortedSet<Integer> shardsLeft, Interruption interruption)
            throws IOException {
        device.otherwise(sweep.sweep().device());
        for (int shard : shardsLeft) {
            if (interruption.happened()) {
                return;
            }
            try {
                new CampaignRunner(spec, device)
                        .runShard(sweep, shard, sweep.sweep().settings(), interruption);
            } catch (plateau.study.CampaignFailedException e) {
                // its runs say so themselves
            }
        }
    }

    private int submit(SweepFolder sweep, SortedSet<Integer> shardsLeft, ResultFolder folder) throws IOException {
        ShardScripts scripts = new ShardScripts(sweep, shardsLeft, engineOptions);
        PrintWriter print = spec.commandLine().getOut();
        switch (engine) {
            case SLURM -> {
                scripts.write(folder);
                print.println(new SlurmEngine(sweep, shardsLeft, engineOptions).submit());
            }
            case K8S -> {
                new KubernetesEngine(sweep, shardsLeft, engineOptions)
                        .write(folder)
                        .forEach(print::println);
            }
            default -> {
                scripts.write(folder);
                scripts.advice().forEach(print::println);
            }
        }
        return ExitCode.OK;
    }

    /** {@code 45 s}, {@code 12 min}, {@code 3.4 h}. */
    static String time(double seconds) {
        return seconds < 90
                ? "%.0f s".formatted(Math.max(1, seconds))
                : seconds < 5400 ? "%.0f min".formatted(seconds / 60) : "%,.1f h".formatted(seconds / 3600);
    }

    private static String size(double bytes) {
        return bytes < 1e9 ? "%,.1f MB".formatted(bytes / 1e6) : "%,.1f GB".formatted(bytes / 1e9);
    }
}
