package plateau.report.paper;

import java.util.OptionalInt;

/**
 * How thoroughly the paper is repeated.
 *
 * @param full the paper's steps, else as few as decide the claims
 * @param seeds of each run; empty: as many as the section takes
 */
public record Scale(boolean full, OptionalInt seeds) {

    /** The number of seeds, given what is taken unless something else is asked for. */
    int seeds(int quick, int thorough) {
        return seeds.orElse(full ? thorough : quick);
    }

    /** One of two, by the scale. */
    String choose(String quick, String thorough) {
        return full ? thorough : quick;
    }
}
