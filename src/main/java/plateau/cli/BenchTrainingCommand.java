package plateau.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.autograd.Kernels;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.experiment.Experiment;
import plateau.train.RunListener;
import plateau.train.Trainer;

/** Speed of training, and where a step's time goes. A command says of what. */
abstract class BenchTrainingCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private DeviceMixin device;

    @Option(names = "--steps", paramLabel = "N", description = "steps in one window (default: enough for a second or so)")
    private Long steps;

    @Option(names = "--windows", paramLabel = "N", defaultValue = "7", description = "windows, of which the median counts (default: ${DEFAULT-VALUE})")
    private int windows;

    @Option(names = "--unroll", paramLabel = "N", defaultValue = "" + Trainer.Options.DEFAULT_UNROLL, description = "steps in one CUDA graph (default: ${DEFAULT-VALUE})")
    private int unroll;

    @Option(names = "--no-graph", description = "launch every kernel from Java")
    private boolean noGraph;

    /**
     * One thing to measure.
     *
     * @param label for display, the batch included
     * @param experiment with its defaults
     * @param steps that take a second or so
     */
    record Subject(String label, Experiment experiment, long steps) {}

    /** What to measure, in order. */
    abstract List<Subject> subjects();

    @Override
    public final Integer call() {
        if (windows < 1) {
            throw new IllegalArgumentException("windows must be at least 1, not " + windows);
        }
        List<Subject> subjects = subjects();
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            Kernels kernels = device.kernels(opened);
            for (Subject subject : subjects) {
                bench(kernels, subject, print);
            }
        }
        return Main.OK;
    }

    private void bench(Kernels kernels, Subject subject, PrintWriter print) {
        long count = steps == null ? subject.steps : steps;
        try (Trainer trainer = new Trainer(kernels.device(), kernels, subject.experiment, new Trainer.Options(count, count, unroll, !noGraph))) {
            double[] rates = new double[windows];
            for (int i = 0; i < windows; i++) {
                rates[i] = trainer.run(RunListener.NONE).stepsPerSecond();
            }
            Arrays.sort(rates);
            double median = rates[windows / 2];
            print.printf("%n%s: %,.0f steps/s, median of %d windows of %,d steps (%,.0f to %,.0f); %.1f us a step%n", subject.label, median, windows, count, rates[0], rates[windows - 1], 1e6 / median);
            profile(kernels.device(), trainer, 1e9 / median, print);
        }
    }

    /** Each operation alone, beside the least time that its arithmetic and its memory need on this device. */
    private static void profile(Device device, Trainer trainer, double nanosecondsOfStep, PrintWriter print) {
        List<Trainer.Timing> timings = trainer.profile();
        double sum = timings.stream().mapToDouble(Trainer.Timing::nanoseconds).sum();
        Cost step = timings.stream().map(Trainer.Timing::cost).reduce(Cost.NONE, Cost::plus);
        Roofline roofline = Roofline.measure(device, step.bytes());
        double floor = timings.stream().mapToDouble(timing -> roofline.nanoseconds(timing.cost())).sum();
        print.printf("  %-32s %11s %8s %11s %9s%n", "operation, alone in its graph", "time", "share", "floor", "reached");
        for (Trainer.Timing timing : timings) {
            double least = roofline.nanoseconds(timing.cost());
            print.printf("  %-32s %8.2f us %6.1f %% %8.2f us %7.0f %%%n", timing.name(), timing.nanoseconds() / 1e3, 100 * timing.nanoseconds() / sum, least / 1e3, 100 * least / timing.nanoseconds());
        }
        print.printf("  %-32s %8.2f us          %8.2f us %7.0f %%%n", "sum", sum / 1e3, floor / 1e3, 100 * floor / sum);
        print.printf(
                "  the step reaches %.0f %% of its floor: %,.3f MFLOP at %.0f GFLOP/s, measured on a large product, and %,.1f KB at %.1f GB/s, measured on copies of as much%n",
                100 * floor / nanosecondsOfStep,
                step.operations() / 1e6,
                roofline.operationsPerNanosecond(),
                step.bytes() / 1e3,
                roofline.bytesPerNanosecond());
    }
}
