package plateau.cli;

import java.nio.file.Path;
import plateau.results.Description;
import plateau.results.Results;
import plateau.study.Campaign;

/** Results of an earlier command, as the commands that use them want them. */
final class Campaigns {
    private Campaigns() {}

    /**
     * What the results in a folder came of.
     *
     * @throws CommandFailedException if its description does not say
     */
    static Campaign<?> read(Results results) {
        return read(results.folder(), results.description());
    }

    /** As above, of a folder whose tables need not be there. */
    static Campaign<?> read(Path folder, Description description) {
        Path file = folder.resolve("run.json");
        if (description.campaign().isMissingNode() || description.campaign().isNull()) {
            throw new CommandFailedException(
                    file + ": it has no campaign, since an earlier version of this program wrote it");
        }
        try {
            return Campaign.of(description.campaign());
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException("%s: its campaign is damaged: %s".formatted(file, e.getMessage()), e);
        }
    }
}
