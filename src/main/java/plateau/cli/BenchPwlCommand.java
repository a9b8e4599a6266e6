package plateau.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import plateau.experiment.Pwl;

/** Speed of training on piecewise-linear curves. */
@Command(
        name = "pwl",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Training steps per second on piecewise-linear curves, data generation and metrics included, and the share of each kernel.")
final class BenchPwlCommand extends BenchTrainingCommand {
    private static final long LARGE_STEPS = 500;
    private static final long SMALL_STEPS = 20_000;

    @Parameters(paramLabel = "VARIANT", arity = "0..*", description = "linear, conv, conditioned or autoencoder (default: all)")
    private List<String> variants = Choices.typed(Pwl.Variant.class);

    @Override
    List<Subject> subjects() {
        return Choices.parse(Pwl.Variant.class, variants).stream().map(Pwl.Options::of).map(BenchPwlCommand::subject).toList();
    }

    private static Subject subject(Pwl.Options options) {
        long steps = options.variant() == Pwl.Variant.AUTOENCODER ? LARGE_STEPS : SMALL_STEPS;
        return new Subject("pwl %s, batch %d".formatted(Choices.typed(options.variant()), options.batch()), new Pwl(options), steps);
    }
}
