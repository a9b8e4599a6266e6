package plateau.train;

/** Sees a run's progress, on the thread that trains. An exception it throws ends the run. */
public interface RunListener {

    /** Nobody listens. */
    RunListener NONE = new RunListener() {};

    /** At each log interval and after the last step. */
    default void onLog(LogRow row) {}

    /** Once, after a run that was completed. */
    default void onFinish(RunResult result) {}
}
