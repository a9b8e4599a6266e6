package plateau.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private static final int PROFILE_REPETITIONS = 200;

    private final Device device;
    private final Experiment experiment;
    private final Options options;
    private final Workspace workspace;
    private final Stream stream;
    private final Event trained;
    private final Event evaluated;
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
            DeviceBuffer step = workspace.words(1);
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

    /** Plans a run, runs it, and releases all it took. */
    public static RunResult run(Device device, Kernels kernels, Experiment experiment, Options options, RunListener listener) {
        try (Trainer trainer = new Trainer(device, kernels, experiment, options)) {
            return trainer.run(listener);
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

    /**
     * Trains from the first step to the last. May be called again, with the same result.
     *
     * @throws NonFiniteLossException if a loss is NaN or infinite, with the step and the rows so far
     * @throws CancellationException after {@link #stop}
     */
    public RunResult run(RunListener listener) {
        listener.onStart();
        initialise.enqueue(stream);
        stream.synchronize();
        List<LogRow> history = new ArrayList<>();
        long started = System.nanoTime();
        double evaluationSeconds = 0;
        long atOnce = unroll;
        for (long done = 0; done < options.steps; ) {
            long nextLog = Math.min((done / options.logEvery + 1) * options.logEvery, options.steps);
            int count = (int) Math.min(nextLog - done, Math.min(plan.training().slots(), atOnce));
            boolean log = done + count == nextLog;
            long enqueued = System.nanoTime();
            training.enqueue(count);
            stream.record(trained);
            evaluation.enqueue(log ? 1 : 0);
            stream.record(evaluated);
            stream.synchronize();
            evaluationSeconds += evaluated.millisecondsSince(trained) / 1e3;
            double[] batch = read(plan.training(), done, count, history);
            done += count;
            if (count == atOnce && secondsSince(enqueued) < SECONDS_AT_ONCE / 2) {
                atOnce *= 2;
            }
            if (log) {
                LogRow row = LogRow.of(done, read(plan.test(), done, 1, history), batch);
                history.add(row);
                listener.onLog(row);
                if (!plan.curves().isEmpty()) {
                    listener.onCurves(done, curves());
                }
            }
            listener.onSteps(done);
            if (stopped && done < options.steps) {
                throw new CancellationException("stopped after %d of %d steps".formatted(done, options.steps));
            }
        }
        RunResult result = result(secondsSince(started), evaluationSeconds, history);
        listener.onFinish(result);
        return result;
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

    private Map<String, float[]> curves() {
        Map<String, float[]> read = new LinkedHashMap<>();
        plan.curves().forEach((name, values) -> read.put(name, values.toFloats()));
        return read;
    }

    private RunResult result(double seconds, double evaluationSeconds, List<LogRow> history) {
        String version = Optional.ofNullable(Trainer.class.getPackage().getImplementationVersion()).orElse("development");
        return new RunResult(
                experiment.name(),
                experiment.options(),
                options,
                experiment.seed(),
                device.description(),
                Map.of("plateau", version, "java", Runtime.version().toString()),
                setupSeconds,
                seconds,
                options.steps / (seconds - evaluationSeconds),
                options.steps / seconds,
                trainingStep.parts().size(),
                experiment.metrics(),
                history);
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
