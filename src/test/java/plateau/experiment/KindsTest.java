package plateau.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The built-in kinds are found as others' would be, and their options are values that can be typed,
 * written and read.
 */
class KindsTest {

    static Stream<Kind<?>> kinds() {
        return Kinds.all().stream();
    }

    @Test
    void thePapersAreFoundInItsOrder() {
        assertEquals(
                List.of("parity", "tuple", "snr", "stocks", "pwl", "step"),
                Kinds.all().stream().map(Kind::name).toList());
        assertEquals("stocks", Kinds.named("stocks").name());
        assertEquals(
                "there is no experiment 'sorting', but parity, tuple, snr, stocks, pwl, step",
                assertThrows(IllegalArgumentException.class, () -> Kinds.named("sorting"))
                        .getMessage());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void everythingThatCanBeChosenIsExplained(Kind<?> kind) {
        for (Choice choice : kind.choices().all()) {
            assertFalse(choice.text().isBlank(), choice.name());
            assertFalse(choice.text().contains("default"), choice.name());
            assertTrue(choice.name().matches("[a-z][a-z0-9-]*"), choice.name());
            assertTrue(choice.type().isEnum() == !choice.constants().isEmpty(), choice.name());
        }
        assertFalse(kind.description().isBlank());
    }

    /**
     * The names of options, in the order of the tables' columns, with a star where the runs of a
     * campaign differ.
     */
    @ParameterizedTest
    @CsvSource({
        "parity, d* subset-size batch lr",
        "tuple, k* mode* raster batch lr",
        "snr, k* samples raster batch",
        "stocks, d k* mode* batch lr",
        "pwl, variant* curves batch lr",
        "step, variant* batch lr smoothing"
    })
    void optionsKeepTheirNames(String name, String expected) {
        List<Choice> choices = Kinds.named(name).choices().all();
        assertEquals(
                expected,
                choices.stream()
                        .map(each -> each.name() + (each.differs() ? "*" : ""))
                        .collect(Collectors.joining(" ")));
    }

    @ParameterizedTest
    @CsvSource({
        "parity, d, '5, 10, 15, 20, 25, 30', false",
        "tuple, k, '1, 2, 3', false",
        "tuple, mode, 'e2e, dec', false",
        "snr, k, '1, 2, 3, 4', false",
        "stocks, k, '10, 1000, 2000', false",
        "stocks, mode, 'e2e, dec', false",
        "pwl, variant, 'linear, conv, conditioned, autoencoder', true",
        "step, variant, 'approximation, e2e, multiclass, forward-only', true"
    })
    void runsDifferAsInThePaper(String kind, String option, String values, boolean main) {
        Choice choice = choice(Kinds.named(kind), option);
        assertEquals(values, String.join(", ", choice.each()));
        assertEquals(main, choice.main());
    }

    private static Choice choice(Kind<?> kind, String name) {
        return kind.choices().all().stream()
                .filter(choice -> choice.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Options of one run for each combination of values in which runs differ. */
    private static List<Map<String, Object>> runs(Kind<?> kind) {
        List<Map<String, Object>> runs = List.of(Map.of());
        for (Choice choice : kind.choices().differing()) {
            runs = runs.stream()
                    .flatMap(run -> choice.each().stream().map(value -> with(run, choice.name(), value)))
                    .toList();
        }
        return runs;
    }

    private static Map<String, Object> with(Map<String, Object> values, String name, Object value) {
        Map<String, Object> all = new LinkedHashMap<>(values);
        all.put(name, value);
        return all;
    }

    /** What is written is read again, as it is and as text; the experiment tells the same. */
    @ParameterizedTest
    @MethodSource("kinds")
    <O extends Record> void valuesAreWhatTheyAreMadeOf(Kind<O> kind) {
        for (Map<String, Object> typed : runs(kind)) {
            O options = kind.options(typed);
            SequencedMap<String, Object> values = kind.choices().values(options);
            typed.forEach((name, value) -> assertEquals(value, values.get(name).toString()));
            assertEquals(options, kind.options(values));
            Map<String, String> texts = new HashMap<>();
            values.forEach((name, value) -> texts.put(name, value == null ? "" : value.toString()));
            assertEquals(options, kind.options(texts));
            Experiment experiment = kind.create(options, 7);
            assertEquals(values, experiment.options());
            assertEquals(7, experiment.seed());
            assertEquals(kind.name(), experiment.name());
            assertTrue(kind.defaultSteps(options) > 0);
        }
    }

    @Test
    void defaultsDependOnTheVariant() {
        Kind<?> pwl = Kinds.named("pwl");
        assertEquals("{variant=linear, curves=paper, batch=100, lr=1.0E-4}", values(pwl, Map.of("variant", "linear")));
        assertEquals("{variant=conv, curves=paper, batch=100, lr=0.05}", values(pwl, Map.of("variant", "conv")));
        assertEquals(
                "{variant=conditioned, curves=paper, batch=10, lr=0.99}",
                values(pwl, Map.of("variant", "conditioned")));
        assertEquals(
                "{variant=autoencoder, curves=program, batch=100, lr=0.001}",
                values(pwl, Map.of("variant", "autoencoder", "curves", "program")));
        Kind<?> step = Kinds.named("step");
        assertEquals(
                "{variant=approximation, batch=256, lr=0.01, smoothing=program}",
                values(step, Map.of("variant", "approximation")));
        assertEquals(
                "{variant=forward-only, batch=256, lr=0.001, smoothing=paper}",
                values(step, Map.of("variant", "FORWARD-ONLY", "smoothing", "paper")));
        assertEquals("{d=9, subset-size=null, batch=128, lr=0.01}", values(Kinds.named("parity"), Map.of("d", 9)));
        assertEquals(
                "{d=9, subset-size=4, batch=128, lr=0.5}",
                values(Kinds.named("parity"), Map.of("d", "9", "subset-size", "4", "lr", "0.5")));
    }

    private static <O extends Record> String values(Kind<O> kind, Map<String, ?> values) {
        return kind.choices().values(kind.options(values)).toString();
    }

    @Test
    void stepsOfTheStatisticsFollowFromTheSamples() {
        SnrKind kind = new SnrKind();
        assertTrue(kind.stepsFollow());
        assertEquals(2_500, kind.defaultSteps(Snr.Options.of(1)));
        assertEquals(30, kind.defaultSteps(new Snr.Options(1, 300L, null, 10)));
        assertFalse(new ParityKind().stepsFollow());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "parity | d=5,colour=red           | there is no option 'colour', but d, subset-size, batch, lr",
                "parity | d=five                   | d must be a number without a fraction, not 'five'",
                "parity | d=5,lr=fast              | lr must be a number, not 'fast'",
                "parity | batch=5                  | d is missing",
                "tuple  | mode=e2e                 | k is missing",
                "tuple  | k=2                      | mode is missing",
                "tuple  | k=2,mode=both            | mode: 'both' is none of e2e, dec",
                "tuple  | k=17,mode=dec            | k must be between 1 and 16, not 17",
                "snr    | samples=1000             | k is missing",
                "snr    | k=1,samples=450          | samples must be a multiple of the batch, 200, not 450",
                "snr    | k=1,samples=100          | samples must be a multiple of the batch, 200, not 100",
                "snr    | k=1,batch=1              | batch must be at least 2, for there to be noise, not 1",
                "stocks | k=10                     | mode is missing",
                "stocks | k=1,mode=e2e             | k must be between 2 and 1048576, not 1",
                "pwl    | lr=1                     | variant is missing",
                "pwl    | variant=spline           | variant: 'spline' is none of linear, conv, conditioned,"
                        + " autoencoder",
                "step   | smoothing=paper          | variant is missing",
                "step   | variant=e2e,batch=0      | batch must be between 1 and 1048576, not 0"
            })
    void mistakesGetOneLine(String kind, String typed, String message) {
        Map<String, String> values = Stream.of(typed.split(","))
                .map(each -> each.split("="))
                .collect(Collectors.toMap(each -> each[0], each -> each[1]));
        assertEquals(
                message,
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Kinds.named(kind).options(values))
                        .getMessage());
    }
}
