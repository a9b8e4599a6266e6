package plateau.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What concerns the kernels themselves. */
@Command(
        name = "kernels",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "The kernels themselves: what each computes and takes, and whether it is right on a device.",
        subcommands = {KernelsCheckCommand.class, KernelsListCommand.class, KernelsBenchCommand.class})
final class KernelsCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "kernels what? " + String.join(", ", spec.subcommands().keySet()));
    }
}
