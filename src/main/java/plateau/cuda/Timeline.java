package plateau.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import plateau.cuda.trace.Range;
import plateau.cuda.trace.Recording;
import plateau.cuda.trace.Trace;

/**
 * What ran on the devices of this process, and when, by the devices' own clocks: an event before
 * and after each operation that is enqueued eagerly while it is open. What a graph replays is one
 * operation. Of a device it is whole once the device has been closed.
 */
public final class Timeline {
    private static final double LEAST_HOLD = 3e6;
    private static final double FIRST_HOLD = 3e7;
    private static final double LONGEST_HOLD = 1e8;

    private static volatile Timeline current;

    private final int most;
    private final AtomicInteger taken = new AtomicInteger();
    private final List<Operation> operations = new ArrayList<>();
    private final List<Lane> lanes = new ArrayList<>();
    private final Map<Device, Gate> gates = new HashMap<>();
    private volatile boolean open;

    /**
     * An operation that ran.
     *
     * @param name of the kernel, or of what else it is
     * @param stream on which it ran, by its name
     * @param grid of a kernel
     * @param threads in a kernel's block, else 0
     * @param cost what it has to do at the least
     * @param begin nanoseconds, by {@link System#nanoTime}
     * @param nanoseconds that it took on the device
     * @param range the innermost in which it was enqueued, or null
     */
    public record Operation(
            String name,
            String stream,
            Optional<Dim> grid,
            int threads,
            Cost cost,
            double begin,
            double nanoseconds,
            Range range) {}

    private Timeline(int most, boolean open) {
        this.most = most;
        this.open = open;
    }

    /**
     * Begins one, for devices that are opened from now on.
     *
     * @param most operations that it takes down; those that follow are left out
     * @param open whether it takes down what is enqueued from now on, else from {@link
     *     ProfilerWindow} on
     */
    public static Timeline start(int most, boolean open) {
        current = new Timeline(most, open);
        return current;
    }

    /** Ends it, for devices that are opened from now on. */
    public static void stop() {
        current = null;
    }

    /** That of this process, or null. */
    static Timeline current() {
        return current;
    }

    /** Opens or closes it; what there is stays. */
    void setOpen(boolean takes) {
        open = takes;
    }

    /** In the order in which each stream ran them. */
    public synchronized List<Operation> operations() {
        return List.copyOf(operations);
    }

    /** Whether there were more operations than it takes down. */
    public boolean isFull() {
        return taken.get() >= most;
    }

    /** For a stream that has been made. */
    synchronized Lane lane(Stream stream) {
        Lane lane = new Lane(stream);
        lanes.add(lane);
        return lane;
    }

    /** Reads what the device did, and gives its events back. All that it did has ended. */
    synchronized void read(Device device) {
        List<Runnable> all = new ArrayList<>();
        for (Lane lane : List.copyOf(lanes)) {
            if (lane.stream.device() == device) {
                all.add(lane::read);
                all.add(lane::close);
                lanes.remove(lane);
            }
        }
        Gate gate = gates.remove(device);
        if (gate != null) {
            all.add(gate::close);
        }
        Releases.all(all);
    }

    private synchronized Gate gate(Device device) {
        return gates.computeIfAbsent(device, Gate::new);
    }

    /**
     * Lets a stream wait for so many nanoseconds while it is filled: what a device has to wait for
     * until the host enqueues it would look longer than it is. It waits for a stream that fills
     * memory meanwhile.
     */
    private static final class Gate {
        private static final long BYTES = 16 << 20;
        private static final int MOST_FILLS = 2_000;
        private static final int FILLS_TO_MEASURE = 5;

        private final Stream stream;
        private final DeviceBuffer memory;
        private final Event filled;
        private final Work fill;
        private final double nanosecondsOfFill;

        private Gate(Device device) {
            stream = Stream.uncounted(device);
            memory = device.allocate(BYTES);
            filled = device.createEvent();
            fill = memory.fill(0);
            double fastest = Double.POSITIVE_INFINITY;
            for (int i = 0; i < FILLS_TO_MEASURE; i++) {
                long started = System.nanoTime();
                fill.enqueue(stream);
                stream.synchronize();
                fastest = Math.min(fastest, System.nanoTime() - started);
            }
            nanosecondsOfFill = fastest;
        }

        synchronized void hold(Stream held, double nanoseconds) {
            int fills = (int) Math.clamp(nanoseconds / nanosecondsOfFill, 1, MOST_FILLS);
            for (int i = 0; i < fills; i++) {
                fill.enqueue(stream);
            }
            stream.record(filled);
            held.await(filled);
        }

        boolean isOpen() {
            return stream.query();
        }

        void close() {
            Releases.all(List.of(filled::close, memory::close, stream::close));
        }
    }

    /** An operation that has been enqueued. */
    private record Enqueued(Work work, Event begun, Event ended, Range range) {}

    /** What is enqueued on a stream. It is used by one thread at a time, as a stream is. */
    final class Lane {
        private final Stream stream;
        private final List<Enqueued> enqueued = new ArrayList<>();
        private String name = "stream";
        private Event first;
        private long firstNanoseconds;
        private Event begun;
        private double hold = FIRST_HOLD;

        private Lane(Stream stream) {
            this.stream = stream;
        }

        void name(String text) {
            name = text;
        }

        /** Whether what is enqueued now is taken down. */
        boolean isOpen() {
            return open && taken.get() < most;
        }

        /**
         * Lets the stream wait for about as long as the action takes to fill it, judged by what it
         * took before.
         */
        void held(Runnable action) {
            Gate gate = gate(stream.device());
            gate.hold(stream, hold);
            long started = System.nanoTime();
            action.run();
            double took = System.nanoTime() - started;
            hold = Math.clamp(gate.isOpen() ? 2 * hold : 2 * took, LEAST_HOLD, LONGEST_HOLD);
        }

        /** An operation is about to be enqueued. */
        void before() {
            if (open && taken.getAndIncrement() < most) {
                if (first == null) {
                    first = stream.device().createEvent();
                    stream.record(first);
                    first.synchronize();
                    firstNanoseconds = System.nanoTime();
                }
                if (begun == null) { // else what was about to be enqueued was refused
                    begun = stream.device().createEvent();
                }
                stream.record(begun);
            }
        }

        /** It has been enqueued. */
        void after(Work work) {
            if (begun != null) {
                Event ended = stream.device().createEvent();
                stream.record(ended);
                Recording recording = Trace.recording();
                enqueued.add(new Enqueued(work, begun, ended, recording == null ? null : recording.innermost()));
                begun = null;
            }
        }

        private void read() {
            for (Enqueued each : enqueued) {
                Launch launch = each.work instanceof Launch known ? known : null;
                operations.add(new Operation(
                        each.work.name(),
                        name,
                        Optional.ofNullable(launch).map(Launch::grid),
                        launch == null ? 0 : launch.threads(),
                        each.work.cost(),
                        firstNanoseconds + each.begun.millisecondsSince(first) * 1e6,
                        each.ended.millisecondsSince(each.begun) * 1e6,
                        each.range));
            }
        }

        private void close() {
            List<Runnable> all = new ArrayList<>();
            for (Enqueued each : enqueued) {
                all.add(each.begun::close);
                all.add(each.ended::close);
            }
            if (begun != null) {
                all.add(begun::close);
            }
            if (first != null) {
                all.add(first::close);
            }
            Releases.all(all);
        }
    }
}
