package plateau.train;

import plateau.results.LogRow;

/**
 * What a completed run came to; its rows went to its listener.
 *
 * @param setupSeconds to plan, warm up and capture
 * @param seconds from the first step to the last row, evaluation included, in all processes that
 *     took part
 * @param stepsPerSecond training alone: the time in which the device evaluated is taken out
 * @param stepsPerSecondWithEvaluation by the clock on the wall
 * @param launchesPerStep operations enqueued for one training step
 * @param last the last row; null for a run that was complete before it went on
 */
public record RunResult(
        double setupSeconds,
        double seconds,
        double stepsPerSecond,
        double stepsPerSecondWithEvaluation,
        int launchesPerStep,
        LogRow last) {}
