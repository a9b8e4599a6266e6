package plateau.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import plateau.autograd.Kernels;
import plateau.autograd.Workspace;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Event;
import plateau.cuda.Profiler;
import plateau.cuda.Replay;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.experiment.Experiment;
import plateau.experiment.Plan;
import plateau.experiment.Ring;
import plateau.experiment.RunContext;
import plateau.results.LogRow;
import plateau.results.Safetensors.Array;

/**
 * One run of one experiment on a stream of its own: plans all memory, captures a graph of several
 * steps, replays it, and reads the metrics at each log interval. Nothing else crosses the bus.
 * Trainers share nothing but the device and its loaded kernels, so several may run at once, each on
 * a thread on which the device is current.
 *
 * <p>The same experiment gives the same bits on the same device whatever the schedule: evaluation
 * draws from a random stream keyed by the step, and changes nothing that training reads.
 */
public final class Trainer implements AutoCloseable {
    /**
     * Steps after which training metrics are looked at, even where nothing is logged for longer.
     */
    private static final int MOST_UNREAD = 4096;

    /**
     * Steps are enqueued for about as long as this at once, so that a run shows its progress and
     * can be stopped.
     */
    private static final double SECONDS_AT_ONCE = 0.5;

    private static final String STATE = "state/";

    private static final int PROFILE_REPETITIONS = 200;

    private final Device device;
    private final Experiment experiment;
    private final Options options;
    private final Schedule schedule;
    private final Workspace workspace;
    private final Stream stream;
    private final Event trained;
    private final Event evaluated;
    private final DeviceBuffer step;
    private final Plan plan;
    private final Work initialise;
    private final Work trainingStep;
    private final int unroll;
    private final Replay training;
    private final Replay evaluation;
    private final double setupSeconds;
    private volatile boolean stopped;

    /**
     * How a run is trained.
     *
     * @param schedule how long, and how often it is looked at
     * @param unroll training steps per captured graph, fewer where they take long; unused without
     *     graphs
     * @param graph false: enqueue every operation of every step from Java, with the same bits
     */
    public record Options(Schedule schedule, int unroll, boolean graph) {
        /**
         * Steps per graph when nothing else is asked for: from here on the fixed cost of a replay
         * no longer shows, even at parity's 5 µs a step.
         */
        public static final int DEFAULT_UNROLL = 64;

        /** Steps per graph at most. */
        public static final int MOST_UNROLLED = 4096;

        /** Graphs, unrolled as usual. */
        public static Options of(long steps, long logEvery) {
            return new Options(new Schedule(steps, logEvery), DEFAULT_UNROLL, true);
        }

        /** @throws IllegalArgumentException with one line, if {@code unroll} is out of range */
        public Options {
            if (unroll < 1 || unroll > MOST_UNROLLED) {
                throw new IllegalArgumentException(
                        "unroll must be between 1 and %d, not %d".formatted(MOST_UNROLLED, unroll));
            }
        }
    }

    /**
     * Plans a run: allocates, warms up and captures.
     *
     * @throws plateau.cuda.CudaException if memory runs out or a launch is refused; nothing stays
     *     allocated
     */
    public Trainer(Kernels kernels, Experiment experiment, Options options) {
        long started = System.nanoTime();
        this.device = kernels.device();
        this.experiment = experiment;
        this.options = options;
        this.schedule = options.schedule;
        this.workspace = new Workspace(device);
        try {
            this.stream = workspace.own(device.createStream(), Stream::close);
            this.trained = workspace.own(device.createEvent(), Event::close);
            this.evaluated = workspace.own(device.createEvent(), Event::close);
            int unread = (int) Math.min(Math.min(schedule.logEvery(), schedule.steps()), MOST_UNREAD);
            this.step = workspace.words(1);
            this.plan = experiment.plan(new RunContext(kernels, workspace, step, unread));
            this.initialise = Work.sequence("initialise", List.of(step.fill(0), plan.initialise()));
            this.trainingStep =
                    Work.sequence("step", List.of(plan.step(), kernels.counter().advance(step)));
            this.unroll = (int) Math.clamp(SECONDS_AT_ONCE / 2 / warmUp(), 1, options.unroll);
            this.training =
                    workspace.own(new Replay(stream, trainingStep, options.graph ? unroll : 0, unread), Replay::close);
            this.evaluation =
                    workspace.own(new Replay(stream, plan.evaluation(), options.graph ? 1 : 0, 1), Replay::close);
        } catch (RuntimeException | Error e) {
            try (workspace) { // the cause stays the exception that is seen, whatever closing says
                throw e;
            }
        }
        this.setupSeconds = secondsSince(started);
    }

    /** Plans a run, runs it, and releases all it took. */
    public static RunResult run(Kernels kernels, Experiment experiment, Options options, RunListener listener) {
        try (Trainer trainer = new Trainer(kernels, experiment, options)) {
            return trainer.run(listener, Checkpoints.NONE);
        }
    }

    /**
     * An eager step and evaluation before any capture: libraries allocate on first use, which a
     * capture may not see. Returns the seconds that another step takes.
     */
    private double warmUp() {
        initialise.enqueue(stream);
        trainingStep.enqueue(stream);
        plan.evaluation().enqueue(stream);
        stream.synchronize();
        long started = System.nanoTime();
        trainingStep.enqueue(stream);
        stream.synchronize();
        return secondsSince(started);
    }

    /**
     * Lets the run that is going on, or the next, end before its last step. May be called from any
     * thread.
     */
    public void stop() {
        stopped = true;
    }

    /** As {@link #run(RunListener, Checkpoints)}, without checkpoints. */
    public RunResult run(RunListener listener) {
        return run(listener, Checkpoints.NONE);
    }

    /**
     * Trains from the first step, or the newest checkpoint, to the last; from where does not show
     * in the result. May be called again, with the same result.
     *
     * @throws NonFiniteLossException if a loss is NaN or infinite, with the step
     * @throws CancellationException after {@link #stop}
     * @throws IllegalStateException if there are checkpoints to go on from, but none that can be
     *     used
     */
    public RunResult run(RunListener listener, Checkpoints checkpoints) {
        initialise.enqueue(stream);
        stream.synchronize();
        Progress progress = checkpoints
                .newest(identity(), schedule.steps(), arrays(true), device.arithmetic())
                .map(this::resume)
                .orElseGet(Progress::new);
        listener.onStart(progress.done);
        long atOnce = unroll;
        while (progress.done < schedule.steps()) {
            long done = progress.done;
            long nextLog = schedule.nextRow(done);
            long nextCheckpoint = checkpoints.next(done, schedule.steps());
            int count = (int) Math.min(
                    Math.min(nextLog, nextCheckpoint) - done,
                    Math.min(plan.training().slots(), atOnce));
            boolean log = done + count == nextLog;
            long started = System.nanoTime();
            training.enqueue(count);
            stream.record(trained);
            evaluation.enqueue(log ? 1 : 0);
            stream.record(evaluated);
            stream.synchronize();
            double[] batch = read(plan.training(), done, count);
            double[] tested = log ? read(plan.test(), nextLog, 1) : null;
            progress.advance(count, secondsSince(started), evaluated.millisecondsSince(trained) / 1e3);
            if (count == atOnce && secondsSince(started) < SECONDS_AT_ONCE / 2) {
                atOnce *= 2;
            }
            if (log) {
                progress.last = LogRow.of(nextLog, tested, batch);
                log(progress.last, listener);
            }
            listener.onSteps(progress.done);
            boolean stop = stopped && progress.done < schedule.steps();
            if (stop || progress.done == nextCheckpoint) {
                save(progress, listener, checkpoints);
            }
            if (stop) {
                throw new CancellationException(
                        "stopped after %d of %d steps".formatted(progress.done, schedule.steps()));
            }
        }
        RunResult result = new RunResult(
                setupSeconds,
                progress.seconds,
                schedule.steps() / (progress.seconds - progress.evaluationSeconds),
                schedule.steps() / progress.seconds,
                trainingStep.parts().size(),
                progress.last);
        listener.onFinish(result);
        return result;
    }

    /** How far a run has come, in this process and those before it. */
    private static final class Progress {
        private long done;
        private double seconds;
        private double evaluationSeconds;
        private LogRow last;

        void advance(long steps, double spent, double spentOnEvaluation) {
            done += steps;
            seconds += spent;
            evaluationSeconds += spentOnEvaluation;
        }
    }

    private void log(LogRow row, RunListener listener) {
        listener.onLog(row);
        if (!plan.curves().isEmpty() && listener.wantsCurves(row.step())) {
            Map<String, float[]> learnt = new LinkedHashMap<>();
            plan.curves().forEach((name, values) -> learnt.put(name, values.toFloats()));
            listener.onCurves(row.step(), learnt);
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
                                        : tensor.values().toInts())));
        plan.state()
                .forEach((name, words) -> arrays.put(
                        STATE + name,
                        Array.of(
                                List.of((int) (words.bytes() / Integer.BYTES)),
                                layout ? new int[(int) (words.bytes() / Integer.BYTES)] : words.toInts())));
        return arrays;
    }

    private void save(Progress progress, RunListener listener, Checkpoints checkpoints) {
        if (checkpoints == Checkpoints.NONE) {
            return;
        }
        try {
            listener.onCheckpoint();
            checkpoints.save(
                    new Checkpoints.Saved(progress.done, progress.seconds, progress.evaluationSeconds, saved(progress)),
                    identity(),
                    device.arithmetic());
        } finally {
            listener.onCheckpointEnd();
        }
    }

    /** All that the run goes on with, and what it has learnt where this is its end. */
    private SequencedMap<String, Array> saved(Progress progress) {
        SequencedMap<String, Array> arrays = arrays(false);
        if (progress.done == schedule.steps()) {
            plan.learnt()
                    .forEach((name, tensor) -> arrays.put(
                            Checkpoints.LEARNT + name,
                            Array.floats(tensor.shape().sizes(), tensor.values().toInts())));
        }
        return arrays;
    }

    private Progress resume(Checkpoints.Saved saved) {
        plan.parameters()
                .parts()
                .forEach((name, tensor) ->
                        tensor.values().upload(saved.arrays().get(name).toInts()));
        plan.state()
                .forEach((name, words) ->
                        words.upload(saved.arrays().get(STATE + name).toInts()));
        step.upload((int) saved.step());
        Progress progress = new Progress();
        progress.advance(saved.step(), saved.seconds(), saved.evaluationSeconds());
        return progress;
    }

    /** The metrics of the last of these steps, once all of them are seen to be finite. */
    private static double[] read(Ring ring, long first, int count) {
        double[][] metrics = ring.read(first, count);
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < ring.names().size(); j++) {
                if (!Double.isFinite(metrics[i][j])) {
                    throw new NonFiniteLossException(ring.names().get(j), metrics[i][j], first + i);
                }
            }
        }
        return metrics[count - 1];
    }

    /**
     * The time one operation of a training step takes when it is replayed alone.
     *
     * @param name of the operation
     * @param nanoseconds of device time
     * @param cost what it has to do at the least
     */
    public record Timing(String name, double nanoseconds, Cost cost) {}

    /**
     * Times each operation of a training step, in order: the median of several graphs that hold
     * nothing else. Training starts anew at the next run.
     */
    public List<Timing> profile() {
        return trainingStep.parts().stream().map(this::time).toList();
    }

    private Timing time(Work part) {
        double[] samples = Profiler.nanoseconds(device, part, PROFILE_REPETITIONS);
        return new Timing(part.name(), samples[samples.length / 2], part.cost());
    }

    /** The values of all parameters, in the layout of their arena. */
    public float[] parameters() {
        return plan.parameters().values().toFloats();
    }

    /** Bytes of device memory that the run holds. */
    public long bytes() {
        return workspace.bytes();
    }

    private static double secondsSince(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e9;
    }

    /** Releases the run's memory, graphs and stream. */
    @Override
    public void close() {
        workspace.close();
    }
}
