package plateau.study;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.SortedMap;
import plateau.cuda.CudaException;
import plateau.cuda.load.DeviceUnavailableException;
import plateau.cuda.load.NativeFileException;
import plateau.results.FileException;
import plateau.train.NonFiniteLossException;

/** What went wrong, for a reader. */
public final class Failures {
    private Failures() {}

    /** One line: an error of this program says all there is to say; any other is named too. */
    public static String explain(Throwable e) {
        return switch (e) {
            case CudaException _,
                    DeviceUnavailableException _,
                    NativeFileException _,
                    NonFiniteLossException _,
                    CampaignFailedException _,
                    IllegalArgumentException _,
                    IllegalStateException _ -> firstLine(e);
            case OutOfMemoryError _ ->
                "this program's own memory is full (%s); java -Xmx gives it more".formatted(firstLine(e));
            case UncheckedIOException wrapper -> explain(wrapper.getCause());
            case IOException _ when e.getClass().getPackageName().startsWith("plateau.") -> firstLine(e);
            case IOException _ when e.getClass() == IOException.class && e.getMessage() != null -> firstLine(e);
            case FileSystemException file
            when file.getFile() != null ->
                FileException.of(Path.of(file.getFile()), file).getMessage();
            default -> e.getClass().getSimpleName() + ": " + firstLine(e);
        };
    }

    /**
     * One line about the runs of a campaign that failed: the first by its name and why, and how
     * many there are.
     *
     * @param reasons by the runs' places in the campaign; at least one
     */
    static String ofRuns(Campaign<?> campaign, SortedMap<Integer, String> reasons) {
        String reason = reasons.get(reasons.firstKey());
        if (campaign.runs().size() == 1) {
            return reason;
        }
        RunSpec<?> first = campaign.runs().get(reasons.firstKey());
        return first.key().label()
                + (campaign.seeds() > 1 ? ", seed " + first.seed() : "")
                + ": "
                + reason
                + (reasons.size() == 1
                        ? ""
                        : " (and %d more of %d runs failed)"
                                .formatted(reasons.size() - 1, campaign.runs().size()));
    }

    private static String firstLine(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }
}
