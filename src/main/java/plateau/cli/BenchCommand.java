package plateau.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;

/** Measurements that print. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description =
                "Measures speed on this machine. Numbers vary with what else runs: compare ratios within one run.")
final class BenchCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    /** The command with one below it for every kind of experiment. */
    static CommandLine of(CommandLine.IFactory factory) {
        CommandLine line = new CommandLine(new BenchCommand(), factory);
        for (Kind<?> kind : Kinds.all()) {
            line.addSubcommand(kind.name(), BenchTrainingCommand.of(kind, factory));
        }
        line.addSubcommand(new CommandLine(BenchLaunchCommand.class, factory));
        line.addSubcommand(new CommandLine(BenchElementwiseCommand.class, factory));
        return line;
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(),
                "bench what? " + String.join(", ", spec.subcommands().keySet()));
    }
}
