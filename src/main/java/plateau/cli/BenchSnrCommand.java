package plateau.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import plateau.experiment.Snr;

/** Speed of estimating the signal-to-noise ratio. */
@Command(
        name = "snr",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Batches of tuples of k line images per second whose gradients are summed, data generation included, and the share of each kernel.")
final class BenchSnrCommand extends BenchTrainingCommand {
    @Option(names = "--k", paramLabel = "K", split = ",", defaultValue = "1,3", description = "images in a tuple (default: ${DEFAULT-VALUE})")
    private List<Integer> sizes;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "100", description = "tuples drawn at once (default, the authors' program: ${DEFAULT-VALUE})")
    private int batch;

    @Override
    List<Subject> subjects() {
        return sizes.stream().map(k -> new Subject("snr k = %d, batch %d".formatted(k, batch), new Snr(new Snr.Options(k, Snr.Options.of(k).raster(), batch, 1)), 200 / k)).toList();
    }
}
