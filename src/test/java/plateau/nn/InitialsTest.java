package plateau.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class InitialsTest {

    @Test
    void aFanIsPositive() {
        for (int fan : new int[] {0, -3}) {
            assertEquals(
                    "A fan must be at least 1, not " + fan,
                    assertThrows(IllegalArgumentException.class, () -> Initials.truncatedNormal(fan)).getMessage());
        }
    }
}
