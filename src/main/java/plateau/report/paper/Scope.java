package plateau.report.paper;

import java.util.OptionalLong;
import plateau.study.Routing;
import plateau.study.Seeds;

/**
 * How thoroughly the paper is repeated, and with what.
 *
 * @param full the paper's steps, else as few as decide the claims
 * @param firstSeed of each run
 * @param seeds of each run; empty: as many as the section takes
 * @param routing what computes products and convolutions
 */
public record Scope(boolean full, long firstSeed, OptionalLong seeds, Routing routing) {

    /** The seeds, given how many are taken unless something else is asked for. */
    Seeds seeds(int quick, int thorough) {
        return new Seeds(firstSeed, seeds.orElse(full ? thorough : quick));
    }

    /** One of two, by the scale. */
    long choose(long quick, long thorough) {
        return full ? thorough : quick;
    }
}
