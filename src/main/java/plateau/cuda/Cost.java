package plateau.cuda;

/**
 * What an operation has to do at the least, for comparing its time with what the machine could do.
 * Integer arithmetic, of which random numbers are made, does not count.
 *
 * @param operations additions, multiplications and the like on floats
 * @param bytes of memory that are read or written, each counted once
 */
public record Cost(double operations, double bytes) {
    /** Nothing. */
    public static final Cost NONE = new Cost(0, 0);

    /** Both after one another. */
    public Cost plus(Cost other) {
        return new Cost(operations + other.operations, bytes + other.bytes);
    }
}
