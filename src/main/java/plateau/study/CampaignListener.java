package plateau.study;

import plateau.results.LogRow;
import plateau.train.RunResult;

/**
 * Sees how a campaign goes on. Runs are counted from 0, in the campaign's order, and report from
 * threads of their own.
 */
public interface CampaignListener {

    /** Nobody listens. */
    CampaignListener NONE = new CampaignListener() {};

    /** Once, when the devices are open and no run has begun. */
    default void onDevices(Devices devices, int parallel) {}

    /** A run begins, with so many of its steps done before. */
    default void onStart(int run, long done) {}

    /** So many of its steps are done. */
    default void onSteps(int run, long done) {}

    /** It has logged a row. */
    default void onLog(int run, LogRow row) {}

    /** It has come to its end. */
    default void onFinish(int run, RunResult result) {}

    /** It has failed; the others go on. */
    default void onFailure(int run, Throwable cause) {}

    /** What a run has come to, or all of them, is about to be written. */
    default void onSaving() {}

    /** What a run has come to is written; where all have ended, other writing may follow. */
    default void onSaved() {}

    /** Something went otherwise than a reader may think. May be called from any thread. */
    default void onWarning(String message) {}
}
