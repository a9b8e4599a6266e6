package plateau.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Options of somebody else's, good ones and bad ones. */
public class ChoicesTest {

    /** Of two words. */
    public enum Norm {
        /** The first. */
        LARGEST_VALUE,
        /** The second. */
        SUM
    }

    /** One of each type. */
    public record Good(
            @Option(text = "layers") Integer hiddenLayers,
            @Option(text = "samples", symbol = "COUNT") Long samples,
            @Option(name = "lr", text = "rate") Float rate,
            @Option(text = "seats") OptionalInt seats,

            @Option(
                    text = "norm",
                    each = {"sum", "largest-value"},
                    main = true)
            Norm norm) {

        /** Puts the defaults. */
        public Good {
            hiddenLayers = hiddenLayers == null ? 3 : hiddenLayers;
            seats = seats == null ? OptionalInt.empty() : seats;
        }
    }

    record WithoutOption(Integer number) {}

    record OfAnArray(@Option(text = "widths") int[] widths) {}

    record OfAPrimitive(@Option(text = "a number") int number) {}

    record Twice(
            @Option(name = "n", text = "one") Integer one,
            @Option(name = "n", text = "another") Integer other) {}

    record WrongEach(
            @Option(
                    text = "a number",
                    each = {"1", "two"})
            Integer number) {}

    @Test
    void namesComeFromTheComponents() {
        List<Choice> all = Choices.of(Good.class).all();
        assertEquals(
                List.of("hidden-layers", "samples", "lr", "seats", "norm"),
                all.stream().map(Choice::name).toList());
        assertEquals(
                List.of("N", "COUNT", "N", "N", "N"),
                all.stream().map(Choice::symbol).toList());
        assertEquals(List.of("largest-value", "sum"), all.getLast().constants());
        assertEquals(List.of("sum", "largest-value"), all.getLast().each());
        assertTrue(all.getLast().main());
        assertEquals(List.of(all.getLast()), Choices.of(Good.class).differing());
        assertFalse(all.getFirst().differs());
    }

    @Test
    void valuesAreReadAsTextsAndAsNumbers() {
        Choices<Good> choices = Choices.of(Good.class);
        Good expected = new Good(2, 5_000_000_000L, 0.1f, OptionalInt.of(4), Norm.LARGEST_VALUE);
        assertEquals(
                expected,
                choices.create(Map.of(
                        "hidden-layers",
                        "2",
                        "samples",
                        "5000000000",
                        "lr",
                        "0.1",
                        "seats",
                        "4",
                        "norm",
                        "Largest-Value")));
        assertEquals(
                expected,
                choices.create(Map.of(
                        "hidden-layers",
                        2,
                        "samples",
                        5_000_000_000L,
                        "lr",
                        0.1,
                        "seats",
                        4,
                        "norm",
                        "largest-value")));
        Good defaults = choices.create(Map.of("lr", ""));
        assertEquals(new Good(3, null, null, OptionalInt.empty(), null), defaults);
        assertEquals(
                List.of(3),
                choices.values(defaults).values().stream()
                        .filter(value -> value != null)
                        .toList());
        assertNull(choices.values(defaults).get("seats"));
        assertEquals("largest-value", choices.values(expected).get("norm"));
    }

    @Test
    void recordsThatCannotBeChosenFromAreRefused() {
        String here = ChoicesTest.class.getName();
        assertRefused("number of " + here + "$WithoutOption has no @Option", () -> Choices.of(WithoutOption.class));
        String types = "; an option is an Integer, Long, Float, OptionalInt or enum";
        assertRefused("widths of " + here + "$OfAnArray is of type int[]" + types, () -> Choices.of(OfAnArray.class));
        assertRefused(
                "number of " + here + "$OfAPrimitive is of type int" + types, () -> Choices.of(OfAPrimitive.class));
        assertRefused("two options of " + here + "$Twice have one name: n, n", () -> Choices.of(Twice.class));
        assertRefused("number must be a number without a fraction, not 'two'", () -> Choices.of(WrongEach.class));
    }

    private static void assertRefused(String message, Runnable choices) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, choices::run).getMessage());
    }

    @Test
    void mistakesInValuesGetOneLine() {
        Choices<Good> choices = Choices.of(Good.class);
        assertRefused(
                "there is no option 'layers', but hidden-layers, samples, lr, seats, norm",
                () -> choices.create(Map.of("layers", 1)));
        for (Object wrong : Arrays.asList("1.5", 1.5, "x", "\u0663")) {
            assertRefused(
                    "hidden-layers must be a number without a fraction, not '%s'".formatted(wrong),
                    () -> choices.create(Map.of("hidden-layers", wrong)));
        }
        assertRefused(
                "hidden-layers 99999999999 is beyond all that it can be",
                () -> choices.create(Map.of("hidden-layers", "99999999999")));
        assertRefused("norm: 'mean' is none of largest-value, sum", () -> choices.create(Map.of("norm", "mean")));
    }
}
