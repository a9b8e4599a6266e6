package plateau.check;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;

/** Random inputs, which their seed repeats. */
public class Draws {
    /** One, primes, and sizes around a warp, a tile and a block. */
    static final int[] SIZES = {1, 2, 3, 7, 31, 32, 33, 61, 63, 64, 65, 100, 127, 128, 131, 257};

    private final long seed;
    private final RandomGenerator random;

    /** Those of a seed. */
    public Draws(long seed) {
        this.seed = seed;
        this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    /** What repeats them. */
    public final long seed() {
        return seed;
    }

    /** What they are drawn from. */
    public final RandomGenerator random() {
        return random;
    }

    /** Normal values; about one in ten is exactly zero, where kernels branch. */
    public final float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextInt(10) == 0 ? 0 : (float) random.nextGaussian();
        }
        return values;
    }

    /** As {@link #floats}, without signs: losses, whose means do not cancel. */
    public final float[] losses(int count) {
        float[] values = floats(count);
        for (int i = 0; i < count; i++) {
            values[i] = Math.abs(values[i]);
        }
        return values;
    }

    /** Values −1 and +1. */
    public final float[] signs(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextBoolean() ? 1 : -1;
        }
        return values;
    }

    /** Whole numbers in [0, below). */
    public final int[] ints(int count, int below) {
        return IntStream.range(0, count).map(_ -> random.nextInt(below)).toArray();
    }

    /** One of the values. */
    public final int choose(int... values) {
        return values[random.nextInt(values.length)];
    }

    /** One of {@link #SIZES}. */
    final int size() {
        return choose(SIZES);
    }
}
