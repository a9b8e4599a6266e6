package plateau.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import plateau.experiment.Stocks;

/** Speed of training on stocks. */
@Command(
        name = "stocks",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Training steps per second on stocks, data generation and metrics included, and the share of each kernel.")
final class BenchStocksCommand extends BenchTrainingCommand {
    /** Weights that are read in a second or so. */
    private static final long WEIGHTS = 100_000_000;

    private static final long MOST_STEPS = 20_000;

    @Option(names = "--d", paramLabel = "D", defaultValue = "1000", description = "inputs (default: ${DEFAULT-VALUE})")
    private int d;

    @Option(names = "--k", paramLabel = "K", split = ",", defaultValue = "10,100,1000,2000", description = "stocks (default: ${DEFAULT-VALUE})")
    private List<Integer> stocks;

    @Option(names = "--mode", paramLabel = "WHICH", defaultValue = "both", description = "e2e, dec or both (default: ${DEFAULT-VALUE})")
    private StocksCommand.Modes modes;

    @Override
    List<Subject> subjects() {
        return stocks.stream().flatMap(k -> modes.each().map(mode -> subject(Stocks.Options.of(k, mode).withInputs(d)))).toList();
    }

    private static Subject subject(Stocks.Options options) {
        String label = "stocks %s, d = %d, k = %d, batch %d".formatted(Choices.typed(options.mode()), options.d(), options.k(), options.batch());
        return new Subject(label, new Stocks(options), Math.min(MOST_STEPS, WEIGHTS / ((long) options.batch() * options.k()) + 1));
    }
}
