package plateau.autograd;

import java.util.List;
import plateau.cuda.Work;

/**
 * y = ũ(r), a sum of sigmoids, one at each rise of the step function (section 5.2).
 *
 * @param kernels launchers
 * @param curve the sigmoids
 * @param r (rows, columns), not rectified
 * @param y of the same shape
 * @param derivative ũ′(r), kept by the forward for the backward
 */
public record SmoothStep(Kernels kernels, Curve curve, Tensor r, Tensor y, Tensor derivative) implements Operation {

    /**
     * ũ(r) = z₀ + Σ (zᵢ − zᵢ₋₁) σ(cᵢ (r − mᵢ)).
     *
     * @param z the levels, ascending
     * @param middle mᵢ; the first is unused
     * @param steepness cᵢ; the first is unused
     */
    public record Curve(Tensor z, Tensor middle, Tensor steepness) {}

    /** Checks the shapes. */
    public SmoothStep {
        if (!r.shape().equals(y.shape()) || !r.shape().equals(derivative.shape()) || r.rectified()) {
            throw new IllegalArgumentException("A smooth step takes a plain input and an output of one shape, not %s and %s".formatted(r, y));
        }
    }

    /** Records ũ(r), and returns it. */
    public static Tensor of(Tape tape, Curve curve, Tensor r) {
        Tensor y = tape.tensor("smooth step", r.shape());
        tape.record(new SmoothStep(tape.kernels(), curve, r, y, tape.tensor("smooth step's derivative", r.shape())));
        return y;
    }

    @Override
    public List<Tensor> inputs() {
        return List.of(r);
    }

    @Override
    public List<Tensor> outputs() {
        return List.of(y);
    }

    @Override
    public Work forward() {
        return kernels.stepFunction().smoothForward(
                r.shape().elements(),
                curve.z.shape().elements(),
                curve.z.values(),
                curve.middle.values(),
                curve.steepness.values(),
                r.values(),
                y.values(),
                derivative.values());
    }

    /** dr = dy ũ′(r). */
    @Override
    public Work backward(Gradients gradients) {
        return kernels.stepFunction().smoothBackward(r.shape().elements(), derivative.values(), gradients.of(y), gradients.into(r));
    }
}
