package plateau.experiment;

import java.util.Map;
import plateau.autograd.Parameters;
import plateau.autograd.Tensor;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * One planned run: its memory is allocated and its work is prepared. The step number lies in device
 * memory; whoever runs the plan advances it after each training step.
 *
 * @param parameters what is learnt; with the step number and {@code state}, all that a later run
 *     needs to continue this one, after {@code initialise}
 * @param initialise puts the run before its first step; may be repeated, with the same result
 * @param step one training step: data, forward, backward, update, metrics
 * @param training what {@code step} writes, at the number of steps done before it
 * @param evaluation fresh test data, forward, metrics
 * @param test what {@code evaluation} writes, at the number of steps done
 * @param curves floats by name that {@code evaluation} leaves for a figure of what was learnt;
 *     empty where there is none
 * @param state words by name that a step passes on to the next beside the parameters; empty where
 *     there are none
 * @param learnt values by name that the network has after {@code evaluation}, where they are not
 *     those in the parameters' arena
 */
public record Plan(
        Parameters parameters,
        Work initialise,
        Work step,
        Ring training,
        Work evaluation,
        Ring test,
        Map<String, DeviceBuffer> curves,
        Map<String, DeviceBuffer> state,
        Map<String, Tensor> learnt) {

    /** A plan whose parameters are all that it passes on and all that was learnt. */
    public Plan(Parameters parameters, Work initialise, Work step, Ring training, Work evaluation, Ring test) {
        this(parameters, initialise, step, training, evaluation, test, Map.of(), Map.of(), Map.of());
    }

    /** This plan, with curves. */
    public Plan withCurves(Map<String, DeviceBuffer> other) {
        return new Plan(parameters, initialise, step, training, evaluation, test, other, state, learnt);
    }

    /** This plan, with state beside the parameters. */
    public Plan withState(Map<String, DeviceBuffer> other) {
        return new Plan(parameters, initialise, step, training, evaluation, test, curves, other, learnt);
    }

    /** This plan, with values of these parameters in place of the arena's. */
    public Plan withLearnt(Map<String, Tensor> other) {
        return new Plan(parameters, initialise, step, training, evaluation, test, curves, state, other);
    }
}
