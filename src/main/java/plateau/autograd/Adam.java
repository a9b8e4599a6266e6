package plateau.autograd;

import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * Adam (Kingma &amp; Ba 2015) with ε outside the bias correction, "epsilon hat" of its section 2.
 *
 * @param learningRate lr, positive
 * @param beta1 decay of the gradients' mean
 * @param beta2 decay of the gradients' mean square
 * @param epsilon added to the root of the mean square
 */
public record Adam(float learningRate, float beta1, float beta2, float epsilon) implements DenseOptimizer {

    /** @throws IllegalArgumentException if a constant is out of range */
    public Adam {
        Optimizer.requireRate(learningRate);
        if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
            throw new IllegalArgumentException("Adam's decays must be at least 0 and below 1, not %s and %s".formatted(beta1, beta2));
        }
        if (!(epsilon > 0) || Float.isInfinite(epsilon)) {
            throw new IllegalArgumentException("Adam's epsilon must be positive, not " + epsilon);
        }
    }

    /** The constants of these experiments, unless they say otherwise. */
    public static Adam of(float learningRate) {
        return new Adam(learningRate, 0.9f, 0.99f, 1e-5f);
    }

    @Override
    public int stateArrays() {
        return 2;
    }

    @Override
    public Work update(Kernels kernels, Workspace workspace, Parameters parameters, DeviceBuffer step) {
        DeviceBuffer rate = workspace.words(1);
        return Work.sequence(
                "adam",
                List.of(
                        kernels.updates().rate(parameters.learningRate(), step, beta1, beta2, rate),
                        kernels.updates()
                                .adam(
                                        parameters.elements(),
                                        rate,
                                        beta1,
                                        beta2,
                                        epsilon,
                                        parameters.values(),
                                        parameters.gradients(),
                                        parameters.state(0),
                                        parameters.state(1))));
    }
}
