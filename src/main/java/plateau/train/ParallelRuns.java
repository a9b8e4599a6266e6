package plateau.train;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.Releases;
import plateau.cuda.trace.Trace;
import plateau.experiment.Experiment;

/**
 * Runs that do not depend on each other, several at once, each on a thread and a stream of its own,
 * over one or several devices. What a run computes does not depend on which others there are, nor
 * on how many run at once.
 *
 * <p>A run starts when one of the places is free and its device has memory for it, judged by the
 * largest run so far; one at a time always starts.
 */
public final class ParallelRuns {
    private final List<OnDevice> onDevices;
    private final int parallel;
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
        this(devices, parallel, Device::freeMemory);
    }

    ParallelRuns(List<Kernels> devices, int parallel, ToLongFunction<Device> freeMemory) {
        if (parallel < 1) {
            throw new IllegalArgumentException("parallel must be at least 1, not " + parallel);
        }
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
        AtomicInteger next = new AtomicInteger();
        List<Thread> threads = IntStream.range(0, Math.min(parallel, runs.size()))
                .mapToObj(place -> Thread.ofPlatform().name("run-" + place).start(() -> {
                    Trace.nameThread(Thread.currentThread().getName());
                    OnDevice device = onDevices.get(place % onDevices.size());
                    for (int i; (i = next.getAndIncrement()) < runs.size(); ) {
                        device.run(runs.get(i), ends.get(i));
                    }
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

    /** What runs on one device. */
    private final class OnDevice {
        private final Kernels kernels;
        private final ToLongFunction<Device> freeMemory;
        private final Set<Trainer> running = ConcurrentHashMap.newKeySet();
        private long largest;

        OnDevice(Kernels kernels, ToLongFunction<Device> freeMemory) {
            this.kernels = kernels;
            this.freeMemory = freeMemory;
        }

        void run(Run run, CompletableFuture<RunResult> end) {
            try {
                kernels.device().makeCurrent();
                Trainer trainer = plan(run);
                RunResult result;
                try (Releases.Release _ = () -> release(trainer)) { // whose failure does not hide the run's
                    result = trainer.run(run.listener, run.checkpoints);
                }
                end.complete(result);
            } catch (CancellationException e) {
                end.cancel(false);
            } catch (Throwable e) {
                end.completeExceptionally(e);
                run.listener.onFailure(e);
            }
        }

        /** Plans one run after the other, so that each sees the memory that is left. */
        private synchronized Trainer plan(Run run) throws InterruptedException {
            while (!stopped && !running.isEmpty() && freeMemory.applyAsLong(kernels.device()) < largest) {
                wait();
            }
            if (stopped) {
                throw new CancellationException("stopped before it began");
            }
            run.listener.onPlan(kernels);
            Trainer trainer = new Trainer(kernels, run.experiment, run.options);
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
