package plateau.cuda;

/**
 * A three-dimensional grid, in blocks. CUDA takes 2³¹ − 1 along x, and 65,535 along y and z: what
 * may be many, such as samples, is along x.
 */
public record Dim(int x, int y, int z) {
    private static final int MOST_ACROSS = 65_535;

    /** Checks that CUDA can launch it. */
    public Dim {
        if (x < 1 || y < 1 || z < 1 || y > MOST_ACROSS || z > MOST_ACROSS) {
            throw new IllegalArgumentException(
                    "a grid of (%d, %d, %d) blocks is none; y and z have at most %d".formatted(x, y, z, MOST_ACROSS));
        }
    }

    /** One-dimensional. */
    public static Dim of(int x) {
        return new Dim(x, 1, 1);
    }

    /** Two-dimensional. */
    public static Dim of(int x, int y) {
        return new Dim(x, y, 1);
    }
}
