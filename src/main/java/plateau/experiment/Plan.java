package plateau.experiment;

import java.util.Map;
import plateau.autograd.Parameters;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * One planned run: its memory is allocated and its work is prepared. The step number lies in device memory; whoever runs the plan advances it after each
 * training step.
 *
 * @param parameters what is learnt; with the step number, all that a later run needs to continue this one
 * @param initialise puts the run before its first step; may be repeated, with the same result
 * @param step one training step: data, forward, backward, update, metrics
 * @param training what {@code step} writes, at the number of steps done before it
 * @param evaluation fresh test data, forward, metrics
 * @param test what {@code evaluation} writes, at the number of steps done
 * @param curves floats by name that {@code evaluation} leaves for a figure of what was learnt; empty where there is none
 */
public record Plan(Parameters parameters, Work initialise, Work step, Ring training, Work evaluation, Ring test, Map<String, DeviceBuffer> curves) {

    /** A plan whose evaluation leaves metrics alone. */
    public Plan(Parameters parameters, Work initialise, Work step, Ring training, Work evaluation, Ring test) {
        this(parameters, initialise, step, training, evaluation, test, Map.of());
    }
}
