package plateau.bench;

import java.util.Arrays;
import java.util.function.DoubleSupplier;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Graph;
import plateau.cuda.GraphExec;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Counter;

/**
 * What a launch costs when the kernel does next to nothing, in nanoseconds: medians of several
 * windows.
 *
 * @param enqueue of an eager launch from Java, the enqueueing alone
 * @param eager of eager launches, until all have run
 * @param replay of a kernel in the replay of a graph
 */
public record LaunchCost(double enqueue, double eager, double replay) {
    /** Kernels in the graph that is replayed. */
    public static final int NODES = 1_000;

    private static final int WINDOWS = 15;
    private static final int LAUNCHES = 20_000;
    private static final int REPLAYS = 100;

    /** Measures. */
    public static LaunchCost measure(Device device) {
        try (DeviceBuffer step = device.upload(0);
                Stream stream = device.createStream()) {
            Work launch = new Counter(device).advance(step);
            double enqueue = median(() -> {
                double nanoseconds = repeated(LAUNCHES, () -> launch.enqueue(stream));
                stream.synchronize();
                return nanoseconds;
            });
            double eager = median(() -> {
                long start = System.nanoTime();
                repeated(LAUNCHES, () -> launch.enqueue(stream));
                stream.synchronize();
                return (double) (System.nanoTime() - start) / LAUNCHES;
            });
            try (Graph graph = stream.capture(() -> repeated(NODES, () -> launch.enqueue(stream)));
                    GraphExec exec = graph.instantiate()) {
                double replay = median(() -> {
                    long start = System.nanoTime();
                    repeated(REPLAYS, () -> exec.enqueue(stream));
                    stream.synchronize();
                    return (double) (System.nanoTime() - start) / ((long) REPLAYS * NODES);
                });
                return new LaunchCost(enqueue, eager, replay);
            }
        }
    }

    /** Does something so often; returns the nanoseconds that one takes. */
    private static double repeated(int times, Runnable action) {
        long start = System.nanoTime();
        for (int i = 0; i < times; i++) {
            action.run();
        }
        return (double) (System.nanoTime() - start) / times;
    }

    private static double median(DoubleSupplier window) {
        double[] samples = new double[WINDOWS];
        Arrays.setAll(samples, _ -> window.getAsDouble());
        Arrays.sort(samples);
        return samples[WINDOWS / 2];
    }
}
