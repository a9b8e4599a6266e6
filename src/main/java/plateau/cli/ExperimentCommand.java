package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.experiment.Experiment;
import plateau.report.Figure;
import plateau.train.LogRow;
import plateau.train.RunListener;
import plateau.train.RunResult;
import plateau.train.Trainer;

/**
 * What every command that trains has in common: the options of device, schedule and results; training one run after the other; writing metrics.csv and
 * run.json after each, so that whatever ends the command early leaves whole files about what was done; and drawing figures. A command says which runs,
 * how many steps and which figures.
 */
abstract class ExperimentCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private DeviceMixin device;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "decides everything random: what is to be learnt, first weights and data (default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(names = "--log-every", paramLabel = "N", defaultValue = "100", description = "steps between evaluations on fresh data (default: ${DEFAULT-VALUE})")
    private long logEvery;

    @Option(names = "--unroll", paramLabel = "N", defaultValue = "" + Trainer.Options.DEFAULT_UNROLL, description = "steps in one CUDA graph (default: ${DEFAULT-VALUE})")
    private int unroll;

    @Option(names = "--no-graph", description = "launch every kernel from Java instead of replaying a graph; gives the same bits")
    private boolean noGraph;

    @Option(names = "--out", paramLabel = "DIR", description = "folder for the results (default: one in this folder with the command's name)")
    private Path out;

    @Option(names = "--overwrite", description = "replace the results of an earlier run in that folder")
    private boolean overwrite;

    /**
     * One training run of the command.
     *
     * @param key what tells it from the command's other runs, by column of metrics.csv, in the columns' order
     * @param experiment what is trained
     */
    record Run(Map<String, Object> key, Experiment experiment) {

        /** For messages and legends: {@code d = 5}, and names as they are. */
        String label() {
            return key.entrySet().stream().map(column -> column.getValue() instanceof String name ? name : column.getKey() + " = " + column.getValue()).collect(Collectors.joining(", "));
        }
    }

    /**
     * How far a run came.
     *
     * @param run which
     * @param facts what it drew at random, for its description
     * @param rows logged so far, more to come while it trains
     * @param snapshots of what was learnt, where the experiment has curves of it, likewise
     * @param result empty where it did not get to its end
     */
    record Outcome(Run run, Map<String, Object> facts, List<LogRow> rows, List<Snapshot> snapshots, Optional<RunResult> result) {}

    /**
     * What was learnt after so many steps.
     *
     * @param step training steps done
     * @param curves by name, as the experiment documents them
     */
    record Snapshot(long step, Map<String, float[]> curves) {}

    /**
     * The runs, in order.
     *
     * @throws IllegalArgumentException with one line on the first option that is out of range
     */
    abstract List<Run> runs();

    /** Training steps of a run. */
    abstract long steps(Run run);

    /** Steps after which what was learnt is kept, if something is logged then; the end is always one. */
    Set<Long> checkpoints() {
        return Set.of();
    }

    /** What a run draws at random and a reader of its results wants to know, by name. */
    Map<String, Object> facts(Kernels kernels, Run run) {
        return Map.of();
    }

    /** The figures of what was done, by the names of their files. */
    abstract Map<String, Figure> figures(List<Outcome> outcomes);

    /** The seed of every run. */
    final long seed() {
        return seed;
    }

    @Override
    public final Integer call() throws IOException {
        List<Run> runs = runs();
        List<Trainer.Options> schedules = runs.stream().map(run -> new Trainer.Options(steps(run), logEvery, unroll, !noGraph)).toList();
        Results results = new Results(ResultFolder.prepare(out == null ? Path.of(spec.name()) : out, overwrite), spec, this::figures);
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            results.describeDevice(opened);
            Kernels kernels = Kernels.load(opened, device.gemm());
            for (int i = 0; i < runs.size(); i++) {
                train(kernels, runs.get(i), schedules.get(i), results, print);
            }
            results.finish();
        } catch (RuntimeException | IOException e) {
            results.fail(e);
            throw e;
        }
        results.draw();
        print.println("wrote " + results.written());
        return Main.OK;
    }

    private void train(Kernels kernels, Run run, Trainer.Options schedule, Results results, PrintWriter print) throws IOException {
        List<LogRow> rows = new ArrayList<>();
        List<Snapshot> snapshots = new ArrayList<>();
        int index = results.add(new Outcome(run, facts(kernels, run), rows, snapshots, Optional.empty()));
        RunResult result;
        try (Progress progress = new Progress(print, run.label(), schedule.steps())) {
            result = Trainer.run(kernels.device(), kernels, run.experiment(), schedule, new RunListener() {
                @Override
                public void onLog(LogRow row) {
                    rows.add(row);
                    progress.at(row.step(), values(run, row));
                }

                @Override
                public void onCurves(long step, Map<String, float[]> curves) {
                    if (step == schedule.steps() || checkpoints().contains(step)) {
                        snapshots.add(new Snapshot(step, curves));
                    }
                }
            });
        }
        results.complete(index, result);
        print.printf("%s: %s after %,d steps, %,.0f steps/s%n", run.label(), values(run, result.last()), schedule.steps(), result.stepsPerSecond());
    }

    private static String values(Run run, LogRow row) {
        List<String> names = run.experiment().metrics();
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            double value = row.test().get(i);
            parts.add(names.get(i) + (value != 0 && Math.abs(value) < 1e-3 ? " %.2e" : " %.3f").formatted(value));
        }
        return String.join(", ", parts);
    }
}
