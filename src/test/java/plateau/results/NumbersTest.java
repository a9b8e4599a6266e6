package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers in words. */
class NumbersTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 1",
        "0.5, 0.5",
        "12345.6, '12,346'",
        "0.0123456, 0.0123",
        "-0.25, −0.25",
        "0.00012, 1.2e−4",
        "1e-10, 1.0e−10",
        "123456789, 1.2e8"
    })
    void numbersHaveThreeDigits(double value, String text) {
        assertEquals(text, Numbers.rounded(value));
    }

    @Test
    void spreadsHaveTwoDigits() {
        assertEquals("3.0 ± 1.6", Numbers.spread(new double[] {1, 2, 3, 4, 5}));
        assertEquals("−0.0300 ± 0.0014", Numbers.spread(new double[] {-0.029, -0.031}));
        assertEquals("1 ± 0", Numbers.spread(new double[] {1, 1}));
        assertEquals("50,000 ± 14,142", Numbers.spread(new double[] {40_000, 60_000}));
        assertEquals("0.4", Numbers.spread(new double[] {0.4}));
        assertEquals("-", Numbers.spread(new double[] {}));
    }
}
