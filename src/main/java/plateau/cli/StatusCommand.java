package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.results.Status;
import plateau.study.SweepFolder;

/** How far a sweep is. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Says how far a sweep is, whatever runs it, also while it runs: runs that are done, running, waiting and"
                    + " failed, why, and the time that is left.",
            "Looks at the files of the shards alone, so that rows of the last seconds may not be seen."
        },
        footer = {"", "Examples:", "  plateau status curve"})
final class StatusCommand implements Callable<Integer> {
    /** Failures that are told one by one. */
    private static final int MOST_TOLD = 5;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "the folder of a sweep")
    private Path folder;

    @Override
    public Integer call() throws IOException {
        SweepFolder sweep = Sweeps.open(folder);
        SweepFolder.State state = sweep.state();
        Set<Integer> held = sweep.held();
        PrintWriter out = spec.commandLine().getOut();
        for (int i = 0; i < sweep.sweep().campaigns().size(); i++) {
            out.println(sweep.sweep().campaigns().get(i).kind().name() + ": "
                    + counts(state.runs().get(i), held));
        }
        List<SweepFolder.Run> runs = state.runs().stream().flatMap(List::stream).toList();
        List<SweepFolder.Run> failed =
                runs.stream().filter(StatusCommand::isFailed).toList();
        failed.stream().limit(MOST_TOLD).forEach(run -> out.println("failed: " + Sweeps.failure(sweep, run)));
        if (failed.size() > MOST_TOLD) {
            out.println("failed: %d more".formatted(failed.size() - MOST_TOLD));
        }
        if (state.unfinished().isEmpty()) {
            out.println("all shards are finished; plateau merge %s puts them together".formatted(folder));
            return ExitCode.OK;
        }
        out.println("shards of %d: %d finished%s%s"
                .formatted(
                        sweep.sweep().shards(),
                        sweep.sweep().shards() - state.unfinished().size(),
                        held.isEmpty() ? "" : "; running " + Sweeps.numbers(held),
                        state.unfinished().stream().allMatch(held::contains)
                                ? ""
                                : "; left "
                                        + Sweeps.numbers(state.unfinished().stream()
                                                .filter(shard -> !held.contains(shard))
                                                .toList())));
        out.println(left(sweep, runs, held));
        return ExitCode.OK;
    }

    private static boolean isFailed(SweepFolder.Run run) {
        return run.files().record().status() == Status.FAILED;
    }

    /** Begun, not ended, and its shard's process lives. */
    private static boolean isRunning(SweepFolder.Run run, Set<Integer> held) {
        return held.contains(run.shard()) && run.files().record().status() == Status.INTERRUPTED;
    }

    private static String counts(List<SweepFolder.Run> runs, Set<Integer> held) {
        long done = runs.stream().filter(SweepFolder.Run::isFinished).count();
        long running = runs.stream().filter(run -> isRunning(run, held)).count();
        long failed = runs.stream().filter(StatusCommand::isFailed).count();
        long interrupted = runs.stream()
                .filter(run -> !isRunning(run, held) && run.files().record().status() == Status.INTERRUPTED)
                .count();
        return "%,d runs: %,d done, %,d running, %,d waiting, %,d interrupted, %,d failed"
                .formatted(
                        runs.size(),
                        done,
                        running,
                        runs.size() - done - running - failed - interrupted,
                        interrupted,
                        failed);
    }

    /**
     * By the cost of what is left, and the seconds that runs have taken that are done; with as many
     * at once as run now.
     */
    private static String left(SweepFolder sweep, List<SweepFolder.Run> runs, Set<Integer> held) {
        double cost = 0;
        double doneCost = 0;
        double doneSeconds = 0;
        long running = 0;
        for (SweepFolder.Run run : runs) {
            double whole = sweep.sweep().cost(run.campaign(), run.index());
            long steps = sweep.sweep()
                    .campaigns()
                    .get(run.campaign())
                    .runs()
                    .get(run.index())
                    .schedule()
                    .steps();
            if (run.isFinished()) {
                doneCost += whole;
                doneSeconds += run.files()
                        .record()
                        .speeds()
                        .map(speeds -> speeds.seconds() + speeds.setupSeconds())
                        .orElse(0.0);
            } else if (!isFailed(run)) {
                cost += whole * (1 - (double) run.done() / steps);
            }
            running += isRunning(run, held) ? 1 : 0;
        }
        running = Math.max(running, held.size()); // a shard's first rows may not be there yet
        if (doneCost == 0 && !sweep.sweep().isEstimated()) {
            return "time left: unknown before a run is done";
        }
        double seconds = cost * (doneCost == 0 ? 1 : doneSeconds / doneCost);
        return running == 0
                ? "nothing runs; left: %s of computing; plateau sweep --out %s goes on"
                        .formatted(SweepCommand.time(seconds), sweep.path())
                : "time left: about %s, with %d runs at once".formatted(SweepCommand.time(seconds / running), running);
    }
}
