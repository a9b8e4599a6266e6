package plateau.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where the time of a command's steps goes. */
@Command(
        name = "profile",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Runs a command and shows where the time of its steps goes: by this program's own means, on every device"
                    + " (none), or by NVIDIA's profilers on a GPU (nsys, ncu).",
            "Reports, and what the command itself leaves, go to a fresh folder."
        },
        subcommands = {ProfileNoneCommand.class, ProfileNsysCommand.class, ProfileNcuCommand.class})
final class ProfileCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "profile with what? " + String.join(", ", spec.subcommands().keySet()));
    }
}
