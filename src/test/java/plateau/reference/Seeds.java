package plateau.reference;

import plateau.check.Draws;

/**
 * Randomness of tests that can be repeated: a failure names its seed, and {@code -Dplateau.seed=N}
 * runs with it again.
 */
public final class Seeds extends Draws {
    /** Those of a seed. */
    public Seeds(long seed) {
        super(seed);
    }

    /** A new seed, or the one that was asked for. */
    public static Seeds next() {
        String asked = System.getProperty("plateau.seed", "");
        return new Seeds(asked.isEmpty() ? System.nanoTime() : Long.parseLong(asked));
    }

    /** For an assertion's message. */
    public String message(String what) {
        return what + " (repeat with -Dplateau.seed=" + seed() + ")";
    }
}
