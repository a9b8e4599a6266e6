package plateau.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Measurements that print. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Measures speed on this machine. Numbers vary with what else runs: compare ratios within one run.",
        subcommands = {BenchParityCommand.class, BenchPwlCommand.class, BenchStepCommand.class, BenchStocksCommand.class, BenchLaunchCommand.class, BenchElementwiseCommand.class})
final class BenchCommand implements Runnable {
    @Spec private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "bench what? parity, pwl, step, stocks, launch or elementwise");
    }
}
