package plateau.results;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One run as its files in a folder tell of it, whether a process is at work there, has ended, or
 * was killed.
 */
public final class RunFiles {
    private final RunRecord record;
    private final Tables.Part rows;
    private final Tables.Part curves;

    private RunFiles(RunRecord record, Tables.Part rows, Tables.Part curves) {
        this.record = record;
        this.rows = rows;
        this.curves = curves;
    }

    /** A run that nobody has begun. */
    public static RunFiles none(RunPlan plan) {
        Tables.Part nothing = new Tables.Part(plan.key(), Path.of(""), 0);
        return new RunFiles(waiting(plan), nothing, nothing);
    }

    private static RunRecord waiting(RunPlan plan) {
        return new RunRecord(
                plan.key(), Status.WAITING, Optional.empty(), plan.facts(), Optional.empty(), Optional.empty());
    }

    /**
     * Reads what a folder holds of runs.
     *
     * @param plans of all runs of the folder, in its order
     * @throws FileException if a file cannot be read, is damaged, or is that of another run
     */
    public static List<RunFiles> read(Path folder, List<RunPlan> plans) throws IOException {
        List<String> names = RunKey.fileNames(plans.stream().map(RunPlan::key).toList());
        Map<RunKey, RunRecord> described =
                Results.areIn(folder) ? Description.read(folder).runsByKey() : Map.<RunKey, RunRecord>of();
        List<RunFiles> runs = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            RunPlan plan = plans.get(i);
            Path rows = folder.resolve(RunLog.rowsName(names.get(i)));
            Path curves = folder.resolve(RunLog.curvesName(names.get(i)));
            runs.add(new RunFiles(
                    recall(
                            folder,
                            names.get(i),
                            plan,
                            Optional.ofNullable(described.get(plan.key().asWritten()))),
                    Tables.Part.of(plan.key(), rows),
                    Tables.Part.of(plan.key(), curves)));
        }
        return runs;
    }

    /** Where a run's file says how it ended, relative to its folder. */
    static String recordName(String run) {
        return ResultFolder.RUNS + "/" + run + ".json";
    }

    /**
     * A run as earlier processes have left it: of one that has ended its own file knows more than
     * run.json, of one that was killed its log. One without some of its rows is not finished.
     *
     * @param name of the run's files
     * @param described what run.json says
     */
    static RunRecord recall(Path folder, String name, RunPlan plan, Optional<RunRecord> described) throws IOException {
        Path file = folder.resolve(recordName(name));
        boolean hasEnded = Files.exists(file);
        RunRecord found = (hasEnded ? Optional.of(RunRecord.read(file)) : described).orElseGet(() -> waiting(plan));
        Optional<RunRecord.Last> last = hasEnded
                ? found.last()
                : RunLog.last(folder.resolve(RunLog.rowsName(name)), plan.metrics())
                        .or(found::last);
        Status status = found.status() == Status.RUNNING || found.status() == Status.WAITING && last.isPresent()
                ? Status.INTERRUPTED
                : found.status();
        return new RunRecord(plan.key(), status, found.error(), found.facts(), found.speeds(), last);
    }

    /**
     * Whether the run has come to its end, and all its rows are there.
     *
     * @throws FileException if its rows cannot be read
     */
    public boolean isFinished(RunPlan plan) throws IOException {
        return record.status() == Status.FINISHED
                && RunLog.last(rows.file(), plan.metrics())
                        .filter(last -> last.step() == plan.steps())
                        .isPresent();
    }

    /** How far it came. */
    public RunRecord record() {
        return record;
    }

    Tables.Part rows() {
        return rows;
    }

    Tables.Part curves() {
        return curves;
    }
}
