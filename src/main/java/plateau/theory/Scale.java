package plateau.theory;

/**
 * How thoroughly statements are computed.
 *
 * @param full larger dimensions and more samples, else what takes a minute on two cores
 * @param seed of everything that is drawn
 */
public record Scale(boolean full, long seed) {

    /** One of two, by the scale. */
    int choose(int quick, int thorough) {
        return full ? thorough : quick;
    }

    /** One of two lists, likewise. */
    int[] choose(int[] quick, int[] thorough) {
        return full ? thorough : quick;
    }
}
