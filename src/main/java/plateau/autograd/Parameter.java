package plateau.autograd;

/**
 * One learnt array, as declared: where it lies in the arena of {@link Parameters} and how it
 * starts.
 *
 * @param name unique, such as {@code hidden.weights}
 * @param shape dense weights are (in, out)
 * @param offset its first element's index in each of the arena's arrays
 * @param index its place in the order of declaration, which keys its initial values
 * @param initial how it starts
 */
public record Parameter(String name, Shape shape, int offset, int index, Initial initial) {

    /** Whether another one has its name, its shape and its place, however it starts. */
    boolean isPlacedAs(Parameter other) {
        return name.equals(other.name) && shape.equals(other.shape) && offset == other.offset && index == other.index;
    }
}
