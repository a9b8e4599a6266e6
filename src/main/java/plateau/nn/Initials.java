package plateau.nn;

import plateau.autograd.Initial;

/** The ways in which parameters start. */
public final class Initials {
    private Initials() {}

    /** Zero: biases. */
    public static Initial zeros() {
        return (kernels, elements, seed, stream, values) -> values.fill(0);
    }

    /**
     * Normal with σ = 1/√fan, redrawn while outside ±2σ, drawn on the device.
     *
     * @param fan normally the number of inputs of each unit
     * @throws IllegalArgumentException if it is below 1
     */
    public static Initial truncatedNormal(int fan) {
        if (fan < 1) {
            throw new IllegalArgumentException("A fan must be at least 1, not " + fan);
        }
        float sigma = (float) (1 / Math.sqrt(fan));
        return (kernels, elements, seed, stream, values) ->
                kernels.initializer().truncatedNormal(elements, seed, stream, sigma, values);
    }
}
