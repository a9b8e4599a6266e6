package plateau.cli;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.autograd.Kernels;
import plateau.experiment.Experiment;
import plateau.results.EventFile;
import plateau.figure.Figure;
import plateau.report.History;
import plateau.report.Recorded;
import plateau.train.Checkpoints;
import plateau.results.LogRow;
import plateau.train.RunListener;
import plateau.train.RunResult;
import plateau.train.Runs;
import plateau.train.Trainer;

/**
 * What every command that trains has in common: the options of device, schedule and results; training all runs, several at once; writing metrics.csv and
 * run.json while they go on, so that whatever ends the command early leaves whole files about what was done; and drawing figures. A command says which
 * runs, how many steps and which figures.
 */
abstract class ExperimentCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private DeviceMixin device;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "decides everything random: what is to be learnt, first weights and data (default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(names = "--seeds", paramLabel = "N", defaultValue = "1", description = "runs of each kind, with the seeds that follow --seed; figures then show their mean, and a band from the lowest to the highest (default: ${DEFAULT-VALUE})")
    private int seeds;

    @Option(names = "--parallel", paramLabel = "N", description = "runs at once, which has no effect on what they compute (default: one per core, as far as device memory goes)")
    private Integer parallel;

    @Option(names = "--log-every", paramLabel = "N", defaultValue = "100", description = "steps between evaluations on fresh data (default: ${DEFAULT-VALUE})")
    private long logEvery;

    @Option(names = "--unroll", paramLabel = "N", defaultValue = "" + Trainer.Options.DEFAULT_UNROLL, description = "steps in one CUDA graph (default: ${DEFAULT-VALUE})")
    private int unroll;

    @Option(names = "--no-graph", description = "launch every kernel from Java instead of replaying a graph; gives the same bits")
    private boolean noGraph;

    @Option(names = "--out", paramLabel = "DIR", description = "folder for the results (default: one in this folder with the command's name)")
    private Path out;

    @Option(names = "--checkpoint-every", paramLabel = "N", description = "steps between checkpoints, in DIR/checkpoints, from which a run that was ended or killed can go on (default: none)")
    private Long checkpointEvery;

    @Option(names = "--resume", paramLabel = "DIR", description = "go on with the runs in that folder from their checkpoints, with the options they have; the results have the same bits as without the break")
    private Path resume;

    @Option(names = "--tensorboard", description = "also write DIR/tensorboard, while training, for: tensorboard --logdir DIR/tensorboard")
    private boolean tensorboard;

    @Option(names = "--overwrite", description = "replace the results of an earlier run in that folder")
    private boolean overwrite;

    /** Whether the options are those of the run to resume. */
    private boolean resuming;

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

        /** For files about the run. */
        String fileName() {
            String kind = key.entrySet().stream().map(column -> column.getValue() instanceof String name ? name : column.getKey() + "-" + column.getValue()).collect(Collectors.joining("-"));
            return (kind + "-seed-" + experiment.seed()).replaceAll("[^A-Za-z0-9.-]", "_");
        }
    }

    /**
     * How far a run came.
     *
     * @param run which
     * @param facts what it drew at random, for its description
     * @param rows logged so far
     * @param snapshots of what was learnt so far, where the experiment has curves of it
     * @param status of the run
     * @param result where it is finished
     * @param failure where it failed
     */
    record Outcome(Run run, Map<String, Object> facts, List<LogRow> rows, List<Snapshot> snapshots, Status status, Optional<RunResult> result, Optional<Throwable> failure) {}

    /** Where a run stands. */
    enum Status {
        WAITING,
        RUNNING,
        FINISHED,
        FAILED,
        INTERRUPTED
    }

    /**
     * What was learnt after so many steps.
     *
     * @param step training steps done
     * @param curves by name, as the experiment documents them
     */
    record Snapshot(long step, Map<String, float[]> curves) {}

    /**
     * The runs of one seed, in order.
     *
     * @throws IllegalArgumentException with one line on the first option that is out of range
     */
    abstract List<Run> runs(long seed);

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

    /** Figures of a run's data, by the names of their files; those of the first run are drawn. */
    Map<String, Figure> dataFigures(Kernels kernels, Run run) {
        return Map.of();
    }

    /** The figures of what was done, by the names of their files. */
    abstract Map<String, Figure> figures(List<Outcome> outcomes);

    /** Runs of each kind. */
    int seeds() {
        return seeds;
    }

    /** What is said of a run's metrics. */
    String summary(Run run, LogRow row) {
        List<String> names = run.experiment().metrics();
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            double value = row.test().get(i);
            parts.add(names.get(i) + (value != 0 && Math.abs(value) < 1e-3 ? " %.2e" : " %.3f").formatted(value));
        }
        return String.join(", ", parts);
    }

    /** Tells what all runs together came to. */
    void conclude(List<Outcome> outcomes, PrintWriter print) {}

    @Override
    public final Integer call() throws IOException {
        if (resume != null && !resuming) {
            resuming = true;
            return spec.commandLine().execute(Resumption.arguments(spec, resume).toArray(String[]::new));
        }
        List<Run> runs = allRuns();
        List<Trainer.Options> schedules = runs.stream().map(run -> new Trainer.Options(steps(run), logEvery, unroll, !noGraph)).toList();
        if (parallel != null && parallel < 1) {
            throw new IllegalArgumentException("parallel must be at least 1, not " + parallel);
        }
        Path target = out == null ? Path.of(spec.name()) : out;
        List<Checkpoints> checkpoints = runs.stream().map(run -> checkpoints(target, run)).toList();
        ResultFolder folder = ResultFolder.prepare(target, overwrite || resuming);
        if (!resuming) {
            folder.forgetCheckpoints();
        }
        Results results = new Results(folder, spec, this::figures);
        try (Interruption interruption = new Interruption()) {
            return run(runs, schedules, checkpoints, results, interruption);
        }
    }

    private Checkpoints checkpoints(Path folder, Run run) {
        return checkpointEvery == null ? Checkpoints.NONE : Checkpoints.of(ResultFolder.checkpoint(folder, run.fileName()), checkpointEvery, resuming, warning -> spec.commandLine().getErr().println("plateau: " + warning));
    }

    private int run(List<Run> runs, List<Trainer.Options> schedules, List<Checkpoints> checkpoints, Results results, Interruption interruption) throws IOException {
        PrintWriter print = spec.commandLine().getOut();
        try (DeviceMixin.Opened opened = device.openAll()) {
            print.println("device: " + opened.description());
            results.describeDevice(opened);
            List<Kernels> kernels = opened.devices().stream().map(device::kernels).toList();
            opened.devices().getFirst().makeCurrent();
            runs.forEach(run -> results.add(run, facts(kernels.getFirst(), run)));
            results.addFigures(dataFigures(kernels.getFirst(), runs.getFirst()));
            Runs places = new Runs(kernels, parallel == null ? Runs.defaultParallel(kernels) : parallel);
            if (checkpointEvery != null) {
                results.begin();
            }
            interruption.calls(places::stop);
            train(places, runs, schedules, checkpoints, results, print);
            if (interruption.happened()) {
                print.println(results.interrupted() + (checkpointEvery == null ? "" : "; to go on: %s --resume %s".formatted(spec.qualifiedName(), results.path())));
                return Main.FAILED; // never seen: the signal decides
            }
            results.finish();
        } catch (RuntimeException | IOException e) {
            results.fail(e);
            throw e;
        }
        results.draw();
        conclude(results.outcomes(), print);
        print.println("wrote " + results.written());
        return Main.OK;
    }

    /** The figures of results that were written earlier, by a command with these options. */
    final Map<String, Figure> figures(Recorded recorded) {
        List<Outcome> outcomes = new ArrayList<>();
        for (Run run : allRuns()) {
            Map<String, String> key = run.key().entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, column -> column.getValue().toString()));
            recorded.histories().stream().filter(history -> history.seed() == run.experiment().seed() && history.key().equals(key)).forEach(history -> outcomes.add(outcome(run, history)));
        }
        return figures(outcomes);
    }

    private static Outcome outcome(Run run, History history) {
        List<LogRow> rows = IntStream.range(0, history.steps().size())
                .mapToObj(i -> new LogRow(history.steps().get(i), run.experiment().metrics().stream().map(metric -> history.metrics().get(metric).get(i)).toList(), List.of()))
                .toList();
        List<Snapshot> snapshots = history.curves().entrySet().stream()
                .map(snapshot -> new Snapshot(snapshot.getKey(), snapshot.getValue().entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, curve -> floats(curve.getValue())))))
                .toList();
        Map<String, Object> facts = history.description().isObject() ? new ObjectMapper().convertValue(history.description(), new TypeReference<>() {}) : Map.of();
        return new Outcome(run, facts, rows, snapshots, Status.FINISHED, Optional.empty(), Optional.empty());
    }

    private static float[] floats(List<Double> values) {
        float[] narrow = new float[values.size()];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = values.get(i).floatValue();
        }
        return narrow;
    }

    /** Those of one kind side by side. */
    private List<Run> allRuns() {
        if (seeds() < 1 || seeds() > 1000) {
            throw new IllegalArgumentException("seeds must be between 1 and 1000, not " + seeds());
        }
        List<List<Run>> bySeed = LongStream.range(seed, seed + seeds()).mapToObj(this::runs).toList();
        return IntStream.range(0, bySeed.getFirst().size()).boxed().flatMap(kind -> bySeed.stream().map(runs -> runs.get(kind))).toList();
    }

    /** For messages: the seed too, where there are several. */
    private String name(Run run) {
        return run.label() + (seeds() == 1 ? "" : ", seed " + run.experiment().seed());
    }

    /** @throws RuntimeException what made a run fail, the only one or the first of several */
    private void train(Runs places, List<Run> runs, List<Trainer.Options> schedules, List<Checkpoints> checkpoints, Results results, PrintWriter print) {
        List<Future<RunResult>> ends;
        try (Progress progress = new Progress(print, IntStream.range(0, runs.size()).mapToObj(i -> new Progress.Length(name(runs.get(i)), schedules.get(i).steps())).toList(), places.parallel())) {
            ends = places.run(IntStream.range(0, runs.size()).mapToObj(i -> new Runs.Job(runs.get(i).experiment(), schedules.get(i), new Listener(i, runs.get(i), schedules.get(i).steps(), results, progress), checkpoints.get(i))).toList());
        }
        List<Integer> failed = IntStream.range(0, runs.size()).filter(i -> ends.get(i).state() == Future.State.FAILED).boxed().toList();
        if (failed.isEmpty()) {
            return;
        }
        Throwable cause = ends.get(failed.getFirst()).exceptionNow();
        if (runs.size() > 1) {
            String others = failed.size() == 1 ? "" : " (and %d more of %d runs failed)".formatted(failed.size() - 1, runs.size());
            throw new CommandFailedException(name(runs.get(failed.getFirst())) + ": " + Main.explain(cause) + others, cause);
        }
        switch (cause) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(cause);
        }
    }

    /** Takes down what a run logs, and shows it. */
    private final class Listener implements RunListener {
        private final int index;
        private final Run run;
        private final long steps;
        private final Results results;
        private final Progress progress;
        private EventFile events;

        Listener(int index, Run run, long steps, Results results, Progress progress) {
            this.index = index;
            this.run = run;
            this.steps = steps;
            this.results = results;
            this.progress = progress;
        }

        @Override
        public void onStart(long done) {
            if (tensorboard) {
                unchecked(() -> events = EventFile.create(results.path().resolve("tensorboard").resolve(run.fileName()), now()));
            }
            results.start(index);
            progress.start(index, done);
        }

        @Override
        public void onSteps(long done) {
            progress.at(index, done);
        }

        @Override
        public void onLog(LogRow row) {
            unchecked(() -> results.log(index, row));
            if (tensorboard) {
                List<String> names = run.experiment().metrics();
                Map<String, Double> values = new LinkedHashMap<>();
                IntStream.range(0, names.size()).forEach(i -> values.put(names.get(i), row.test().get(i)));
                unchecked(() -> events.add(now(), row.step(), values));
            }
            progress.measured(index, summary(run, row));
        }

        @Override
        public boolean wantsCurves(long step) {
            return step == steps || checkpoints().contains(step);
        }

        @Override
        public void onCurves(long step, Map<String, float[]> curves) {
            results.keep(index, new Snapshot(step, curves));
        }

        @Override
        public void onFinish(RunResult result) {
            unchecked(() -> results.complete(index, result));
            progress.end(index, "%s: %s after %,d steps, %,.0f steps/s".formatted(name(run), summary(run, result.last()), steps, result.stepsPerSecond()));
        }

        @Override
        public void onFailure(Throwable cause) {
            results.fail(index, cause);
            progress.end(index, name(run) + ": " + Main.explain(cause));
        }
    }

    /** Writes something. */
    private interface Writing {
        void write() throws IOException;
    }

    private static void unchecked(Writing writing) {
        try {
            writing.write();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double now() {
        return System.currentTimeMillis() / 1e3;
    }
}
