package plateau.train;

import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import plateau.autograd.Kernels;
import plateau.autograd.Workspace;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.cuda.Event;
import plateau.cuda.Profiler;
import plateau.cuda.ProfilerWindow;
import plateau.cuda.Replay;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.cuda.trace.Category;
import plateau.cuda.trace.Range;
import plateau.cuda.trace.Trace;
import plateau.experiment.Experiment;
import plateau.experiment.Plan;
import plateau.experiment.RunContext;

/**
 * One run of one experiment, or several that differ in nothing but their seeds, on a stream of its
 * own: plans all memory, captures a graph of several steps, replays it, and reads the metrics at
 * each log interval. Nothing else crosses the bus. Of several, each has a replica of all memory,
 * and a launch works on all of them. Trainers share nothing but the device and its loaded kernels,
 * so several may run at once, each on a thread on which the device is current.
 *
 * <p>The same experiment gives the same bits on the same device whatever the schedule, and whatever
 * runs beside it: evaluation draws from a random stream keyed by the step, and changes nothing that
 * training reads.
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

    private static final int PROFILE_REPETITIONS = 200;
    private static final int WATCHED_OPERATIONS = 200;

    private final Device device;
    private final List<Experiment> experiments;
    private final String name;
    private final Schedule schedule;
    private final Workspace workspace;
    private final Stream stream;
    private final Event trained;
    private final Event evaluated;
    private final RunContext context;
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
     * Who takes part with one run.
     *
     * @param listener sees its progress
     * @param checkpoints where it saves itself, and goes on from
     */
    public record Participant(RunListener listener, Checkpoints checkpoints) {}

    /**
     * How a run ended.
     *
     * @param result null where it failed or was stopped
     * @param failure null where it did not; a CancellationException after {@link #stop}
     */
    public record Outcome(RunResult result, Throwable failure) {}

    /**
     * Plans a run: allocates, warms up and captures.
     *
     * @throws plateau.cuda.CudaException if memory runs out or a launch is refused; nothing stays
     *     allocated
     */
    public Trainer(Kernels kernels, Experiment experiment, Options options) {
        this(kernels, List.of(experiment), options);
    }

    /**
     * Plans several runs at once, which differ in nothing but their seeds.
     *
     * @throws IllegalArgumentException if they do
     * @throws plateau.cuda.CudaException as for one
     */
    public Trainer(Kernels kernels, List<Experiment> experiments, Options options) {
        this(
                kernels,
                experiments,
                options,
                experiments.size() == 1 ? Shape.UNKNOWN : Shape.of(kernels, experiments.getFirst(), options));
    }

    /** @param shape of one of them alone; unknown where there is one */
    Trainer(Kernels kernels, List<Experiment> experiments, Options options, Shape shape) {
        long started = System.nanoTime();
        if (experiments.stream().map(Shape.Key::of).distinct().count() != 1) {
            throw new IllegalArgumentException("runs of one trainer are one experiment with the same options");
        }
        this.device = kernels.device();
        this.experiments = List.copyOf(experiments);
        this.schedule = options.schedule;
        this.workspace = experiments.size() == 1
                ? new Workspace(device)
                : new Workspace(device, experiments.size(), shape.content());
        this.name = name(this.experiments);
        try (Range _ = Trace.open(Category.SET_UP, name)) {
            this.stream = workspace.own(device.createStream(), Stream::close);
            stream.name(name);
            this.trained = workspace.own(device.createEvent(), Event::close);
            this.evaluated = workspace.own(device.createEvent(), Event::close);
            int unread = unread(options);
            List<Long> seeds = experiments.stream().map(Experiment::seed).toList();
            this.context = RunContext.of(kernels, workspace, seeds, unread);
            this.plan = experiments.getFirst().plan(context);
            this.initialise = Work.sequence("initialise", List.of(context.step().fill(0), plan.initialise()));
            this.trainingStep =
                    Work.sequence("step", List.of(plan.step(), kernels.counter().advance(context.step())));
            this.unroll = (int) Math.clamp(SECONDS_AT_ONCE / 2 / warmUp(), 1, options.unroll);
            try (Range _ = Trace.open(Category.CAPTURE, "training steps")) {
                this.training = workspace.own(
                        new Replay(stream, trainingStep, options.graph ? unroll : 0, unread), Replay::close);
            }
            try (Range _ = Trace.open(Category.CAPTURE, "evaluation")) {
                this.evaluation =
                        workspace.own(new Replay(stream, plan.evaluation(), options.graph ? 1 : 0, 1), Replay::close);
            }
        } catch (RuntimeException | Error e) {
            try (workspace) { // the cause stays the exception that is seen, whatever closing says
                throw e;
            }
        }
        this.setupSeconds = secondsSince(started);
    }

    private static String name(List<Experiment> experiments) {
        Experiment first = experiments.getFirst();
        String others = experiments.size() == 1 ? "" : " and %d more".formatted(experiments.size() - 1);
        return first.options().entrySet().stream()
                .filter(option -> option.getValue() != null)
                .map(option -> option.getKey() + " " + option.getValue())
                .collect(Collectors.joining(", ", first.name() + " ", ", seed " + first.seed() + others));
    }

    /** How many steps of training metrics are left unread at most. */
    static int unread(Options options) {
        return (int) Math.min(Math.min(options.schedule.logEvery(), options.schedule.steps()), MOST_UNREAD);
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
     * Lets the runs that are going on, or the next, end before their last step. May be called from
     * any thread.
     */
    public void stop() {
        stopped = true;
    }

    /** As {@link #run(RunListener, Checkpoints)}, without checkpoints. */
    public RunResult run(RunListener listener) {
        return run(listener, Checkpoints.NONE);
    }

    /**
     * Trains the only run from the first step, or the newest checkpoint, to the last; from where
     * does not show in the result. May be called again, with the same result.
     *
     * @throws NonFiniteLossException if a loss is NaN or infinite, with the step
     * @throws CancellationException after {@link #stop}
     * @throws IllegalStateException if there are checkpoints to go on from, but none that can be
     *     used
     */
    public RunResult run(RunListener listener, Checkpoints checkpoints) {
        Outcome outcome = run(List.of(new Participant(listener, checkpoints))).getFirst();
        switch (outcome.failure) {
            case null -> {
                return outcome.result;
            }
            case RuntimeException failure -> throw failure;
            case Error failure -> throw failure;
            default -> throw new AssertionError(outcome.failure);
        }
    }

    /**
     * Trains all runs, each as {@link #run(RunListener, Checkpoints)} does alone: one that fails
     * ends without the others. Those that go on from the same step do so together.
     *
     * @param participants of the runs, in order
     * @return how each ended
     */
    public List<Outcome> run(List<Participant> participants) {
        if (participants.size() != experiments.size()) {
            throw new IllegalArgumentException(
                    "%d runs have %d participants".formatted(experiments.size(), participants.size()));
        }
        List<Replica> replicas = IntStream.range(0, experiments.size())
                .mapToObj(i -> new Replica(i, experiments.get(i), schedule, context, plan, participants.get(i)))
                .toList();
        try (Range _ = Trace.open(Category.RUN, name)) {
            each(replicas, Replica::findCheckpoint);
            replicas.stream()
                    .filter(Replica::goesOn)
                    .collect(Collectors.groupingBy(Replica::done, TreeMap::new, Collectors.toList()))
                    .values()
                    .forEach(this::train);
        } finally {
            ProfilerWindow.leave(this);
        }
        return replicas.stream().map(Replica::outcome).toList();
    }

    /** Those that have done the same steps; what becomes of others' replicas is not looked at. */
    private void train(List<Replica> all) {
        try {
            initialise.enqueue(stream);
            stream.synchronize();
            each(all, Replica::start);
            List<Replica> left = all.stream().filter(Replica::goesOn).toList();
            long first = all.getFirst().done();
            long atOnce = unroll;
            while (!left.isEmpty() && left.getFirst().done() < schedule.steps()) {
                long done = left.getFirst().done();
                long nextLog = schedule.nextRow(done);
                long nextCheckpoint =
                        left.stream().mapToLong(Replica::nextCheckpoint).min().orElseThrow();
                long nextProfiled = ProfilerWindow.at(this, first, done, schedule.steps());
                int count = (int) Math.min(
                        Math.min(Math.min(nextLog, nextCheckpoint), nextProfiled) - done,
                        Math.min(plan.training().slots(), stream.isWatched() ? watchedAtOnce() : atOnce));
                boolean log = done + count == nextLog;
                long started = System.nanoTime();
                try (Range _ = Trace.open(Category.REPLAY, "steps", done, done + count - 1)) {
                    stream.fill(() -> training.enqueue(count));
                }
                stream.record(trained);
                if (log) {
                    try (Range _ = Trace.open(Category.EVALUATION, "evaluation")) {
                        evaluation.enqueue(1);
                    }
                }
                stream.record(evaluated);
                stream.synchronize();
                Replica.Pace pace = new Replica.Pace(
                        count,
                        plan.training().copy(),
                        log ? plan.test().copy() : null,
                        started,
                        evaluated.millisecondsSince(trained) / 1e3);
                each(left, replica -> replica.advance(pace));
                if (count == atOnce && secondsSince(started) < SECONDS_AT_ONCE / 2) {
                    atOnce *= 2;
                }
                boolean stop = stopped && done + count < schedule.steps();
                each(left, replica -> replica.pause(stop));
                left = left.stream().filter(Replica::goesOn).toList();
            }
            int launches = trainingStep.parts().size();
            each(left, replica -> replica.finish(setupSeconds, launches));
        } catch (RuntimeException | Error e) {
            all.stream().filter(Replica::goesOn).forEach(replica -> replica.fail(e));
        }
    }

    /** Steps that a stream can hold back while they are enqueued. */
    private long watchedAtOnce() {
        return Math.max(1, WATCHED_OPERATIONS / trainingStep.parts().size());
    }

    /** Of those that still go on; one that fails does so alone. */
    private static void each(List<Replica> replicas, Consumer<Replica> action) {
        for (Replica replica : replicas) {
            if (replica.goesOn()) {
                try {
                    action.accept(replica);
                } catch (RuntimeException | Error e) {
                    replica.fail(e);
                }
            }
        }
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

    /** The operations of a training step, in order; they may be run once more at any time. */
    public List<Work> operations() {
        return trainingStep.parts();
    }

    /** The values of all parameters, in the layout of their arena; of the first run. */
    public float[] parameters() {
        return parameters(0);
    }

    /** Likewise of any. */
    public float[] parameters(int run) {
        return plan.parameters().values().replica(run).toFloats();
    }

    /** Bytes of device memory that the runs hold. */
    public long bytes() {
        return workspace.bytes();
    }

    private static double secondsSince(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e9;
    }

    /** Releases the runs' memory, graphs and stream. */
    @Override
    public void close() {
        workspace.close();
    }
}
