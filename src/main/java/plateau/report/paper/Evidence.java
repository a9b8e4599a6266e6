package plateau.report.paper;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.commons.statistics.inference.AlternativeHypothesis;
import org.apache.commons.statistics.inference.BinomialTest;
import org.apache.commons.statistics.inference.TTest;
import plateau.results.Numbers;
import plateau.results.Verdict;

/**
 * What runs say about a claim, by two one-sided tests: one of the claim against its opposite, one
 * of the opposite against the claim. Independent runs (seeds) are the sample; what they leave open
 * is undecided.
 *
 * @param measured the numbers, in words; a line for each part of the claim
 * @param tests that were applied, with their thresholds, likewise
 * @param pFor probability of numbers that speak for the claim as much as these do, were it just
 *     false
 * @param pAgainst of numbers that speak against it as much as these do, were it just true
 */
public record Evidence(List<String> measured, List<String> tests, double pFor, double pAgainst) {

    /** A claim is decided at this probability of error, each for itself. */
    public static final double LEVEL = 0.05;

    /** Copies the lists. */
    public Evidence {
        measured = List.copyOf(measured);
        tests = List.copyOf(tests);
    }

    private Evidence(String measured, String test, double pFor, double pAgainst) {
        this(List.of(measured), List.of(test), pFor, pAgainst);
    }

    /** What the two tests decide. */
    public Verdict verdict() {
        return pFor <= LEVEL ? Verdict.HOLDS : pAgainst <= LEVEL ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED;
    }

    /** The smaller probability, in words. */
    public String probability() {
        double p = Math.min(pFor, pAgainst);
        return p < 1e-3 ? "p < 0.001" : String.format(Locale.ROOT, p < 0.1 ? "p = %.3f" : "p = %.2f", p);
    }

    /**
     * More than a share of all possible runs have a property: the exact binomial test.
     *
     * @param property for the reader: "end worse than the best constant"
     * @param runs whether each has it
     * @param share between 0 and 1
     */
    public static Evidence share(String property, List<Boolean> runs, double share) {
        return share(property, runs, runs.size(), share);
    }

    /**
     * Likewise, of a test over so many runs, some of which are not there. It decides no sooner than
     * what they show can no longer matter (curtailed sampling): for the sentence they count as if
     * they had not the property, and against it as if they had.
     *
     * @param planned the number of runs that the test is over
     */
    static Evidence share(String property, List<Boolean> runs, int planned, double share) {
        int having = (int) runs.stream().filter(has -> has).count();
        int missing = Math.max(planned - runs.size(), 0);
        int all = runs.size() + missing;
        String test = "binomial test, above a share of " + Numbers.rounded(share);
        String measured = "%d of %d runs%s %s"
                .formatted(having, runs.size(), missing == 0 ? "" : " (of %d planned)".formatted(all), property);
        return runs.isEmpty()
                ? none(test)
                : new Evidence(
                        measured,
                        test,
                        binomial(having, all, share, AlternativeHypothesis.GREATER_THAN),
                        binomial(having + missing, all, share, AlternativeHypothesis.LESS_THAN));
    }

    /**
     * In pairs of runs of one seed, the first number tends to be smaller: the sign test, for
     * numbers that may lie magnitudes apart. Ties say nothing.
     *
     * @param relation for the reader: "error below the convolution's"
     * @param first one number per seed
     * @param second likewise
     */
    public static Evidence smaller(String relation, double[] first, double[] second) {
        String test = "sign test over seeds";
        int smaller = 0;
        int larger = 0;
        for (int i = 0; i < Math.min(first.length, second.length); i++) {
            smaller += first[i] < second[i] ? 1 : 0;
            larger += first[i] > second[i] ? 1 : 0;
        }
        int n = smaller + larger;
        String measured = "%s for %d of %d seeds (medians %s and %s)"
                .formatted(relation, smaller, n, Numbers.rounded(median(first)), Numbers.rounded(median(second)));
        return n == 0 ? none(test) : binomial(measured, test, smaller, n, 0.5);
    }

    private static Evidence binomial(String measured, String test, int having, int n, double share) {
        return new Evidence(
                measured,
                test,
                binomial(having, n, share, AlternativeHypothesis.GREATER_THAN),
                binomial(having, n, share, AlternativeHypothesis.LESS_THAN));
    }

    private static double binomial(int having, int n, double share, AlternativeHypothesis side) {
        return BinomialTest.withDefaults().with(side).test(n, having, share).getPValue();
    }

    /**
     * The mean lies above a threshold: the t-test, or the sign test where runs do not differ, so
     * that there is no spread to judge by.
     */
    public static Evidence above(String what, double[] values, double threshold) {
        return oneSided(what, values, threshold, true);
    }

    /** The mean lies below a threshold, likewise. */
    public static Evidence below(String what, double[] values, double threshold) {
        return oneSided(what, values, threshold, false);
    }

    private static Evidence oneSided(String what, double[] values, double threshold, boolean above) {
        String test = "%s, %s %s".formatted(method(values), above ? "above" : "below", Numbers.rounded(threshold));
        double greater = p(values, threshold, AlternativeHypothesis.GREATER_THAN);
        double less = p(values, threshold, AlternativeHypothesis.LESS_THAN);
        return values.length == 0
                ? none(test)
                : new Evidence(
                        what + " " + Numbers.spread(values), test, above ? greater : less, above ? less : greater);
    }

    /**
     * The mean lies between two bounds: a test above the lower and one below the upper must both
     * say so (equivalence).
     */
    public static Evidence within(String what, double[] values, double low, double high) {
        String test = "%s, between %s and %s".formatted(method(values), Numbers.rounded(low), Numbers.rounded(high));
        double pFor = Math.max(
                p(values, low, AlternativeHypothesis.GREATER_THAN), p(values, high, AlternativeHypothesis.LESS_THAN));
        double pAgainst = 2
                * Math.min(
                        p(values, low, AlternativeHypothesis.LESS_THAN),
                        p(values, high, AlternativeHypothesis.GREATER_THAN));
        return values.length == 0
                ? none(test)
                : new Evidence(what + " " + Numbers.spread(values), test, pFor, Math.min(1, pAgainst));
    }

    /**
     * All of several parts hold: for the claim, the weakest counts; against it, the strongest,
     * corrected for their number (Bonferroni).
     */
    public static Evidence all(List<Evidence> parts) {
        if (parts.isEmpty()) {
            return new Evidence(List.of(), List.of(), 1, 1);
        }
        return new Evidence(
                parts.stream()
                        .flatMap(part -> part.measured.stream())
                        .distinct()
                        .toList(),
                parts.stream().flatMap(part -> part.tests.stream()).distinct().toList(),
                parts.stream().mapToDouble(Evidence::pFor).max().orElseThrow(),
                Math.min(
                        1,
                        parts.size()
                                * parts.stream()
                                        .mapToDouble(Evidence::pAgainst)
                                        .min()
                                        .orElseThrow()));
    }

    /**
     * Of runs that were cut short: what they have not reached says nothing against a claim that
     * they would.
     */
    Evidence cutShort() {
        return new Evidence(measured, tests, pFor, 1);
    }

    private static Evidence none(String test) {
        return new Evidence("no results", test, 1, 1);
    }

    private static String method(double[] values) {
        return values.length < 2 || differ(values) ? "t-test" : "sign test";
    }

    private static boolean differ(double[] values) {
        return Arrays.stream(values).distinct().count() > 1;
    }

    private static double p(double[] values, double threshold, AlternativeHypothesis side) {
        if (values.length < 2) {
            return 1;
        }
        if (differ(values)) {
            return TTest.withDefaults()
                    .withMu(threshold)
                    .with(side)
                    .test(values)
                    .getPValue();
        }
        boolean agrees = side == AlternativeHypothesis.GREATER_THAN ? values[0] > threshold : values[0] < threshold;
        return agrees ? Math.pow(0.5, values.length) : 1;
    }

    private static double median(double[] values) {
        double[] sorted = Arrays.stream(values).sorted().toArray();
        return sorted.length == 0 ? Double.NaN : (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }
}
