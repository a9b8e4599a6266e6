package plateau.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import plateau.bench.LaunchCost;
import plateau.cuda.Device;

/** What a launch costs when the kernel does next to nothing. */
@Command(
        name = "launch",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Nanoseconds per kernel launch: enqueued from Java through FFM, and in the replay of a graph.")
final class BenchLaunchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private OneDeviceMixin device;

    @Override
    public Integer call() {
        device.check();
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            LaunchCost cost = LaunchCost.measure(opened);
            print.printf("eager, enqueue alone:        %6.0f ns a launch%n", cost.enqueue());
            print.printf("eager, until all have run:   %6.0f ns a launch%n", cost.eager());
            print.printf("replay of %,d-kernel graphs: %6.0f ns a kernel%n", LaunchCost.NODES, cost.replay());
        }
        return ExitCode.OK;
    }
}
