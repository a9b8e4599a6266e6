package plateau.train;

import java.util.Map;

/** Sees a run's progress, on the thread that trains. An exception it throws ends the run. */
public interface RunListener {

    /** Nobody listens. */
    RunListener NONE = new RunListener() {};

    /** Once, when the run has been planned and is about to train. */
    default void onStart() {}

    /**
     * Every second or so, more often where something is logged.
     *
     * @param done training steps done
     */
    default void onSteps(long done) {}

    /** At each log interval and after the last step. */
    default void onLog(LogRow row) {}

    /**
     * After {@link #onLog}, where the experiment keeps curves for a figure of what it has learnt.
     *
     * @param step training steps done
     * @param curves by name, as the experiment documents them
     */
    default void onCurves(long step, Map<String, float[]> curves) {}

    /** Once, after a run that was completed. */
    default void onFinish(RunResult result) {}

    /** Once, after a run of several that failed; the others go on. */
    default void onFailure(Throwable cause) {}
}
