package plateau.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints what makes a shell complete commands and options. */
@Command(
        name = "completion",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Prints a script that makes bash and zsh complete commands, options and choices.",
        footer = {
            "",
            "Examples:",
            "  source <(plateau completion)",
            "      in this shell, or in ~/.bashrc or ~/.zshrc for every one",
            "  plateau completion > /etc/bash_completion.d/plateau",
            "      for all users"
        })
final class CompletionCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine()
                .getOut()
                .print(AutoComplete.bash(spec.root().name(), spec.root().commandLine()));
        spec.commandLine().getOut().flush();
    }
}
