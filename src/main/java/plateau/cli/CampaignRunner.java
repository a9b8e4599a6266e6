package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import picocli.CommandLine.Model.CommandSpec;
import plateau.experiment.Experiment;
import plateau.figure.Figure;
import plateau.report.FigureFiles;
import plateau.report.GridFigure;
import plateau.results.FolderException;
import plateau.results.LogRow;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;
import plateau.results.Results;
import plateau.results.RunKey;
import plateau.results.Status;
import plateau.study.Campaign;
import plateau.study.CampaignEnd;
import plateau.study.CampaignListener;
import plateau.study.Devices;
import plateau.study.Failures;
import plateau.study.LocalExecutor;
import plateau.study.RunSpec;
import plateau.study.Settings;
import plateau.study.SweepFolder;
import plateau.train.RunResult;

/**
 * Carries out a campaign and tells how it goes: claims the folder, trains, draws, and says what
 * lies where.
 */
final class CampaignRunner {
    /** Batch systems may start a task again before they have ended it. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final DevicesMixin device;
    private final PrintWriter out;
    private final PrintWriter err;

    /**
     * For a command.
     *
     * @param command whose output it is
     * @param device what it runs on
     */
    CampaignRunner(CommandSpec command, DevicesMixin device) {
        this.device = device;
        this.out = command.commandLine().getOut();
        this.err = command.commandLine().getErr();
    }

    /** As below, ended by a signal. */
    int run(Campaign<?> campaign, Settings settings, Path target, Purpose purpose) throws IOException {
        try (Interruption interruption = new Interruption()) {
            return run(campaign, settings, target, purpose, interruption);
        }
    }

    /**
     * Carries out a campaign.
     *
     * @param target where its results go
     * @param purpose what for
     * @return the exit code
     * @throws RuntimeException what made it fail; its results until then are kept
     */
    <O extends Record> int run(
            Campaign<O> campaign, Settings settings, Path target, Purpose purpose, Interruption interruption)
            throws IOException {
        device.check();
        LocalExecutor executor = new LocalExecutor(device::openAll, device.text(), Version.program());
        interruption.calls(executor::stop);
        try (ResultFolder folder = claim(target, purpose, campaign.kind().name(), "--out, --overwrite")) {
            folder.require(campaign.kind().figureNames().stream()
                    .flatMap(name -> FigureFiles.names(name).stream())
                    .toList());
            interruption.leaves(() -> leave(folder));
            CampaignEnd end;
            try (Display display = new Display(campaign, campaign.seeds() > 1, interruption)) {
                end = executor.execute(campaign, settings, folder, display);
            }
            boolean logged = draw(campaign, folder, end, false, out);
            switch (end.status()) {
                case INTERRUPTED -> {
                    out.println(
                            logged || settings.checkpointEvery().isPresent()
                                    ? "interrupted; wrote " + written(folder) + goOn(campaign, settings, target)
                                    : "interrupted before anything was logged");
                    return Signals.exitCode(); // seldom seen: the signal decides
                }
                case FAILED -> throw rethrown(end.failure().orElseThrow());
                default -> out.println("wrote " + written(folder));
            }
        }
        return ExitCode.OK;
    }

    /**
     * Carries out what a shard of a sweep has left to do, campaign by campaign; a failure of one
     * does not keep the others from their end.
     *
     * @param shard counted from 0
     * @throws RuntimeException what failed first
     */
    void runShard(SweepFolder sweep, int shard, Settings settings, Interruption interruption) throws IOException {
        device.check();
        Optional<Throwable> failure = Optional.empty();
        for (int campaign = 0; campaign < sweep.sweep().campaigns().size() && !interruption.happened(); campaign++) {
            Optional<Campaign<?>> part = sweep.part(campaign, shard);
            if (part.isPresent()) {
                Path target = sweep.shardFolder(campaign, shard);
                requireNoOthers(sweep.folder(campaign));
                sweep.requireOwn(target);
                CampaignEnd end = runPart(sweep, shard, part.get(), settings, target, interruption);
                failure = failure.or(end::failure);
            }
        }
        if (failure.isPresent()) {
            throw rethrown(failure.get());
        }
    }

    /** A folder in which a command trains, or has trained, is no place for shards. */
    static void requireNoOthers(Path folder) {
        if (Files.exists(folder.resolve("runs"))) {
            throw new CommandFailedException(
                    folder + " holds the results of a command that was not cut into shards; name another folder");
        }
    }

    private CampaignEnd runPart(
            SweepFolder sweep, int shard, Campaign<?> part, Settings settings, Path target, Interruption interruption)
            throws IOException {
        LocalExecutor executor = LocalExecutor.ofParts(device::openAll, device.text(), Version.program());
        interruption.calls(executor::stop);
        Purpose purpose = Results.areIn(target) ? Purpose.CONTINUE : Purpose.NEW;
        try (ResultFolder folder = claimInTime(target, purpose, interruption)) {
            interruption.leaves(() -> leave(folder));
            List<Long> known = sweep.done(part, target);
            AtomicLong again = new AtomicLong();
            Display display = new Display(part, true, interruption) {
                @Override
                public void onDevices(Devices devices, int parallel) {
                    try {
                        sweep.writeShard(folder, shard);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                    super.onDevices(devices, parallel);
                }

                @Override
                public void onStart(int run, long done) {
                    again.addAndGet(Math.max(0, known.get(run) - done));
                    super.onStart(run, done);
                }
            };
            try (display) {
                return executor.execute(part, settings, folder, display);
            } finally {
                if (purpose == Purpose.CONTINUE) {
                    out.println("steps done again that earlier processes had logged: %,d".formatted(again.get()));
                }
            }
        }
    }

    private static String goOn(Campaign<?> campaign, Settings settings, Path target) {
        return settings.checkpointEvery().isEmpty()
                ? ""
                : "; to go on: plateau %s --resume %s".formatted(campaign.kind().name(), target);
    }

    /**
     * Claims the folder that a command writes to.
     *
     * @param options that name another folder, or let this one be used, for the message
     * @throws CommandFailedException with one line, if another command holds it, or it cannot be
     *     written
     */
    static ResultFolder claim(Path target, Purpose purpose, String command, String options) {
        try {
            return ResultFolder.claim(target, purpose, "plateau " + command);
        } catch (FolderException.Occupied e) {
            throw new CommandFailedException(e.getMessage() + " (" + options + ")", e);
        } catch (IOException e) {
            throw new CommandFailedException(Failures.explain(e), e);
        }
    }

    /** As above; the process before, which was told to end, is given some time to do so. */
    private static ResultFolder claimInTime(Path target, Purpose purpose, Interruption interruption) {
        long start = System.nanoTime();
        while (true) {
            try {
                return claim(target, purpose, "run", "--out");
            } catch (CommandFailedException e) {
                boolean isInUse = e.getCause() instanceof FolderException.InUse;
                if (!isInUse || interruption.happened() || System.nanoTime() - start > PATIENCE.toNanos()) {
                    throw e;
                }
                LockSupport.parkNanos(PATIENCE.toNanos() / 60);
            }
        }
    }

    /** Gives a folder free, in the moment that a halted process has for it. */
    static void leave(ResultFolder folder) {
        try {
            folder.close();
        } catch (IOException e) {
            // Another process finds that this one has ended.
        }
    }

    static String written(ResultFolder folder) {
        return String.join(", ", folder.written()) + " to " + folder.path();
    }

    /**
     * Draws what was logged, and prints what it came to where all runs are finished.
     *
     * @param grid whether the runs' ends are drawn, too
     * @return whether anything was logged
     * @throws CommandFailedException if it cannot be drawn; the numbers are safe
     */
    static <O extends Record> boolean draw(
            Campaign<O> campaign, ResultFolder folder, CampaignEnd end, boolean grid, PrintWriter out) {
        try {
            if (folder.written().isEmpty()) {
                return false;
            }
            var runs = campaign.logged(Results.read(folder.path()).histories());
            if (runs.isEmpty()) {
                return false;
            }
            for (Map.Entry<String, Figure> figure : end.dataFigures().entrySet()) {
                FigureFiles.write(folder, figure.getKey(), figure.getValue());
            }
            for (Map.Entry<String, Figure> figure :
                    campaign.kind().figures(runs).entrySet()) {
                FigureFiles.write(folder, figure.getKey(), figure.getValue());
            }
            Optional<Figure> ends = grid ? GridFigure.of(runs) : Optional.empty();
            if (ends.isPresent()) {
                FigureFiles.write(folder, GridFigure.NAME, ends.get());
            }
            if (end.status() == Status.FINISHED) {
                campaign.kind().conclusion(runs).forEach(out::println);
            }
            return true;
        } catch (IOException e) {
            if (end.failure().isPresent()) {
                return true; // which is told first
            }
            throw new CommandFailedException(
                    "%s; the numbers are in metrics.csv and run.json in %s"
                            .formatted(Failures.explain(e), folder.path()),
                    e);
        }
    }

    private static RuntimeException rethrown(Throwable failure) {
        return switch (failure) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            default -> new CommandFailedException(Failures.explain(failure), failure);
        };
    }

    /** Shows how far the runs are. */
    private class Display implements CampaignListener, AutoCloseable {
        private final Campaign<?> campaign;
        private final boolean seeds;
        private final List<RunKey> keys;
        private final List<Experiment> experiments;
        private final Interruption interruption;
        private Progress progress;

        Display(Campaign<?> campaign, boolean seeds, Interruption interruption) {
            this.interruption = interruption;
            this.campaign = campaign;
            this.seeds = seeds;
            this.keys = campaign.runs().stream().map(RunSpec::key).toList();
            this.experiments = campaign.runs().stream().map(RunSpec::experiment).toList();
        }

        private String name(int run) {
            return keys.get(run).label() + (seeds ? ", seed " + keys.get(run).seed() : "");
        }

        private long steps(int run) {
            return campaign.runs().get(run).schedule().steps();
        }

        @Override
        public void onDevices(Devices devices, int parallel) {
            out.println("device: " + devices.description());
            progress = new Progress(
                    out,
                    IntStream.range(0, keys.size())
                            .mapToObj(run -> new Progress.Length(name(run), steps(run)))
                            .toList(),
                    parallel);
        }

        @Override
        public void onStart(int run, long done) {
            progress.start(run, done);
        }

        @Override
        public void onSteps(int run, long done) {
            progress.at(run, done);
        }

        @Override
        public void onLog(int run, LogRow row) {
            progress.measured(run, experiments.get(run).summary(row));
        }

        @Override
        public void onFinish(int run, RunResult result) {
            String measured =
                    result.last() == null ? "complete" : experiments.get(run).summary(result.last());
            progress.end(
                    run,
                    "%s: %s after %,d steps, %,.0f steps/s"
                            .formatted(name(run), measured, steps(run), result.stepsPerSecond()));
        }

        @Override
        public void onFailure(int run, Throwable cause) {
            progress.end(run, name(run) + ": " + Failures.explain(cause));
        }

        @Override
        public void onSaving() {
            interruption.saving();
        }

        @Override
        public void onSaved() {
            interruption.saved();
        }

        @Override
        public void onWarning(String message) {
            err.println("plateau: " + message);
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }
}
