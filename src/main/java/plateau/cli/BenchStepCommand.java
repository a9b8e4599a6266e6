package plateau.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import plateau.experiment.Step;

/** Speed of training on step functions. */
@Command(
        name = "step",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Training steps per second on step functions, data generation and metrics included, and the share of each kernel.")
final class BenchStepCommand extends BenchTrainingCommand {
    @Parameters(paramLabel = "VARIANT", arity = "0..*", description = "approximation, e2e, multiclass or forward-only (default: all)")
    private List<String> variants = Choices.typed(Step.Variant.class);

    @Override
    List<Subject> subjects() {
        return Choices.parse(Step.Variant.class, variants).stream().map(Step.Options::of).map(options -> new Subject("step %s, batch %d".formatted(Choices.typed(options.variant()), options.batch()), new Step(options), 4_000)).toList();
    }
}
