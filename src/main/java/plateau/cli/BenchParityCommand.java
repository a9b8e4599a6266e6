package plateau.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import plateau.experiment.Experiment;
import plateau.experiment.Parity;

/** Speed of parity training. */
@Command(
        name = "parity",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Training steps per second, data generation and metrics included, and the share of each kernel.")
final class BenchParityCommand extends BenchTrainingCommand {
    @Option(names = "--d", paramLabel = "D", split = ",", defaultValue = "10,30", description = "input dimensions (default: ${DEFAULT-VALUE})")
    private List<Integer> dimensions;

    @Override
    List<Subject> subjects() {
        return dimensions.stream().map(Parity.Options::of).map(options -> new Subject("parity d = %d, batch %d".formatted(options.d(), options.batch()), new Parity(options), 20_000)).toList();
    }
}
