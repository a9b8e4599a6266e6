package plateau.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.bench.ElementwiseSpeed;
import plateau.cuda.Device;

/** CUDA's elementwise kernels on the CPU against the loops a C++ programmer would write. */
@Command(
        name = "elementwise",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description =
                "On the CPU: elementwise CUDA kernels against hand-written C++ loops (native/bench/loops.cu), same"
                        + " compiler, same flags, measured in turn.")
final class BenchElementwiseCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private OneDeviceMixin device;

    @Option(
            names = "--n",
            paramLabel = "N[,N...]",
            defaultValue = "3841,38400",
            description = "elements (default: ${DEFAULT-VALUE})")
    private TypedValues.Integers sizes;

    @Override
    public Integer call() {
        for (int n : sizes.values()) {
            if (n < 1 || n > ElementwiseSpeed.MOST) {
                throw new IllegalArgumentException("n must be between 1 and " + ElementwiseSpeed.MOST + ", not " + n);
            }
        }
        device.check();
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            if (!opened.isCpu()) {
                print.println("skipped: the hand-written loops are for the CPU; use --device cpu");
                return ExitCode.SKIPPED;
            }
            for (int n : sizes.values()) {
                for (ElementwiseSpeed speed : ElementwiseSpeed.measure(opened, n)) {
                    print.printf(
                            "n = %,7d %-10s kernel %8.2f us, loop %8.2f us: %.2f of the loop's speed%n",
                            n,
                            speed.kernel(),
                            speed.nanoseconds() / 1e3,
                            speed.loopNanoseconds() / 1e3,
                            speed.loopNanoseconds() / speed.nanoseconds());
                }
            }
        }
        return ExitCode.OK;
    }
}
