package plateau.cli;

import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import plateau.experiment.Tuple;

/** Speed of training on tuples of line images. */
@Command(
        name = "tuple",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Training steps per second on tuples of k line images, data generation and metrics included, and the share of each kernel.")
final class BenchTupleCommand extends BenchTrainingCommand {
    @Option(names = "--k", paramLabel = "K", split = ",", defaultValue = "1,2,3,4", description = "images in a tuple (default: ${DEFAULT-VALUE})")
    private List<Integer> sizes;

    @Override
    List<Subject> subjects() {
        return sizes.stream().flatMap(k -> Stream.of(Tuple.Mode.values()).map(mode -> Tuple.Options.of(mode, k))).map(BenchTupleCommand::subject).toList();
    }

    private static Subject subject(Tuple.Options options) {
        return new Subject("tuple k = %d, %s, batch %d".formatted(options.k(), Choices.typed(options.mode()), options.batch()), new Tuple(options), 100 / options.k());
    }
}
