package plateau.results;

import java.math.BigDecimal;

/** Numbers as tables and descriptions have them. */
final class Decimals {
    private Decimals() {}

    /**
     * The shortest decimal that reads as this value: metrics come as floats, and have a float's
     * digits where that is all there is to them. Exponents only below 1e-6 and above a text's
     * digits, as BigDecimal writes them.
     */
    static String text(double value) {
        if (!Double.isFinite(value)) {
            return Double.toString(value);
        }
        String text = (float) value == value ? Float.toString((float) value) : Double.toString(value);
        if (text.indexOf('E') >= 0) {
            return new BigDecimal(text).toString();
        }
        return text.equals("-0.0") ? "0.0" : text;
    }
}
