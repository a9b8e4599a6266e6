package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import plateau.results.History;
import plateau.results.RunKey;

/** How far results lie apart. */
class DifferencesTest {
    /** Two metrics in rows at steps 1, 2, … */
    private static History run(int d, double... values) {
        History run = new History(RunKey.of("d", d, 1), List.of("loss", "accuracy"));
        for (int i = 0; i < values.length; i += 2) {
            run.add(1 + i / 2, List.of(values[i], values[i + 1]));
        }
        return run;
    }

    @Test
    void theFirstRowIsOfTheFirstMetricAndTheLastOfAll() {
        List<History> one = List.of(run(5, 2, 0.5, 4, 1), run(6, 1, 1, 1, 1));
        assertEquals(new Differences(0, 0), Differences.between(one, one));
        assertEquals(
                new Differences(0.25, 0.5), // of losses up to 4, and of accuracies up to 1
                Differences.between(one, List.of(run(5, 1, 1, 4, 0.5), run(6, 1, 1, 1, 1))));
        assertEquals(
                new Differences(0.5, 0), Differences.between(one, List.of(run(5, 2, 0.5, 4, 1), run(6, 0.5, 1, 1, 1))));
    }

    @Test
    void whatIsNoNumberOnOneSideIsFarOff() {
        double nan = Double.NaN, infinity = Double.POSITIVE_INFINITY;
        List<History> one = List.of(run(5, nan, 1, 1, 1));
        assertEquals(new Differences(0, 0), Differences.between(one, one));
        assertEquals(
                infinity, Differences.between(one, List.of(run(5, 1, 1, 1, 1))).first());
        assertEquals(
                infinity,
                Differences.between(List.of(run(5, 0, 0)), List.of(run(5, infinity, 0)))
                        .first());
    }

    @Test
    void otherRunsAreRefused() {
        List<History> one = List.of(run(5, 1, 1, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> Differences.between(one, List.of(run(6, 1, 1, 1, 1))));
        assertThrows(IllegalArgumentException.class, () -> Differences.between(one, List.of(run(5, 1, 1))));
        assertThrows(IllegalArgumentException.class, () -> Differences.between(one, List.of()));
    }
}
