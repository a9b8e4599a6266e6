package plateau.cli;

import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
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
    /** The products of the first layer, which has all but a sliver of the work. */
    private static final Set<String> PRODUCTS = Set.of("dense_forward", "dense_backward_weights", "cublasSgemm");

    @Option(names = "--d", paramLabel = "D", split = ",", defaultValue = "10,30", description = "input dimensions (default: ${DEFAULT-VALUE})")
    private List<Integer> dimensions;

    @Override
    List<Subject> subjects() {
        return dimensions.stream().map(Parity.Options::of).map(options -> new Subject("parity d = %d, batch %d".formatted(options.d(), options.batch()), new Parity(options), 20_000)).toList();
    }

    /** A product of (batch, d) and (d, 10 d). */
    @Override
    OptionalDouble operations(Experiment experiment, String kernel) {
        Parity.Options options = ((Parity) experiment).options();
        return PRODUCTS.contains(kernel) ? OptionalDouble.of(2.0 * options.batch() * options.d() * 10 * options.d()) : OptionalDouble.empty();
    }
}
