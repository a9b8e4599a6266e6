package plateau.study;

import java.io.IOException;
import plateau.results.ResultFolder;

/** Carries out campaigns: in this process, or elsewhere. */
public interface Executor {

    /**
     * Carries out a campaign and returns when its last run has ended. What it has measured is in
     * the folder, whichever way it ends.
     *
     * @param campaign what is run
     * @param settings how
     * @param folder claimed for its results; with {@link ResultFolder.Purpose#CONTINUE}, runs go on
     *     from their checkpoints
     * @param listener sees how it goes on
     * @throws IOException if what was measured cannot be kept
     */
    CampaignEnd execute(Campaign<?> campaign, Settings settings, ResultFolder folder, CampaignListener listener)
            throws IOException;

    /**
     * Ends the runs that have begun at their next chance, a second or so, and lets no other begin.
     * From any thread.
     */
    void stop();
}
