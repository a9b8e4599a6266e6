package plateau.report.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import plateau.results.Verdict;

/** Verdicts on numbers whose probabilities were worked out by hand or from tables. */
class EvidenceTest {
    private static final double[] ONE_TO_FIVE = {1, 2, 3, 4, 5}; // mean 3, deviation 1.5811

    @Test
    void theTTestHasStudentsProbabilities() {
        // t = (3 - 2) / (1.5811 / √5) = 1.4142 on 4 degrees of freedom
        assertEquals(0.1151, Evidence.above("x", ONE_TO_FIVE, 2).pFor(), 5e-5);
        assertEquals(1 - 0.1151, Evidence.above("x", ONE_TO_FIVE, 2).pAgainst(), 5e-5);
        assertEquals(0.0237, Evidence.below("x", ONE_TO_FIVE, 5).pFor(), 5e-5); // t = -2.8284
    }

    @Test
    void aMeanIsAboveBelowOrTooCloseToCall() {
        assertEquals(Verdict.HOLDS, Evidence.above("x", ONE_TO_FIVE, 1).verdict());
        assertEquals(Verdict.UNDECIDED, Evidence.above("x", ONE_TO_FIVE, 2).verdict());
        assertEquals(Verdict.DOES_NOT_HOLD, Evidence.above("x", ONE_TO_FIVE, 5).verdict());
        assertEquals(Verdict.HOLDS, Evidence.below("x", ONE_TO_FIVE, 5).verdict());
        assertEquals(Verdict.DOES_NOT_HOLD, Evidence.below("x", ONE_TO_FIVE, 1).verdict());
    }

    @Test
    void equalRunsAreJudgedBySign() {
        Evidence four = Evidence.above("x", new double[] {1, 1, 1, 1}, 0.9);
        assertEquals(1 / 16.0, four.pFor());
        assertEquals(Verdict.UNDECIDED, four.verdict());
        assertEquals(List.of("sign test, above 0.9"), four.tests());
        assertEquals(
                1 / 32.0, Evidence.above("x", new double[] {1, 1, 1, 1, 1}, 0.9).pFor());
        assertEquals(
                Verdict.DOES_NOT_HOLD,
                Evidence.above("x", new double[] {0, 0, 0, 0, 0}, 0.9).verdict());
        assertEquals(
                Verdict.UNDECIDED,
                Evidence.above("x", new double[] {1, 1, 1, 1, 1}, 1).verdict(),
                "on the threshold");
    }

    @Test
    void equivalenceNeedsBothSides() {
        assertEquals(
                Verdict.HOLDS,
                Evidence.within("x", new double[] {0.49, 0.5, 0.51, 0.5}, 0.45, 0.55)
                        .verdict());
        assertEquals(
                Verdict.DOES_NOT_HOLD,
                Evidence.within("x", new double[] {0.89, 0.9, 0.91, 0.9}, 0.45, 0.55)
                        .verdict());
        assertEquals(
                Verdict.DOES_NOT_HOLD,
                Evidence.within("x", new double[] {0.09, 0.1, 0.11, 0.1}, 0.45, 0.55)
                        .verdict());
        assertEquals(
                Verdict.UNDECIDED,
                Evidence.within("x", new double[] {0.3, 0.5, 0.7, 0.5}, 0.45, 0.55)
                        .verdict(),
                "too wide a spread");
        assertEquals(
                Verdict.UNDECIDED,
                Evidence.within("x", new double[] {0.54, 0.55, 0.56, 0.55}, 0.45, 0.55)
                        .verdict(),
                "on a bound");
    }

    @Test
    void aShareHasBinomialProbabilities() {
        assertEquals(
                1 / 32.0,
                Evidence.share("win", Collections.nCopies(5, true), 0.5).pFor(),
                1e-12);
        assertEquals(
                Verdict.HOLDS,
                Evidence.share("win", Collections.nCopies(5, true), 0.5).verdict());
        assertEquals(
                Verdict.UNDECIDED,
                Evidence.share("win", List.of(true, true, true, true, false), 0.5)
                        .verdict());
        assertEquals(
                Verdict.DOES_NOT_HOLD,
                Evidence.share("win", Collections.nCopies(5, false), 0.5).verdict());
        Evidence rare = Evidence.share("fail", List.of(true, true, false, false, false), 0.05);
        assertEquals(1 - Math.pow(0.95, 5) - 5 * 0.05 * Math.pow(0.95, 4), rare.pFor(), 1e-12);
        assertEquals(List.of("2 of 5 runs fail"), rare.measured());
    }

    @Test
    void pairsAreCountedAndTiesLeftOut() {
        Evidence wins = Evidence.smaller(
                "error below the other's", new double[] {1, 1, 1, 1, 1, 7}, new double[] {2, 3, 4, 5, 6, 7});
        assertEquals(List.of("error below the other's for 5 of 5 seeds (medians 1 and 4.5)"), wins.measured());
        assertEquals(Verdict.HOLDS, wins.verdict());
        assertEquals(
                Verdict.UNDECIDED,
                Evidence.smaller("", new double[] {1, 1, 1, 1, 9}, new double[] {2, 2, 2, 2, 2})
                        .verdict());
        assertEquals(
                Verdict.DOES_NOT_HOLD,
                Evidence.smaller("", new double[] {3, 3, 3, 3, 3}, new double[] {2, 2, 2, 2, 2})
                        .verdict());
        assertEquals(
                Verdict.UNDECIDED,
                Evidence.smaller("", new double[] {2}, new double[] {2}).verdict(),
                "a tie");
    }

    @Test
    void theWeakestPartDecidesForAndTheStrongestAgainst() {
        Evidence sure = Evidence.above("a", new double[] {1, 1.01, 1.02}, 0);
        Evidence open = Evidence.above("b", ONE_TO_FIVE, 2);
        Evidence wrong = Evidence.above("c", new double[] {-1, -1.01, -1.02}, 0);
        assertEquals(Verdict.HOLDS, Evidence.all(List.of(sure, sure)).verdict());
        assertEquals(Verdict.UNDECIDED, Evidence.all(List.of(sure, open)).verdict());
        assertEquals(open.pFor(), Evidence.all(List.of(sure, open)).pFor());
        assertEquals(
                Verdict.DOES_NOT_HOLD, Evidence.all(List.of(sure, open, wrong)).verdict());
        assertEquals(
                3 * wrong.pAgainst(), Evidence.all(List.of(sure, open, wrong)).pAgainst(), 1e-12);
        assertEquals(2, Evidence.all(List.of(sure, open)).measured().size());
    }

    @Test
    void withoutResultsAllIsUndecided() {
        double[] none = {};
        for (Evidence evidence : List.of(
                Evidence.above("x", none, 0),
                Evidence.within("x", none, 0, 1),
                Evidence.share("x", List.of(), 0.5),
                Evidence.smaller("x", none, none),
                Evidence.smaller("x", none, ONE_TO_FIVE),
                Evidence.all(List.of()))) {
            assertEquals(Verdict.UNDECIDED, evidence.verdict());
            assertTrue(
                    evidence.measured().isEmpty() || evidence.measured().equals(List.of("no results")),
                    evidence::toString);
        }
        assertEquals(Verdict.UNDECIDED, Evidence.above("x", new double[] {7}, 0).verdict(), "one run has no spread");
    }

    @Test
    void probabilitiesAreInWords() {
        assertEquals("p < 0.001", new Evidence(List.of(), List.of(), 1e-4, 1).probability());
        assertEquals("p = 0.031", new Evidence(List.of(), List.of(), 1 / 32.0, 1).probability());
        assertEquals("p = 0.31", new Evidence(List.of(), List.of(), 1, 0.31).probability());
    }

    /**
     * As many as quick mode takes for k = 2: 1 - Σ (28 over i) 0.05ⁱ 0.95²⁸⁻ⁱ, i up to 3 and to 2.
     */
    @Test
    void fourOf28RunsAreMoreThanOneIn20() {
        List<Boolean> three = IntStream.range(0, 28).mapToObj(i -> i < 3).toList();
        List<Boolean> four = IntStream.range(0, 28).mapToObj(i -> i < 4).toList();
        assertEquals(0.04907, Evidence.share("work", four, 0.05).pFor(), 5e-6);
        assertEquals(Verdict.HOLDS, Evidence.share("work", four, 0.05).verdict());
        assertEquals(0.16266, Evidence.share("work", three, 0.05).pFor(), 5e-6);
        assertEquals(Verdict.UNDECIDED, Evidence.share("work", three, 0.05).verdict());
    }

    /** What is missing may go either way: of 5 planned, 2 are not there. */
    @Test
    void whatIsMissingCountsAgainstEitherVerdict() {
        List<Boolean> won = List.of(true, true, true);
        assertEquals(0.5, Evidence.share("win", won, 5, 0.5).pFor(), 1e-12, "3 of 5 at least");
        assertEquals(1, Evidence.share("win", won, 5, 0.5).pAgainst(), 1e-12, "5 of 5 at most");
        List<Boolean> lost = List.of(false, false, false);
        assertEquals(1, Evidence.share("win", lost, 5, 0.5).pFor(), 1e-12, "none at least");
        assertEquals(0.5, Evidence.share("win", lost, 5, 0.5).pAgainst(), 1e-12, "2 of 5 at most");
        assertEquals(Evidence.share("win", won, 0.5), Evidence.share("win", won, 2, 0.5), "more than planned");
    }
}
