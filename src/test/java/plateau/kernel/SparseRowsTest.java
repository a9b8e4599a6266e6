package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Rows read by index: who else reads a row, and that what a row has missed is what Adam would have
 * done, update by update.
 */
class SparseRowsTest {
    private static final float BETA1 = 0.9f;
    private static final float BETA2 = 0.99f;
    private static final float EPSILON = 1e-5f;
    private static final SparseRows.Rule RULE = new SparseRows.Rule(BETA1, BETA2, EPSILON);

    /** A mean that lasts as long as the mean square: two nodes no longer tell the updates apart. */
    @ParameterizedTest
    @ValueSource(floats = {0.99f, 0.999f, 1, Float.NaN})
    void constantsThatWouldCostAccuracyAreRefused(float beta1) {
        assertThrows(IllegalArgumentException.class, () -> new SparseRows.Rule(beta1, BETA2, EPSILON));
    }

    @Test
    void usualConstantsAreNot() {
        assertEquals(0.999f, new SparseRows.Rule(0.9f, 0.999f, 1e-8f).beta2());
    }
}
