package plateau.theory;

import java.util.Arrays;
import java.util.stream.IntStream;
import plateau.results.Numbers;
import plateau.results.Verdict;

/**
 * A straight line through points, by least squares.
 *
 * @param slope its slope
 * @param error the slope's standard error, from the points' distances from the line
 * @param start the line's value at 0
 */
record Fit(double slope, double error, double start) {
    /** An estimate lies within so many standard errors, but for one in about twenty. */
    static final double SPREAD = 2;

    /**
     * Through (x, y).
     *
     * @throws IllegalArgumentException if there are fewer than three points
     */
    static Fit line(double[] x, double[] y) {
        int n = x.length;
        if (n < 3 || y.length != n) {
            throw new IllegalArgumentException("a line with an error takes three points or more, not " + n);
        }
        double mx = Arrays.stream(x).average().orElseThrow();
        double my = Arrays.stream(y).average().orElseThrow();
        double xx = Arrays.stream(x).map(each -> (each - mx) * (each - mx)).sum();
        double xy = IntStream.range(0, n)
                .mapToDouble(i -> (x[i] - mx) * (y[i] - my))
                .sum();
        double slope = xy / xx;
        double rest = IntStream.range(0, n)
                .mapToDouble(i -> Math.pow(y[i] - my - slope * (x[i] - mx), 2))
                .sum();
        return new Fit(slope, Math.sqrt(rest / (n - 2) / xx), my - slope * mx);
    }

    /** The exponent of y as a power of x. */
    static Fit power(double[] x, double[] y) {
        return line(
                Arrays.stream(x).map(Math::log).toArray(),
                Arrays.stream(y).map(Math::log).toArray());
    }

    double low() {
        return slope - SPREAD * error;
    }

    double high() {
        return slope + SPREAD * error;
    }

    /** Whether the slope is at least that: undecided where its interval reaches to both sides. */
    Verdict atLeast(double bound) {
        return low() >= bound ? Verdict.HOLDS : high() < bound ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
    }

    /** Whether the slope is at most that, likewise. */
    Verdict atMost(double bound) {
        return high() <= bound ? Verdict.HOLDS : low() > bound ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
    }

    /** Whether the slope lies between two bounds, likewise. */
    Verdict within(double least, double most) {
        return low() >= least && high() <= most
                ? Verdict.HOLDS
                : high() < least || low() > most ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
    }

    /** In words: slope ± standard error. */
    @Override
    public String toString() {
        return Numbers.rounded(slope) + " ± " + Numbers.rounded(error);
    }
}
