package plateau.check;

import java.util.stream.DoubleStream;

/**
 * Sums of terms, in float64, with those of the terms' magnitudes: what a float's sum is off is
 * relative to these, not to what cancelling leaves.
 */
final class Sums {
    private final double[] values;
    private final double[] magnitudes;

    /** That many, of nothing yet. */
    Sums(int count) {
        values = new double[count];
        magnitudes = new double[count];
    }

    void add(int index, double term) {
        values[index] += term;
        magnitudes[index] += Math.abs(term);
    }

    /** What is known to the bit, whatever was added. */
    void replace(int index, double value) {
        values[index] = value;
        magnitudes[index] = 0;
    }

    double[] values() {
        return values;
    }

    /** How far each may be off. */
    double[] allowed(double tolerance) {
        return DoubleStream.of(magnitudes).map(size -> tolerance * size).toArray();
    }
}
