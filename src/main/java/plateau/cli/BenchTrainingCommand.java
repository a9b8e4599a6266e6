package plateau.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.autograd.Kernels;
import plateau.bench.DeviceCeilings;
import plateau.bench.TrainingSpeed;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.experiment.Experiment;
import plateau.experiment.Kind;
import plateau.study.Grid;
import plateau.study.RunSpec;
import plateau.study.Seeds;
import plateau.study.Settings;
import plateau.train.Trainer;

/** Speed of training, and where a step's time goes, of one kind of experiment. */
@Command(mixinStandardHelpOptions = true, versionProvider = Version.class)
final class BenchTrainingCommand<O extends Record> implements Callable<Integer> {
    private final Kind<O> kind;
    private KindOptions<O> options;

    @Spec
    private CommandSpec spec;

    @Mixin
    private OneDeviceMixin device;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "steps in one window (default: enough for a second or so)")
    private Long steps;

    @Option(
            names = "--windows",
            paramLabel = "N",
            defaultValue = "7",
            description = "windows, of which the median counts (default: ${DEFAULT-VALUE})")
    private int windows;

    @Option(
            names = "--unroll",
            paramLabel = "N",
            defaultValue = "" + Trainer.Options.DEFAULT_UNROLL,
            description = "steps in one CUDA graph (default: ${DEFAULT-VALUE})")
    private int unroll;

    @Option(
            names = "--replicas",
            paramLabel = "R,…",
            description = "runs that share a CUDA graph, one measurement each (default: 1)")
    private TypedValues.Integers replicas;

    @Option(names = "--no-graph", description = "launch every kernel from Java")
    private boolean noGraph;

    private BenchTrainingCommand(Kind<O> kind) {
        this.kind = kind;
    }

    /** The command of a kind. */
    static <O extends Record> CommandLine of(Kind<O> kind, CommandLine.IFactory factory) {
        BenchTrainingCommand<O> command = new BenchTrainingCommand<>(kind);
        CommandSpec spec = CommandSpec.forAnnotatedObject(command, factory);
        spec.name(kind.name());
        command.options = KindOptions.addTo(spec, kind);
        spec.usageMessage()
                .description(
                        "Training steps per second, data generation and metrics included, and the share of each"
                                + " kernel.",
                        kind.description());
        return new CommandLine(spec, factory);
    }

    @Override
    public Integer call() {
        device.check();
        TrainingSpeed.Windows measured = new TrainingSpeed.Windows(
                steps == null ? OptionalLong.empty() : OptionalLong.of(steps), windows, unroll, !noGraph);
        List<RunSpec<O>> runs = new Grid<>(kind, options.values(), OptionalLong.empty(), 1, new Seeds(1, 1)).runs();
        List<Integer> counts = replicas == null ? List.of(1) : replicas.values();
        for (int count : counts) {
            if (count < 1 || count > Settings.MOST_REPLICAS) {
                throw new IllegalArgumentException(
                        "replicas must be between 1 and %d, not %d".formatted(Settings.MOST_REPLICAS, count));
            }
        }
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            Kernels kernels = device.kernels(opened);
            for (RunSpec<O> run : runs) {
                for (int count : counts) {
                    List<Experiment> experiments = IntStream.rangeClosed(1, count)
                            .<Experiment>mapToObj(seed -> kind.create(run.options(), seed))
                            .toList();
                    print(label(run), TrainingSpeed.measure(kernels, experiments, measured), print);
                }
            }
        }
        return ExitCode.OK;
    }

    /** Every option that has a value: {@code parity d = 5, batch = 128, lr = 0.01}. */
    private String label(RunSpec<O> run) {
        return kind.name() + " "
                + run.values().entrySet().stream()
                        .filter(option -> option.getValue() != null)
                        .map(option -> option.getValue() instanceof String name
                                ? name
                                : option.getKey() + " = " + KindOptions.text(option.getValue()))
                        .collect(Collectors.joining(", "));
    }

    /**
     * Each operation alone, beside the least time that its arithmetic and its memory need on this
     * device.
     */
    private static void print(String label, TrainingSpeed speed, PrintWriter print) {
        double[] rates = speed.stepsPerSecond();
        print.printf(
                "%n%s%s: %,.0f steps/s, median of %d windows of %,d steps (%,.0f to %,.0f); %d nodes, %.1f us a step%n",
                label,
                speed.replicas() == 1 ? "" : ", %d runs at once".formatted(speed.replicas()),
                speed.median(),
                rates.length,
                speed.steps(),
                rates[0],
                rates[rates.length - 1],
                speed.timings().size(),
                1e6 * speed.replicas() / speed.median());
        DeviceCeilings ceilings = speed.ceilings();
        double sum = speed.timings().stream()
                .mapToDouble(Trainer.Timing::nanoseconds)
                .sum();
        print.printf(
                "  %-32s %11s %8s %11s %9s%n", "operation, alone in its graph", "time", "share", "floor", "reached");
        for (Trainer.Timing timing : speed.timings()) {
            double least = ceilings.nanoseconds(timing.cost());
            print.printf(
                    "  %-32s %8.2f us %6.1f %% %8.2f us %7.0f %%%n",
                    timing.name(),
                    timing.nanoseconds() / 1e3,
                    100 * timing.nanoseconds() / sum,
                    least / 1e3,
                    100 * least / timing.nanoseconds());
        }
        print.printf(
                "  %-32s %8.2f us          %8.2f us %7.0f %%%n",
                "sum", sum / 1e3, speed.floor() / 1e3, 100 * speed.floor() / sum);
        Cost step = speed.cost();
        print.printf(
                "  the step reaches %.0f %% of its floor, %.1f %% of the device's arithmetic: %,.3f MFLOP at %.0f"
                    + " GFLOP/s, measured on a large product, %,.1f KB at %.1f GB/s, measured on copies of %,.1f KB,"
                    + " and %.2f us a node%n",
                100 * speed.floor() * speed.median() / speed.replicas() / 1e9,
                100 * speed.shareOfOperations(),
                step.operations() / 1e6,
                ceilings.operationsPerNanosecond(),
                step.bytes() / 1e3,
                ceilings.bytesPerNanosecond(),
                ceilings.copiedBytes() / 1e3,
                ceilings.launchNanoseconds() / 1e3);
    }
}
