package plateau.theory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import plateau.results.Verdict;

/** Lines through points, and what is said of their slopes. */
class FitTest {
    /** y = 2 x + 1 with residuals (1, −1, −1, 1)/10: s² = 0.04/2, Σ(x − x̄)² = 5. */
    @Test
    void aSlopeHasTheErrorOfItsResiduals() {
        Fit fit = Fit.line(new double[] {0, 1, 2, 3}, new double[] {1.1, 2.9, 4.9, 7.1});
        assertEquals(2, fit.slope(), 1e-12);
        assertEquals(Math.sqrt(0.02 / 5), fit.error(), 1e-12);
        assertEquals(1, fit.start(), 1e-12);
        assertThrows(IllegalArgumentException.class, () -> Fit.line(new double[] {0, 1}, new double[] {0, 1}));
    }

    @Test
    void anExponentIsASlopeOfLogarithms() {
        Fit fit = Fit.power(new double[] {1, 2, 4, 10}, new double[] {3, 24, 192, 3000});
        assertEquals(3, fit.slope(), 1e-12);
        assertEquals(0, fit.error(), 1e-12);
    }

    @Test
    void anIntervalThatReachesToBothSidesDecidesNothing() {
        Fit fit = new Fit(3.5, 0.1, 0);
        assertEquals(Verdict.HOLDS, fit.atLeast(3.3));
        assertEquals(Verdict.UNDECIDED, fit.atLeast(3.4));
        assertEquals(Verdict.DOES_NOT_HOLD, fit.atLeast(3.71));
        assertEquals(Verdict.HOLDS, fit.atMost(3.7));
        assertEquals(Verdict.UNDECIDED, fit.atMost(3.6));
        assertEquals(Verdict.DOES_NOT_HOLD, fit.atMost(3.2));
        assertEquals(Verdict.HOLDS, fit.within(3.2, 3.8));
        assertEquals(Verdict.UNDECIDED, fit.within(3.4, 3.8));
        assertEquals(Verdict.DOES_NOT_HOLD, fit.within(3.8, 4));
        assertEquals("3.5 ± 0.1", fit.toString());
    }
}
