package plateau.train;

import plateau.results.Safetensors;
import plateau.results.LogRow;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import plateau.autograd.Kernels;
import plateau.autograd.Workspace;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Event;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.experiment.Experiment;
import plateau.experiment.Plan;
import plateau.experiment.Ring;
import plateau.results.Safetensors.Array;

/**
 * One run of one experiment on a stream of its own: plans all memory, captures a graph of several steps, replays it, and reads the metrics at each log
 * interval. Nothing else crosses the bus. Trainers share nothing but the device and its loaded kernels, so several may run at once, each on a thread on
 * which the device is current.
 *
 * <p>The same experiment gives the same bits on the same device whatever the schedule: evaluation draws from a random stream keyed by the step, and
 * changes nothing that training reads.
 */
public final class Trainer implements AutoCloseable {
    /** Steps after which training metrics are looked at, even where nothing is logged for longer. */
    private static final int MOST_UNREAD = 4096;

    /** Steps are enqueued for about as long as this at once, so that a run shows its progress and can be stopped. */
    private static final double SECONDS_AT_ONCE = 0.5;

    private static final String STATE = "state/";
    static final String LEARNT = "learnt/";

    private static final int PROFILE_REPETITIONS = 200;

    private final Device device;
    private final Experiment experiment;
    private final Options options;
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
     * The schedule of a run.
     *
     * @param steps of training
     * @param logEvery steps between evaluations; the last step is always followed by one
     * @param unroll training steps per captured graph, fewer where they take long; unused without graphs
     * @param graph false: enqueue every operation of every step from Java, with the same bits
     */
    public record Options(long steps, long logEvery, int unroll, boolean graph) {
        /** Steps per graph when nothing else is asked for: from here on the fixed cost of a replay no longer shows, even at parity's 5 µs a step. */
        public static final int DEFAULT_UNROLL = 64;

        /** Graphs, unrolled as usual. */
        public static Options of(long steps, long logEvery) {
            return new Options(steps, logEvery, DEFAULT_UNROLL, true);
        }

        /** @throws IllegalArgumentException with one line on the first option that is out of range */
        public Options {
            if (steps < 1 || steps > 0xFFFF_FFFFL) {
                throw new IllegalArgumentException("steps must be between 1 and 4294967295, not " + steps);
            }
            if (logEvery < 1) {
                throw new IllegalArgumentException("log-every must be at least 1, not " + logEvery);
            }
            if (unroll < 1 || unroll > 4096) {
                throw new IllegalArgumentException("unroll must be between 1 and 4096, not " + unroll);
            }
        }
    }

    /**
     * Plans a run: allocates, warms up and captures.
     *
     * @throws plateau.cuda.CudaException if memory runs out or a launch is refused; nothing stays allocated
     */
    public Trainer(Device device, Kernels kernels, Experiment experiment, Options options) {
        long started = System.nanoTime();
        this.device = device;
        this.experiment = experiment;
        this.options = options;
        this.workspace = new Workspace(device);
        try {
            this.stream = workspace.own(device.createStream(), Stream::close);
            this.trained = workspace.own(device.createEvent(), Event::close);
            this.evaluated = workspace.own(device.createEvent(), Event::close);
            int unread = (int) Math.min(Math.min(options.logEvery, options.steps), MOST_UNREAD);
            this.step = workspace.words(1);
            this.plan = experiment.plan(kernels, workspace, step, unread);
            this.initialise = Work.sequence("initialise", List.of(step.fill(0), plan.initialise()));
            this.trainingStep = Work.sequence("step", List.of(plan.step(), kernels.counter().advance(step)));
            this.unroll = (int) Math.clamp(SECONDS_AT_ONCE / 2 / warmUp(), 1, options.unroll);
            this.training = workspace.own(new Replay(stream, trainingStep, options.graph ? unroll : 0), Replay::close);
            this.evaluation = workspace.own(new Replay(stream, plan.evaluation(), options.graph ? 1 : 0), Replay::close);
            training.prepare(unread);
            evaluation.prepare(1);
        } catch (RuntimeException | Error e) {
            try (workspace) { // the cause stays the exception that is seen, whatever closing says
                throw e;
            }
        }
        this.setupSeconds = secondsSince(started);
    }

    /** As {@link #run(Device, Kernels, Experiment, Options, RunListener, Checkpoints)}, without checkpoints. */
    public static RunResult run(Device device, Kernels kernels, Experiment experiment, Options options, RunListener listener) {
        return run(device, kernels, experiment, options, listener, Checkpoints.NONE);
    }

    /** Plans a run, runs it, and releases all it took. */
    public static RunResult run(Device device, Kernels kernels, Experiment experiment, Options options, RunListener listener, Checkpoints checkpoints) {
        try (Trainer trainer = new Trainer(device, kernels, experiment, options)) {
            return trainer.run(listener, checkpoints);
        }
    }

    /** An eager step and evaluation before any capture: libraries allocate on first use, which a capture may not see. Returns the seconds that another step takes. */
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

    /** Lets the run that is going on, or the next, end before its last step. May be called from any thread. */
    public void stop() {
        stopped = true;
    }

    /** As {@link #run(RunListener, Checkpoints)}, without checkpoints. */
    public RunResult run(RunListener listener) {
        return run(listener, Checkpoints.NONE);
    }

    /**
     * Trains from the first step, or the newest checkpoint, to the last; from where does not show in the result. May be called again, with the same result.
     *
     * @throws NonFiniteLossException if a loss is NaN or infinite, with the step and the rows so far
     * @throws CancellationException after {@link #stop}
     * @throws IllegalStateException if there are checkpoints to go on from, but none that can be used
     */
    public RunResult run(RunListener listener, Checkpoints checkpoints) {
        initialise.enqueue(stream);
        stream.synchronize();
        Course course = checkpoints.newest(identity(), device.name()).map(this::resume).orElseGet(Course::new);
        listener.onStart(course.done());
        course.replay(listener);
        long atOnce = unroll;
        while (course.done() < options.steps) {
            long done = course.done();
            long nextLog = Math.min((done / options.logEvery + 1) * options.logEvery, options.steps);
            long nextCheckpoint = checkpoints.next(done, options.steps);
            int count = (int) Math.min(Math.min(nextLog, nextCheckpoint) - done, Math.min(plan.training().slots(), atOnce));
            boolean log = done + count == nextLog;
            long started = System.nanoTime();
            training.enqueue(count);
            stream.record(trained);
            evaluation.enqueue(log ? 1 : 0);
            stream.record(evaluated);
            stream.synchronize();
            double[] batch = read(plan.training(), done, count, course.rows());
            LogRow row = log ? LogRow.of(nextLog, read(plan.test(), nextLog, 1, course.rows()), batch) : null;
            course.advance(count, secondsSince(started), evaluated.millisecondsSince(trained) / 1e3);
            if (count == atOnce && secondsSince(started) < SECONDS_AT_ONCE / 2) {
                atOnce *= 2;
            }
            if (log) {
                log(row, course, listener);
            }
            listener.onSteps(course.done());
            boolean stop = stopped && course.done() < options.steps;
            if (stop || course.done() == nextCheckpoint) {
                save(course, checkpoints);
            }
            if (stop) {
                throw new CancellationException("stopped after %d of %d steps".formatted(course.done(), options.steps));
            }
        }
        RunResult result = result(course);
        listener.onFinish(result);
        return result;
    }

    private void log(LogRow row, Course course, RunListener listener) {
        course.log(row);
        listener.onLog(row);
        if (!plan.curves().isEmpty() && listener.wantsCurves(row.step())) {
            Map<String, float[]> learnt = new LinkedHashMap<>();
            plan.curves().forEach((name, values) -> learnt.put(name, values.toFloats()));
            course.keep(learnt);
            listener.onCurves(row.step(), learnt);
        }
    }

    /** What a checkpoint must be of: everything that decides a row, by name. */
    private Map<String, String> identity() {
        Map<String, String> identity = new LinkedHashMap<>();
        identity.put("experiment", experiment.name());
        for (RecordComponent component : experiment.options().getClass().getRecordComponents()) {
            try {
                identity.put(component.getName(), String.valueOf(component.getAccessor().invoke(experiment.options())));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
        identity.put("steps", Long.toString(options.steps));
        identity.put("log_every", Long.toString(options.logEvery));
        return identity;
    }

    private void save(Course course, Checkpoints checkpoints) {
        if (checkpoints == Checkpoints.NONE) {
            return;
        }
        SequencedMap<String, Array> arrays = new LinkedHashMap<>();
        plan.parameters().parts().forEach((name, tensor) -> arrays.put(name, Array.floats(tensor.shape().sizes(), tensor.values().toInts())));
        plan.state().forEach((name, words) -> arrays.put(STATE + name, Array.of(List.of((int) (words.bytes() / Integer.BYTES)), words.toInts())));
        if (course.done() == options.steps) {
            plan.learnt().forEach((name, tensor) -> arrays.put(LEARNT + name, Array.floats(tensor.shape().sizes(), tensor.values().toInts())));
        }
        course.save(arrays);
        Map<String, String> metadata = new LinkedHashMap<>();
        course.describe(metadata);
        Saved.describe(experiment.metrics(), metadata);
        checkpoints.save(new Safetensors(metadata, arrays), identity(), device.name());
    }

    private Course resume(Safetensors saved) {
        plan.parameters().parts().forEach((name, tensor) -> tensor.values().upload(saved.arrays().get(name).toInts()));
        plan.state().forEach((name, words) -> words.upload(saved.arrays().get(STATE + name).toInts()));
        Course course = Course.read(saved);
        step.upload((int) course.done());
        return course;
    }

    /** The metrics of the last of these steps, once all of them are seen to be finite. */
    private static double[] read(Ring ring, long first, int count, List<LogRow> history) {
        double[][] metrics = ring.read(first, count);
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < ring.names().size(); j++) {
                if (!Double.isFinite(metrics[i][j])) {
                    throw new NonFiniteLossException(ring.names().get(j), metrics[i][j], first + i, history);
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

    /** Times each operation of a training step, in order: the median of several graphs that hold nothing else. Training starts anew at the next run. */
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
    long bytes() {
        return workspace.bytes();
    }

    private RunResult result(Course course) {
        String version = Optional.ofNullable(Trainer.class.getPackage().getImplementationVersion()).orElse("development");
        return new RunResult(
                experiment.name(),
                experiment.options(),
                options,
                experiment.seed(),
                device.description(),
                Map.of("plateau", version, "java", Runtime.version().toString()),
                setupSeconds,
                course.seconds(),
                options.steps / (course.seconds() - course.evaluationSeconds()),
                options.steps / course.seconds(),
                trainingStep.parts().size(),
                experiment.metrics(),
                course.rows());
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
