package plateau.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ParityOptionsTest {

    @Test
    void defaultsAreThePapers() {
        assertEquals(new Parity.Options(30, OptionalInt.empty(), 128, 0.01f), Parity.Options.of(30));
        assertEquals(50_000, new ParityKind().defaultSteps(Parity.Options.of(30)));
    }

    @Test
    void mistakesGetOneLine() {
        assertRefused("d is missing", () -> new Parity.Options(null, null, null, null));
        assertRefused("d must be between 1 and 1000, not 0", () -> Parity.Options.of(0));
        assertRefused(
                "subset-size must be between 0 and d = 5, not 6",
                () -> Parity.Options.of(5).withSubsetSize(6));
        assertRefused("batch must be between 1 and 1048576, not 0", () -> new Parity.Options(5, null, 0, null));
        assertRefused("lr must be positive, not NaN", () -> new Parity.Options(5, null, 1, Float.NaN));
    }

    private static void assertRefused(String message, Runnable options) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, options::run).getMessage());
    }
}
