package plateau.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.Graph;
import plateau.cuda.GraphExec;
import plateau.cuda.Stream;
import plateau.cuda.Work;

/** CUDA's elementwise kernels on the CPU against the loops a C++ programmer would write. */
@Command(
        name = "elementwise",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "On the CPU: elementwise CUDA kernels against hand-written C++ loops (native/bench/loops.cu), same compiler, same flags, measured in turn.")
final class BenchElementwiseCommand implements Callable<Integer> {
    private static final int REPETITIONS = 50;
    private static final int WINDOWS = 101;
    private static final int LARGEST = 100_000_000;

    @Spec private CommandSpec spec;

    @Mixin private DeviceMixin device;

    @Option(names = "--n", paramLabel = "N", split = ",", defaultValue = "3841,38400", description = "elements (default: ${DEFAULT-VALUE})")
    private List<Integer> sizes;

    private record Pair(String name, Work kernel, Work loop) {}

    @Override
    public Integer call() {
        for (int n : sizes) {
            if (n < 1 || n > LARGEST) {
                throw new IllegalArgumentException("n must be between 1 and " + LARGEST + ", not " + n);
            }
        }
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            if (!opened.isCpu()) {
                print.println("skipped: the hand-written loops are for the CPU; use --device cpu");
                return ExitCode.SKIPPED;
            }
            for (int n : sizes) {
                compare(opened, n, print);
            }
        }
        return ExitCode.OK;
    }

    private static void compare(Device device, int n, PrintWriter print) {
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
                    new Pair("hinge", device.module("hinge").kernel("hinge_forward_backward").elementwise(n, n, 1f / n, a, b, c, d), loop(device, "hinge", n, 1f / n, a, b, c, d)));
            for (Pair pair : pairs) {
                double[] times = inTurn(stream, pair);
                print.printf("n = %,7d %-10s kernel %8.2f us, loop %8.2f us: %.2f of the loop's speed%n", n, pair.name, times[0] / 1e3, times[1] / 1e3, times[1] / times[0]);
            }
        }
    }

    private static Pair pair(Device device, String module, String kernel, int n, Object... arguments) {
        return new Pair(kernel, device.module(module).kernel(kernel).elementwise(n, arguments), loop(device, kernel, arguments));
    }

    private static Work loop(Device device, String name, Object... arguments) {
        return device.module("bench/loops").kernel(name + "_loop").launch(Dim.of(1), 1, arguments);
    }

    /** Medians of the kernel and the loop, measured alternately. */
    private static double[] inTurn(Stream stream, Pair pair) {
        try (GraphExec kernel = repeated(stream, pair.kernel);
                GraphExec loop = repeated(stream, pair.loop)) {
            double[][] samples = new double[2][WINDOWS];
            for (int i = 0; i < WINDOWS; i++) {
                samples[0][i] = time(stream, kernel);
                samples[1][i] = time(stream, loop);
            }
            Arrays.sort(samples[0]);
            Arrays.sort(samples[1]);
            return new double[] {samples[0][WINDOWS / 2], samples[1][WINDOWS / 2]};
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
