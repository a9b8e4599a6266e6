package plateau.bench;

import java.util.Arrays;
import java.util.List;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.Graph;
import plateau.cuda.GraphExec;
import plateau.cuda.Stream;
import plateau.cuda.Work;

/**
 * A CUDA kernel on the CPU against the loop that a C++ programmer would write, by the same compiler
 * and flags: medians of windows measured in turn.
 *
 * @param kernel its name
 * @param elements that it works on
 * @param nanoseconds of the kernel
 * @param loopNanoseconds of the loop
 */
public record ElementwiseSpeed(String kernel, int elements, double nanoseconds, double loopNanoseconds) {
    /** Elements at most. */
    public static final int MOST = 100_000_000;

    private static final int REPETITIONS = 50;
    private static final int WINDOWS = 101;

    private record Pair(String name, Work kernel, Work loop) {}

    /**
     * Measures each kernel and its loop in turn.
     *
     * @param device of the CPU driver
     * @param n elements, between 1 and {@link #MOST}
     */
    public static List<ElementwiseSpeed> measure(Device device, int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (i * 7919L % 101) * 0.01f - 0.5f;
        }
        try (DeviceBuffer a = device.upload(values);
                DeviceBuffer b = device.upload(values);
                DeviceBuffer c = device.upload(new float[n]);
                DeviceBuffer d = device.upload(new float[n]);
                DeviceBuffer rate = device.upload(1e-3f);
                Stream stream = device.createStream()) {
            List<Pair> pairs = List.of(
                    pair(device, "optimizer", "sgd", n, n, rate, a, b),
                    pair(device, "optimizer", "adam", n, n, rate, 0.9f, 0.99f, 1e-5f, a, c, d, b),
                    pair(device, "dense", "relu_mask", n, n, a, b),
                    new Pair(
                            "hinge",
                            device.module("hinge")
                                    .replicated("hinge_forward_backward")
                                    .elementwise(n, n, 1f / n, a, b, c, d),
                            loop(device, "hinge", n, 1f / n, a, b, c, d)));
            return pairs.stream().map(pair -> inTurn(stream, pair, n)).toList();
        }
    }

    private static Pair pair(Device device, String module, String kernel, int n, Object... arguments) {
        return new Pair(
                kernel,
                device.module(module).replicated(kernel).elementwise(n, arguments),
                loop(device, kernel, arguments));
    }

    private static Work loop(Device device, String name, Object... arguments) {
        return device.module("bench/loops").kernel(name + "_loop").launch(Dim.of(1), 1, arguments);
    }

    /** Medians of the kernel and the loop, measured alternately. */
    private static ElementwiseSpeed inTurn(Stream stream, Pair pair, int n) {
        try (GraphExec kernel = repeated(stream, pair.kernel);
                GraphExec loop = repeated(stream, pair.loop)) {
            double[][] samples = new double[2][WINDOWS];
            for (int i = 0; i < WINDOWS; i++) {
                samples[0][i] = time(stream, kernel);
                samples[1][i] = time(stream, loop);
            }
            Arrays.sort(samples[0]);
            Arrays.sort(samples[1]);
            return new ElementwiseSpeed(pair.name, n, samples[0][WINDOWS / 2], samples[1][WINDOWS / 2]);
        }
    }

    private static double time(Stream stream, GraphExec exec) {
        long start = System.nanoTime();
        exec.enqueue(stream);
        stream.synchronize();
        return (double) (System.nanoTime() - start) / REPETITIONS;
    }

    private static GraphExec repeated(Stream stream, Work work) {
        try (Graph graph = stream.capture(() -> {
            for (int i = 0; i < REPETITIONS; i++) {
                work.enqueue(stream);
            }
        })) {
            return graph.instantiate();
        }
    }
}
