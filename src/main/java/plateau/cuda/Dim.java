package plateau.cuda;

/** A three-dimensional extent, of a grid in blocks. */
public record Dim(int x, int y, int z) {

    /** One-dimensional. */
    public static Dim of(int x) {
        return new Dim(x, 1, 1);
    }

    /** Two-dimensional. */
    public static Dim of(int x, int y) {
        return new Dim(x, y, 1);
    }
}
