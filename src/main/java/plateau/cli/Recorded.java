package plateau.cli;

import java.nio.file.Path;
import plateau.results.Results;
import plateau.study.Campaign;

/** Results of an earlier command, as the commands that use them want them. */
final class Recorded {
    private Recorded() {}

    /**
     * What the results in a folder came of.
     *
     * @throws CommandFailedException if its description does not say
     */
    static Campaign<?> campaign(Results results) {
        Path description = results.folder().resolve("run.json");
        if (results.description().campaign().isMissingNode() || results.description().campaign().isNull()) {
            throw new CommandFailedException(description + " has no campaign: an earlier version of this program wrote it");
        }
        try {
            return Campaign.of(results.description().campaign());
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException("%s: its campaign is damaged: %s".formatted(description, e.getMessage()), e);
        }
    }
}
