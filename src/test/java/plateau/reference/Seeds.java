package plateau.reference;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;

/**
 * Randomness of tests that can be repeated: a failure names its seed, and {@code -Dplateau.seed=N}
 * runs with it again.
 */
public record Seeds(long seed, RandomGenerator random) {

    /** A new seed, or the one that was asked for. */
    public static Seeds next() {
        String asked = System.getProperty("plateau.seed", "");
        long seed = asked.isEmpty() ? System.nanoTime() : Long.parseLong(asked);
        return new Seeds(seed, RandomGeneratorFactory.of("L64X128MixRandom").create(seed));
    }

    /** For an assertion's message. */
    public String message(String what) {
        return what + " (repeat with -Dplateau.seed=" + seed + ")";
    }

    /** Normal values; about one in ten is exactly zero, where kernels branch. */
    public float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextInt(10) == 0 ? 0 : (float) random.nextGaussian();
        }
        return values;
    }

    /** As {@link #floats}, without signs: losses, whose means do not cancel. */
    public float[] losses(int count) {
        float[] values = floats(count);
        for (int i = 0; i < count; i++) {
            values[i] = Math.abs(values[i]);
        }
        return values;
    }

    /** Values -1 and +1. */
    public float[] signs(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextBoolean() ? 1 : -1;
        }
        return values;
    }

    /** Whole numbers in [0, below). */
    public int[] ints(int count, int below) {
        return IntStream.range(0, count).map(_ -> random.nextInt(below)).toArray();
    }

    /** One of the values. */
    public int choose(int... values) {
        return values[random.nextInt(values.length)];
    }
}
