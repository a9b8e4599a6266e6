package plateau.theory;

import java.util.function.DoubleUnaryOperator;

/**
 * Means over the sphere of d dimensions of functions of t, the cosine of the angle to a fixed
 * direction: t = sin φ has density proportional to cos^(d − 2) φ. In float64 on the host, by
 * Simpson's rule: what is sought may be 10⁻⁵⁰, which no float holds and no sample shows.
 */
final class Zonal {
    private static final int POINTS = 4000;

    private final int d;
    private final double[] weights = new double[POINTS + 1];

    /** @param d at least 2 */
    Zonal(int d) {
        this.d = d;
        double sum = 0;
        for (int i = 0; i <= POINTS; i++) {
            weights[i] = Math.pow(Math.cos(angle(i)), d - 2.0) * (i == 0 || i == POINTS ? 1 : i % 2 == 1 ? 4 : 2);
            sum += weights[i];
        }
        for (int i = 0; i <= POINTS; i++) {
            weights[i] /= sum;
        }
    }

    private static double angle(int i) {
        return Math.PI * ((double) i / POINTS - 0.5);
    }

    /** The mean of a function of φ. */
    double mean(DoubleUnaryOperator ofAngle) {
        double sum = 0;
        for (int i = 0; i <= POINTS; i++) {
            sum += weights[i] * ofAngle.applyAsDouble(angle(i));
        }
        return sum;
    }

    /**
     * The eigenvalue of the kernel ofAngle(φ(u, v)) on spherical harmonics of a degree (Funk and
     * Hecke): the mean of the kernel times Legendre's polynomial in d dimensions, which is 1 at t =
     * 1.
     */
    double eigenvalue(DoubleUnaryOperator ofAngle, int degree) {
        return mean(angle -> ofAngle.applyAsDouble(angle) * legendre(degree, Math.sin(angle)));
    }

    private double legendre(int degree, double t) {
        double before = 1;
        double now = t;
        if (degree == 0) {
            return before;
        }
        for (int l = 1; l < degree; l++) {
            double next = ((2.0 * l + d - 2) * t * now - l * before) / (l + d - 2.0);
            before = now;
            now = next;
        }
        return now;
    }
}
