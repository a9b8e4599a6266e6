package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import org.junit.jupiter.api.Test;
import plateau.reference.Seeds;

/** Numbers in tables are those of BigDecimal, which wrote them in earlier versions. */
class DecimalsTest {

    @Test
    void numbersAreWrittenAsEarlierVersionsWroteThem() {
        Seeds seeds = Seeds.next();
        for (int i = 0; i < 300_000; i++) {
            float single = Float.intBitsToFloat(seeds.random().nextInt());
            double value = switch (i % 4) {
                case 0 -> single;
                case 1 -> Double.longBitsToDouble(seeds.random().nextLong());
                case 2 -> seeds.random().nextInt(2000) / 1000f;
                default ->
                    Math.scalb(seeds.random().nextDouble(), seeds.random().nextInt(-40, 40));
            };
            if (Double.isFinite(value)) {
                assertEquals(earlier(value), Decimals.text(value), seeds.message("of " + value));
            }
        }
    }

    private static String earlier(double value) {
        return ((float) value == value ? new BigDecimal(Float.toString((float) value)) : BigDecimal.valueOf(value))
                .toString();
    }

    @Test
    void numbersThatAreTold() {
        assertEquals("0.1", Decimals.text(0.1f));
        assertEquals("0.1", Decimals.text(0.1));
        assertEquals("0.30000000000000004", Decimals.text(0.1 + 0.2));
        assertEquals("0.000010", Decimals.text(1e-5f));
        assertEquals("1.0E-7", Decimals.text(1e-7f));
        assertEquals("1.0E+10", Decimals.text(1e10));
        assertEquals("0.0", Decimals.text(-0.0));
        assertEquals("NaN", Decimals.text(Double.NaN));
        assertEquals("-Infinity", Decimals.text(Double.NEGATIVE_INFINITY));
    }
}
