package plateau.cli;

import java.io.IOException;

/**
 * A step of the acceptance run.
 *
 * @param name as it is asked for
 * @param seconds that it may take
 * @param gpuOnly whether a CPU has nothing to answer it with
 * @param action what it does
 */
record GpuCheckStep(String name, int seconds, boolean gpuOnly, Action action) {
    /** What a step does. */
    interface Action {
        /** Returns what was found, in one line. */
        String run(StepRun run) throws StepEnded, IOException, InterruptedException;
    }
}
