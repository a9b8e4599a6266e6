package plateau.theory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Means over spheres, against those that are known. */
class ZonalTest {
    /** E t² = 1/d, E t⁴ = 3/(d(d + 2)). */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 17, 784})
    void momentsOfTheCosineAreKnown(int d) {
        Zonal sphere = new Zonal(d);
        assertEquals(1.0 / d, sphere.mean(angle -> Math.pow(Math.sin(angle), 2)), 1e-7 / d);
        assertEquals(3.0 / d / (d + 2), sphere.mean(angle -> Math.pow(Math.sin(angle), 4)), 1e-7 / d);
    }

    /** t² = 1/d + (1 − 1/d) P₂(t), and E P₂² is 1 over the number of harmonics of degree 2. */
    @ParameterizedTest
    @ValueSource(ints = {3, 4, 17})
    void aKernelHasAnEigenvalueForEachDegree(int d) {
        Zonal sphere = new Zonal(d);
        double harmonics = d * (d + 1) / 2.0 - 1;
        assertEquals(1.0 / d, sphere.eigenvalue(angle -> Math.pow(Math.sin(angle), 2), 0), 1e-8);
        assertEquals(0, sphere.eigenvalue(angle -> Math.pow(Math.sin(angle), 2), 1), 1e-8);
        assertEquals((1 - 1.0 / d) / harmonics, sphere.eigenvalue(angle -> Math.pow(Math.sin(angle), 2), 2), 1e-8);
        assertEquals(0, sphere.eigenvalue(angle -> Math.pow(Math.sin(angle), 2), 3), 1e-8);
    }

    /** On the circle the angle is uniform: E φ² over (−π/2, π/2) is π²/12. */
    @Test
    void onTheCircleAnglesAreUniform() {
        assertEquals(Math.PI * Math.PI / 12, new Zonal(2).mean(angle -> angle * angle), 1e-6);
    }
}
