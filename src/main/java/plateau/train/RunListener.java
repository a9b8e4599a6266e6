package plateau.train;

import java.util.Map;
import plateau.autograd.Kernels;
import plateau.results.History;
import plateau.results.LogRow;

/** Sees a run's progress, on the thread that trains. An exception it throws ends the run. */
public interface RunListener {

    /** Nobody listens. */
    RunListener NONE = new RunListener() {};

    /** Takes down what a run logs. */
    static RunListener into(History history) {
        return new RunListener() {
            @Override
            public void onLog(LogRow row) {
                history.add(row.step(), row.test());
            }

            @Override
            public void onCurves(long step, Map<String, float[]> curves) {
                history.keep(step, curves);
            }
        };
    }

    /** Once, before a run of several is planned, while no other one is. */
    default void onPlan(Kernels kernels) {}

    /**
     * Once, when the run has been planned and is about to train.
     *
     * @param done training steps that were done before; 0 but for a run that goes on from a
     *     checkpoint
     */
    default void onStart(long done) {}

    /**
     * Every second or so, more often where something is logged.
     *
     * @param done training steps done
     */
    default void onSteps(long done) {}

    /** At each log interval and after the last step. */
    default void onLog(LogRow row) {}

    /** Whether {@link #onCurves} is to follow the row of this step. */
    default boolean wantsCurves(long step) {
        return true;
    }

    /**
     * After {@link #onLog}, where the experiment keeps curves for a figure of what it has learnt.
     *
     * @param step training steps done
     * @param curves by name, as the experiment documents them
     */
    default void onCurves(long step, Map<String, float[]> curves) {}

    /**
     * Before a checkpoint is written, from which the run may go on: what was logged until now must
     * last.
     */
    default void onCheckpoint() {}

    /** After it has been written, or could not be. */
    default void onCheckpointEnd() {}

    /** Once, after a run that was completed. */
    default void onFinish(RunResult result) {}

    /** Once, after a run of several that failed; the others go on. */
    default void onFailure(Throwable cause) {}
}
