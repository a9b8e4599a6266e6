package plateau.train;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.Releases;
import plateau.cuda.trace.Trace;
import plateau.experiment.Experiment;

/**
 * Runs that do not depend on each other, several at once, over one or several devices: in places,
 * each with a thread and a stream of its own, and in each place one run or, where they differ in
 * nothing but their seeds, several in one graph. What a run computes does not depend on which
 * others there are, nor on how many run at once.
 *
 * <p>A run starts when one of the places is free and its device has memory for it, judged by the
 * largest so far; one at a time always starts.
 */
public final class ParallelRuns {
    /** Of a device's free memory, what runs of one graph may take. */
    private static final double MEMORY_SHARE = 0.9;

    private final List<OnDevice> onDevices;
    private final int parallel;
    private final OptionalInt replicas;
    private volatile boolean stopped;

    /**
     * One run.
     *
     * @param experiment what is trained
     * @param options of the trainer
     * @param listener sees its progress, on the thread that trains
     * @param checkpoints where it saves itself, and goes on from
     */
    public record Run(Experiment experiment, Trainer.Options options, RunListener listener, Checkpoints checkpoints) {

        /** Without checkpoints. */
        public Run(Experiment experiment, Trainer.Options options, RunListener listener) {
            this(experiment, options, listener, Checkpoints.NONE);
        }
    }

    /**
     * Places for so many runs at once.
     *
     * @param devices the launchers of each device that takes part, in turn
     * @param parallel runs at once, over all devices
     * @throws IllegalArgumentException if there is no place
     */
    public ParallelRuns(List<Kernels> devices, int parallel) {
        this(devices, parallel, OptionalInt.empty());
    }

    /**
     * Likewise.
     *
     * @param replicas runs in one graph at most; empty: as many as fill the device, which of a CPU
     *     is one
     */
    public ParallelRuns(List<Kernels> devices, int parallel, OptionalInt replicas) {
        this(devices, parallel, replicas, Device::freeMemory);
    }

    ParallelRuns(List<Kernels> devices, int parallel, OptionalInt replicas, ToLongFunction<Device> freeMemory) {
        if (parallel < 1) {
            throw new IllegalArgumentException("parallel must be at least 1, not " + parallel);
        }
        this.replicas = replicas;
        this.onDevices = devices.stream()
                .map(kernels -> new OnDevice(kernels, freeMemory))
                .toList();
        this.parallel = parallel;
    }

    /**
     * Runs at once when nothing else is asked for: one per core. On the CPU driver, because runs
     * side by side use its cores better than one run that shares out its blocks; on a GPU, because
     * each run wants a thread that enqueues.
     */
    public static int defaultParallel(List<Kernels> devices) {
        return devices.getFirst().device().isCpu()
                ? devices.getFirst().device().multiprocessorCount()
                : Runtime.getRuntime().availableProcessors();
    }

    /**
     * Runs all of them and returns when the last has ended, each future done: with its result, with
     * what made it fail, or cancelled where {@link #stop} came first. A run that fails does not
     * keep the others from theirs.
     */
    public List<Future<RunResult>> run(List<Run> runs) {
        List<CompletableFuture<RunResult>> ends =
                runs.stream().map(_ -> new CompletableFuture<RunResult>()).toList();
        Waiting waiting = new Waiting(runs, ends);
        List<Thread> threads = IntStream.range(0, Math.min(parallel, runs.size()))
                .mapToObj(place -> Thread.ofPlatform().name("run-" + place).start(() -> {
                    Trace.nameThread(Thread.currentThread().getName());
                    onDevices.get(place % onDevices.size()).run(waiting);
                }))
                .toList();
        threads.forEach(this::join);
        return List.copyOf(ends);
    }

    /** Runs at once. */
    public int parallel() {
        return parallel;
    }

    /**
     * Ends the runs that have begun at their next chance, a second or so, and lets no other begin.
     */
    public void stop() {
        stopped = true;
        onDevices.forEach(OnDevice::stop);
    }

    private void join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
                stop();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** A run and where it is told how it ended. */
    private record Waited(Run run, CompletableFuture<RunResult> end) {
        void fail(Throwable cause) {
            if (cause instanceof CancellationException) {
                end.cancel(false);
            } else {
                end.completeExceptionally(cause);
            }
        }
    }

    /** The runs that have not begun, in order. */
    private static final class Waiting {
        private final Deque<Waited> left = new ArrayDeque<>();

        Waiting(List<Run> runs, List<CompletableFuture<RunResult>> ends) {
            IntStream.range(0, runs.size()).forEach(i -> left.add(new Waited(runs.get(i), ends.get(i))));
        }

        synchronized Optional<Run> first() {
            return Optional.ofNullable(left.peek()).map(Waited::run);
        }

        /** The next that differ in nothing but their seeds; none where all have begun. */
        synchronized List<Waited> take(int most) {
            List<Waited> taken = new ArrayList<>();
            while (!left.isEmpty()
                    && taken.size() < most
                    && (taken.isEmpty() || alike(taken.getFirst(), left.peek()))) {
                taken.add(left.remove());
            }
            return taken;
        }

        private static boolean alike(Waited a, Waited b) {
            return Shape.Key.of(a.run.experiment).equals(Shape.Key.of(b.run.experiment))
                    && a.run.options.equals(b.run.options);
        }
    }

    /** What runs on one device. */
    private final class OnDevice {
        private final Kernels kernels;
        private final ToLongFunction<Device> freeMemory;
        private final Set<Trainer> running = ConcurrentHashMap.newKeySet();
        private final Map<Shape.Key, Shape> shapes = new HashMap<>();
        private long largest;

        OnDevice(Kernels kernels, ToLongFunction<Device> freeMemory) {
            this.kernels = kernels;
            this.freeMemory = freeMemory;
        }

        /** One place: takes what is waiting until nothing is left. */
        void run(Waiting waiting) {
            for (Optional<Run> first = waiting.first(); first.isPresent(); first = waiting.first()) {
                int most = 1;
                try {
                    kernels.device().makeCurrent();
                    most = atOnce(first.get());
                } catch (Throwable e) { // the run that is taken meets it again, and tells
                    most = 1;
                }
                List<Waited> taken = waiting.take(most);
                if (!taken.isEmpty()) {
                    run(taken);
                }
            }
        }

        private void run(List<Waited> together) {
            List<Trainer.Outcome> outcomes = List.of();
            Throwable failure = null;
            try {
                kernels.device().makeCurrent();
                Trainer trainer = plan(together);
                try (Releases.Release _ = () -> release(trainer)) { // whose failure does not hide the run's
                    outcomes = trainer.run(together.stream()
                            .map(one -> new Trainer.Participant(one.run.listener, one.run.checkpoints))
                            .toList());
                }
            } catch (Throwable e) {
                failure = e;
            }
            for (int i = 0; i < together.size(); i++) {
                Waited one = together.get(i);
                Throwable own = outcomes.isEmpty() ? null : outcomes.get(i).failure();
                if (own != null) {
                    if (failure != null) {
                        own.addSuppressed(failure);
                    }
                    one.fail(own);
                } else if (failure != null) {
                    one.fail(failure);
                    if (!(failure instanceof CancellationException)) {
                        one.run.listener.onFailure(failure);
                    }
                } else {
                    one.end.complete(outcomes.get(i).result());
                }
            }
        }

        /** Of runs like this one, how many share a graph. */
        private synchronized int atOnce(Run run) {
            if (replicas.isPresent()
                    ? replicas.getAsInt() == 1
                    : kernels.device().isCpu()) {
                return 1;
            }
            Shape shape = shapes.computeIfAbsent(
                    Shape.Key.of(run.experiment), _ -> Shape.of(kernels, run.experiment, run.options));
            long memory = (long) (MEMORY_SHARE * freeMemory.applyAsLong(kernels.device()));
            return replicas.isPresent()
                    ? shape.most(replicas.getAsInt(), memory)
                    : shape.fill(kernels.device(), memory);
        }

        /** Plans one after the other, so that each sees the memory that is left. */
        private synchronized Trainer plan(List<Waited> together) throws InterruptedException {
            while (!stopped && !running.isEmpty() && freeMemory.applyAsLong(kernels.device()) < largest) {
                wait();
            }
            if (stopped) {
                throw new CancellationException("stopped before it began");
            }
            together.forEach(one -> one.run.listener.onPlan(kernels));
            Run first = together.getFirst().run;
            Trainer trainer = new Trainer(
                    kernels,
                    together.stream().map(one -> one.run.experiment).toList(),
                    first.options,
                    together.size() == 1 ? Shape.UNKNOWN : shapes.get(Shape.Key.of(first.experiment)));
            running.add(trainer);
            if (stopped) {
                trainer.stop();
            }
            largest = Math.max(largest, trainer.bytes());
            return trainer;
        }

        /** Not under the lock: giving memory back waits for whatever else the device does. */
        private void release(Trainer trainer) {
            try {
                trainer.close();
            } finally {
                synchronized (this) {
                    running.remove(trainer);
                    notifyAll();
                }
            }
        }

        /** Those that are running, at once: another that is being planned holds the lock. */
        void stop() {
            running.forEach(Trainer::stop);
            synchronized (this) {
                notifyAll();
            }
        }
    }
}
