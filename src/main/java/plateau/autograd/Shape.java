package plateau.autograd;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The sizes of a tensor, row-major: the last one is contiguous. A batch comes first, so a matrix is
 * (rows, columns) and a batch of images is (batch, height, width, channels).
 *
 * @param sizes one or more sizes, each at least 1
 */
public record Shape(List<Integer> sizes) {

    /**
     * @throws IllegalArgumentException if there is no size, one is below 1, or the elements do not
     *     fit an int
     */
    public Shape {
        sizes = List.copyOf(sizes);
        if (sizes.isEmpty() || sizes.stream().anyMatch(size -> size < 1)) {
            throw new IllegalArgumentException("A shape needs sizes of at least 1, not " + sizes);
        }
        if (sizes.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact) > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("Shape " + sizes + " has more than 2^31 - 1 elements");
        }
    }

    /** The shape with these sizes. */
    public static Shape of(int... sizes) {
        return new Shape(Arrays.stream(sizes).boxed().toList());
    }

    /** The first size: the batch. */
    public int rows() {
        return sizes.getFirst();
    }

    /** Elements of one row: what a dense layer sees of a row of any shape. */
    public int columns() {
        return elements() / rows();
    }

    /** The product of all sizes. */
    public int elements() {
        return sizes.stream().reduce(1, (a, b) -> a * b);
    }

    @Override
    public String toString() {
        return sizes.stream().map(String::valueOf).collect(Collectors.joining("x"));
    }
}
