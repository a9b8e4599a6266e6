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
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.experiment.Parity;
import plateau.train.RunListener;
import plateau.train.Trainer;

/** Speed of parity training, and where a step's time goes. */
@Command(
        name = "parity",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Training steps per second, data generation and metrics included, and the share of each kernel.")
final class BenchParityCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private DeviceMixin device;

    @Option(names = "--d", paramLabel = "D", split = ",", defaultValue = "10,30", description = "input dimensions (default: ${DEFAULT-VALUE})")
    private List<Integer> dimensions;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "20000", description = "steps in one window (default: ${DEFAULT-VALUE})")
    private long steps;

    @Option(names = "--windows", paramLabel = "N", defaultValue = "7", description = "windows, of which the median counts (default: ${DEFAULT-VALUE})")
    private int windows;

    @Option(names = "--unroll", paramLabel = "N", defaultValue = "" + Trainer.Options.DEFAULT_UNROLL, description = "steps in one CUDA graph (default: ${DEFAULT-VALUE})")
    private int unroll;

    @Option(names = "--no-graph", description = "launch every kernel from Java")
    private boolean noGraph;

    @Override
    public Integer call() {
        if (windows < 1) {
            throw new IllegalArgumentException("windows must be at least 1, not " + windows);
        }
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            Kernels kernels = Kernels.load(opened, device.gemm());
            for (int d : dimensions) {
                bench(opened, kernels, Parity.Options.of(d), print);
            }
        }
        return Main.OK;
    }

    private void bench(Device opened, Kernels kernels, Parity.Options options, PrintWriter print) {
        try (Trainer trainer = new Trainer(opened, kernels, new Parity(options), new Trainer.Options(steps, steps, unroll, !noGraph))) {
            double[] rates = new double[windows];
            for (int i = 0; i < windows; i++) {
                rates[i] = trainer.run(RunListener.NONE).stepsPerSecond();
            }
            Arrays.sort(rates);
            double median = rates[windows / 2];
            print.printf("%nparity d = %d, batch %d: %,.0f steps/s, median of %d windows of %,d steps (%,.0f to %,.0f); %.1f us a step%n", options.d(), options.batch(), median, windows, steps, rates[0], rates[windows - 1], 1e6 / median);
            List<Trainer.Timing> timings = trainer.profile();
            double sum = timings.stream().mapToDouble(Trainer.Timing::nanoseconds).sum();
            for (Trainer.Timing timing : timings) {
                print.printf("  %-32s %8.2f us  %5.1f %%%s%n", timing.name(), timing.nanoseconds() / 1e3, 100 * timing.nanoseconds() / sum, gigaflops(timing, options));
            }
            print.printf("  %-32s %8.2f us, each alone in its graph%n", "sum", sum / 1e3);
        }
    }

    /** The tiled products of the first layer: 2 batch d 10 d operations each. */
    private static String gigaflops(Trainer.Timing timing, Parity.Options options) {
        boolean tiled = timing.name().equals("dense_forward") || timing.name().equals("dense_backward_weights") || timing.name().equals("cublasSgemm");
        return tiled ? "  %.0f GFLOP/s".formatted(2.0 * options.batch() * options.d() * 10 * options.d() / timing.nanoseconds()) : "";
    }
}
