package plateau.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.trace.Category;
import plateau.cuda.trace.Range;
import plateau.cuda.trace.Trace;
import plateau.experiment.Experiment;
import plateau.experiment.Plan;
import plateau.experiment.Ring;
import plateau.experiment.RunContext;
import plateau.results.LogRow;
import plateau.results.Safetensors.Array;

/**
 * One of a trainer's runs: its replica of the memory that is planned for all, and how far it has
 * come. It reads and logs, saves itself and goes on from what was saved, as if it were alone.
 */
final class Replica {
    private static final String STATE = "state/";

    private final int index;
    private final Experiment experiment;
    private final Schedule schedule;
    private final RunContext context;
    private final Plan plan;
    private final RunListener listener;
    private final Checkpoints checkpoints;
    private Optional<Checkpoints.Saved> saved = Optional.empty();
    private long done;
    private double seconds;
    private double evaluationSeconds;
    private LogRow last;
    private RunResult result;
    private Throwable failure;

    /**
     * Steps that were done at once.
     *
     * @param steps how many
     * @param training metrics of all runs
     * @param test metrics of all runs; null where nothing is logged
     * @param started when they were enqueued, by System.nanoTime
     * @param evaluationSeconds that the evaluation after them took the device
     */
    record Pace(int steps, Ring.Copy training, Ring.Copy test, long started, double evaluationSeconds) {}

    Replica(
            int index,
            Experiment experiment,
            Schedule schedule,
            RunContext context,
            Plan plan,
            Trainer.Participant participant) {
        this.index = index;
        this.experiment = experiment;
        this.schedule = schedule;
        this.context = context;
        this.plan = plan;
        this.listener = participant.listener();
        this.checkpoints = participant.checkpoints();
    }

    /** Training steps done. */
    long done() {
        return done;
    }

    /** Whether it has neither failed nor come to its end. */
    boolean goesOn() {
        return failure == null && result == null;
    }

    Trainer.Outcome outcome() {
        return new Trainer.Outcome(result, failure);
    }

    void fail(Throwable cause) {
        failure = cause;
        if (!(cause instanceof CancellationException)) {
            listener.onFailure(cause);
        }
    }

    /** The step after which it is looked at for a checkpoint. */
    long nextCheckpoint() {
        return checkpoints.next(done, schedule.steps());
    }

    /** Where it goes on from. */
    void findCheckpoint() {
        saved = checkpoints.newest(identity(), schedule.steps(), arrays(true), arithmetic());
        done = saved.map(Checkpoints.Saved::step).orElse(0L);
    }

    /** Puts its memory, which has been initialised, where it goes on. */
    void start() {
        saved.ifPresent(this::resume);
        saved = Optional.empty(); // it may be large
        listener.onStart(done);
    }

    /** Takes down what steps have left in the rings. */
    void advance(Pace pace) {
        boolean log = pace.test != null;
        double[] batch = read(pace.training, done, pace.steps);
        double[] tested = log ? read(pace.test, done + pace.steps, 1) : null;
        done += pace.steps;
        seconds += (System.nanoTime() - pace.started) / 1e9;
        evaluationSeconds += pace.evaluationSeconds;
        if (log) {
            last = LogRow.of(done, tested, batch);
            log();
        }
        listener.onSteps(done);
    }

    /**
     * Saves itself where it is time to.
     *
     * @param stop whether it ends before its last step
     * @throws CancellationException if so
     */
    void pause(boolean stop) {
        if (stop || done == checkpoints.next(done - 1, schedule.steps())) {
            save();
        }
        if (stop) {
            throw new CancellationException("stopped after %d of %d steps".formatted(done, schedule.steps()));
        }
    }

    void finish(double setupSeconds, int launchesPerStep) {
        RunResult finished = new RunResult(
                setupSeconds,
                seconds,
                schedule.steps() / (seconds - evaluationSeconds),
                schedule.steps() / seconds,
                launchesPerStep,
                last);
        listener.onFinish(finished);
        result = finished;
    }

    private void log() {
        listener.onLog(last);
        if (!plan.curves().isEmpty() && listener.wantsCurves(done)) {
            Map<String, float[]> learnt = new LinkedHashMap<>();
            plan.curves().forEach((name, values) -> learnt.put(name, own(values).toFloats()));
            listener.onCurves(done, learnt);
        }
    }

    /** What a checkpoint must be of: everything that decides a row, by name. */
    private Map<String, String> identity() {
        Map<String, String> identity = new LinkedHashMap<>();
        identity.put("experiment", experiment.name());
        experiment.options().forEach((name, value) -> identity.put(name, String.valueOf(value)));
        identity.put("seed", Long.toString(experiment.seed()));
        identity.put("steps", Long.toString(schedule.steps()));
        identity.put("log-every", Long.toString(schedule.logEvery()));
        return identity;
    }

    /**
     * All that the run goes on with, by name.
     *
     * @param layout whether types and shapes are enough, and no values need to be read
     */
    private SequencedMap<String, Array> arrays(boolean layout) {
        SequencedMap<String, Array> arrays = new LinkedHashMap<>();
        plan.parameters()
                .parts()
                .forEach((name, tensor) -> arrays.put(
                        name,
                        Array.floats(
                                tensor.shape().sizes(),
                                layout
                                        ? new int[tensor.shape().elements()]
                                        : own(tensor.values()).toInts())));
        plan.state()
                .forEach((name, words) -> arrays.put(
                        STATE + name,
                        Array.of(
                                List.of((int) (words.bytes() / Integer.BYTES)),
                                layout
                                        ? new int[(int) (words.bytes() / Integer.BYTES)]
                                        : own(words).toInts())));
        return arrays;
    }

    private void save() {
        if (checkpoints == Checkpoints.NONE) {
            return;
        }
        try (Range _ = Trace.open(Category.CHECKPOINT, "checkpoint")) {
            listener.onCheckpoint();
            checkpoints.save(
                    new Checkpoints.Saved(done, seconds, evaluationSeconds, whatIsSaved()), identity(), arithmetic());
        } finally {
            listener.onCheckpointEnd();
        }
    }

    /** All that the run goes on with, and what it has learnt where this is its end. */
    private SequencedMap<String, Array> whatIsSaved() {
        SequencedMap<String, Array> arrays = arrays(false);
        if (done == schedule.steps()) {
            plan.learnt()
                    .forEach((name, tensor) -> arrays.put(
                            Checkpoints.LEARNT + name,
                            Array.floats(
                                    tensor.shape().sizes(), own(tensor.values()).toInts())));
        }
        return arrays;
    }

    private void resume(Checkpoints.Saved from) {
        plan.parameters()
                .parts()
                .forEach((name, tensor) ->
                        own(tensor.values()).upload(from.arrays().get(name).toInts()));
        plan.state()
                .forEach((name, words) ->
                        own(words).upload(from.arrays().get(STATE + name).toInts()));
        own(context.step()).upload((int) from.step());
        seconds = from.seconds();
        evaluationSeconds = from.evaluationSeconds();
    }

    /** The metrics of the last of these steps, once all of them are seen to be finite. */
    private double[] read(Ring.Copy copy, long first, int count) {
        double[][] metrics = copy.read(index, first, count);
        List<String> names = copy.ring().names();
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < names.size(); j++) {
                if (!Double.isFinite(metrics[i][j])) {
                    throw new NonFiniteLossException(names.get(j), metrics[i][j], first + i);
                }
            }
        }
        return metrics[count - 1];
    }

    private DeviceBuffer own(DeviceBuffer buffer) {
        return buffer.replica(index);
    }

    private String arithmetic() {
        return context.kernels().device().arithmetic();
    }
}
