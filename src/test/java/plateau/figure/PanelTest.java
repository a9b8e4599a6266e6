package plateau.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PanelTest {
    private static List<Double> upTo(int n) {
        return IntStream.range(0, n).mapToObj(i -> (double) i).toList();
    }

    @Test
    void aCurveOfFewPointsStaysAsItIs() {
        Panel.Curve curve = new Panel.Curve("c", upTo(4000), upTo(4000));
        assertSame(curve, curve.thinned());
    }

    @Test
    void whatCanBeSeenOfALongCurveStays() {
        int n = 1_000_003;
        List<Double> y = new ArrayList<>(
                IntStream.range(0, n).mapToObj(i -> (i % 10) / 10.0).toList());
        List<Double> low = new ArrayList<>(y);
        List<Double> high = new ArrayList<>(y);
        y.set(123_456, 7.0);
        y.set(500_001, -3.0);
        y.set(700_007, Double.NaN);
        low.set(300_300, -9.0);
        high.set(300_400, 9.0);
        Panel.Curve thinned = new Panel.Curve("c", upTo(n), y, Panel.Look.RED, low, high).thinned();

        assertTrue(thinned.x().size() <= 8000, () -> thinned.x().size() + " points");
        assertEquals(thinned.x().stream().sorted().distinct().toList(), thinned.x());
        assertEquals(0, thinned.x().getFirst());
        assertEquals(n - 1, thinned.x().getLast());
        for (double kept : new double[] {123_456, 500_001, 700_007, 300_300, 300_400}) {
            assertTrue(thinned.x().contains(kept), () -> kept + " is lost");
        }
        for (int i = 0; i < thinned.x().size(); i++) {
            int at = thinned.x().get(i).intValue();
            assertEquals(y.get(at), thinned.y().get(i));
            assertEquals(low.get(at), thinned.low().get(i));
            assertEquals(high.get(at), thinned.high().get(i));
        }
    }

    @Test
    void noBandStaysNone() {
        Panel.Curve thinned = new Panel.Curve("c", upTo(9000), upTo(9000)).thinned();
        assertEquals(List.of(), thinned.low());
        assertTrue(thinned.x().size() <= 4000);
    }
}
