package plateau.study;

import java.util.stream.LongStream;

/**
 * Seeds that follow one another.
 *
 * @param first of them
 * @param count how many
 */
public record Seeds(long first, long count) {

    /**
     * @throws IllegalArgumentException with one line, if there are none, or the last would be too
     *     large
     */
    public Seeds {
        if (count < 1) {
            throw new IllegalArgumentException("seeds must be at least 1, not " + count);
        }
        if (first > Long.MAX_VALUE - (count - 1)) {
            throw new IllegalArgumentException(
                    "seed %d is too large for %d seeds from there on".formatted(first, count));
        }
        if (count > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("seeds must be at most %d, not %d".formatted(Integer.MAX_VALUE, count));
        }
    }

    /** Each of them, ascending. */
    public LongStream stream() {
        return LongStream.range(0, count).map(i -> first + i);
    }
}
