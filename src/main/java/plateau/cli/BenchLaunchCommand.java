package plateau.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.function.IntToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Graph;
import plateau.cuda.GraphExec;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Counter;

/** What a launch costs when the kernel does next to nothing. */
@Command(name = "launch", mixinStandardHelpOptions = true, versionProvider = Version.class, description = "Nanoseconds per kernel launch: enqueued from Java through FFM, and in the replay of a graph.")
final class BenchLaunchCommand implements Callable<Integer> {
    private static final int WINDOWS = 15;
    private static final int LAUNCHES = 20_000;
    private static final int NODES = 1_000;
    private static final int REPLAYS = 100;

    @Spec private CommandSpec spec;

    @Mixin private DeviceMixin device;

    @Override
    public Integer call() {
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open();
                DeviceBuffer step = opened.upload(0);
                Stream stream = opened.createStream()) {
            print.println("device: " + opened.description());
            Work launch = new Counter(opened).advance(step);
            print.printf("eager, enqueue alone:        %6.0f ns a launch%n", median(_ -> {
                long start = System.nanoTime();
                for (int i = 0; i < LAUNCHES; i++) {
                    launch.enqueue(stream);
                }
                double nanoseconds = (double) (System.nanoTime() - start) / LAUNCHES;
                stream.synchronize();
                return nanoseconds;
            }));
            print.printf("eager, until all have run:   %6.0f ns a launch%n", median(_ -> {
                long start = System.nanoTime();
                for (int i = 0; i < LAUNCHES; i++) {
                    launch.enqueue(stream);
                }
                stream.synchronize();
                return (double) (System.nanoTime() - start) / LAUNCHES;
            }));
            try (Graph graph = stream.capture(() -> {
                        for (int i = 0; i < NODES; i++) {
                            launch.enqueue(stream);
                        }
                    });
                    GraphExec exec = graph.instantiate()) {
                print.printf("replay of %,d-kernel graphs: %6.0f ns a kernel%n", NODES, median(_ -> {
                    long start = System.nanoTime();
                    for (int i = 0; i < REPLAYS; i++) {
                        exec.enqueue(stream);
                    }
                    stream.synchronize();
                    return (double) (System.nanoTime() - start) / ((long) REPLAYS * NODES);
                }));
            }
        }
        return ExitCode.OK;
    }

    static double median(IntToDoubleFunction window) {
        double[] samples = new double[WINDOWS];
        for (int i = 0; i < WINDOWS; i++) {
            samples[i] = window.applyAsDouble(i);
        }
        Arrays.sort(samples);
        return samples[WINDOWS / 2];
    }
}
