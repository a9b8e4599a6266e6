package plateau.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.results.History;
import plateau.results.LogRow;
import plateau.results.RunKey;

/** What figures show of runs whose numbers are made up. */
class FiguresTest {

    /**
     * A run of two rows: at the steps 10 and 20, a metric is the value given, plus its place, plus
     * 100 at step 20.
     */
    private static <O extends Record> Logged<O> run(Kind<O> kind, O options, long seed, double value) {
        SequencedMap<String, Object> columns = new LinkedHashMap<>();
        kind.choices()
                .differing()
                .forEach(choice -> columns.put(choice.name(), kind.choices().values(options).get(choice.name())));
        List<String> metrics = kind.create(options, seed).metrics();
        History history = new History(new RunKey(columns, seed), metrics);
        for (long step = 10; step <= 20; step += 10) {
            List<Double> row = new ArrayList<>();
            for (int i = 0; i < metrics.size(); i++) {
                row.add(value + i + (step == 20 ? 100 : 0));
            }
            history.add(step, row);
        }
        return new Logged<>(options, history);
    }

    private static List<String> names(Panel panel) {
        return panel.curves().stream().map(Panel.Curve::name).toList();
    }

    @Test
    void seedsBecomeAMeanAndABand() {
        ParityKind kind = new ParityKind();
        Parity.Options five = Parity.Options.of(5);
        Figure figure = kind.figures(List.of(
                        run(kind, five, 1, 0.25), run(kind, five, 2, 0.75), run(kind, Parity.Options.of(30), 1, 0)))
                .get("parity");
        Panel panel = figure.panels().getFirst();
        assertEquals(List.of("d = 5", "d = 30"), names(panel));
        assertEquals(List.of(10.0, 20.0), panel.curves().get(0).x());
        assertEquals(List.of(1.5, 101.5), panel.curves().get(0).y()); // accuracy is the second metric
        assertEquals(List.of(1.25, 101.25), panel.curves().get(0).low());
        assertEquals(List.of(1.75, 101.75), panel.curves().get(0).high());
        assertEquals(List.of(), panel.curves().get(1).low());
    }

    @Test
    void eachKHasAPanelWithBothApproaches() {
        TupleKind kind = new TupleKind();
        Figure figure = kind.figures(List.of(
                        run(kind, Tuple.Options.of(3, Approach.DEC), 1, 0),
                        run(kind, Tuple.Options.of(1, Approach.DEC), 1, 0),
                        run(kind, Tuple.Options.of(1, Approach.E2E), 1, 5)))
                .get("tuple");
        assertEquals(2, figure.columns());
        assertEquals(List.of("k = 1", "k = 3"), figure.panels().stream().map(Panel::title).toList());
        Panel one = figure.panels().getFirst();
        assertEquals(List.of("end-to-end", "decomposition"), names(one));
        assertEquals(0xD40000, one.curves().get(0).look().rgb());
        assertEquals(0x0000D4, one.curves().get(1).look().rgb());
        assertEquals(List.of(6.0, 106.0), one.curves().get(0).y());
        assertEquals(new Panel.Axis("Accuracy", 0.3, 1.02, false), one.vertical());
        assertEquals(List.of("decomposition"), names(figure.panels().get(1)));
    }

    @Test
    void theRatioIsDrawnAgainstKAndAgainstSamples() {
        SnrKind kind = new SnrKind();
        Snr.Options one = Snr.Options.of(1).withSamples(4000);
        Snr.Options two = Snr.Options.of(2).withSamples(4000);
        Figure figure = kind.figures(List.of(run(kind, one, 1, 0), run(kind, one, 2, 2), run(kind, two, 1, 7))).get("snr");
        Panel againstK = figure.panels().get(0);
        assertEquals(List.of("end-to-end", "decomposition", "1/samples"), names(againstK));
        assertEquals(List.of(1.0, 2.0), againstK.curves().get(0).x());
        assertEquals(List.of(104.0, 110.0), againstK.curves().get(0).y()); // ln(Sig/Noi) is each approach's fourth of six
        assertEquals(List.of(103.0, 110.0), againstK.curves().get(0).low());
        assertEquals(List.of(105.0, 110.0), againstK.curves().get(0).high());
        assertEquals(List.of(110.0, 116.0), againstK.curves().get(1).y());
        assertEquals(List.of(-Math.log(4000), -Math.log(4000)), againstK.curves().get(2).y());
        Panel againstSamples = figure.panels().get(1);
        assertEquals(
                List.of("k = 1, end-to-end", "k = 1, decomposition", "k = 2, end-to-end", "k = 2, decomposition"),
                names(againstSamples));
        assertEquals(List.of(2000.0, 4000.0), againstSamples.curves().get(0).x());
        assertEquals(List.of(3.0, 103.0), againstSamples.curves().get(0).y());

        assertEquals(1, kind.figures(List.of(run(kind, one, 1, 0))).get("snr").panels().size());
    }

    @Test
    void theStatisticsEndInATable() {
        SnrKind kind = new SnrKind();
        Snr.Options one = Snr.Options.of(1).withSamples(4000);
        List<String> lines = kind.conclusion(List.of(run(kind, one, 1, 0), run(kind, one, 2, 2)));
        assertEquals(5, lines.size());
        assertEquals("%,d tuples, 2 networks each".formatted(4000), lines.get(0));
        // Means of 100 + i and 102 + i; their standard deviation is the root of 2, the error of
        // unbiased from 105 and 107.
        assertEquals(
                List.of("1", "e2e", "%.2e".formatted(101.0), "%.2e".formatted(102.0), "%.2e".formatted(103.0)),
                Arrays.asList(lines.get(2).trim().split(" +")).subList(0, 5));
        assertTrue(lines.get(2).contains("%.2f +- %.2f".formatted(104.0, Math.sqrt(2))), lines.get(2));
        assertTrue(
                lines.get(2).endsWith("%.2e +- %.1e".formatted(105.0, Math.sqrt(105 * 105 + 107 * 107) / 2)), lines.get(2));
        assertEquals(List.of(), kind.conclusion(List.of()));
        assertEquals(
                "ln(Sig/Noi) e2e %.2f, dec %.2f".formatted(-3.0, -9.0),
                new Snr(one, 1).summary(LogRow.of(1, new double[] {0, 0, 0, -3, 0, 0, 0, 0, 0, -9, 0, 0}, new double[0])));
    }

    @Test
    void stocksBeginBeforeTheFirstStep() {
        StocksKind kind = new StocksKind();
        Logged<Stocks.Options> known = run(kind, Stocks.Options.of(10, Approach.E2E), 1, 0);
        Map<String, Object> start = new LinkedHashMap<>();
        known.history().metrics().forEach(metric -> start.put(metric, -(1 + start.size()))); // as a reader has them: Integer too
        known.history().withFacts(Map.of("start", start));
        Logged<Stocks.Options> unknown = run(kind, Stocks.Options.of(10, Approach.DEC), 1, 0);
        SequencedMap<String, Figure> figures = kind.figures(List.of(known, unknown));
        assertEquals(List.of("stocks", "stocks-noise"), List.copyOf(figures.keySet()));
        Panel loss = figures.get("stocks").panels().getFirst();
        assertEquals("k = 10", loss.title());
        assertEquals(List.of(0.0, 10.0, 20.0), loss.curves().get(0).x());
        assertEquals(List.of(-2.0, 1.0, 101.0), loss.curves().get(0).y()); // the exact loss is the second metric
        assertEquals(List.of(10.0, 20.0), loss.curves().get(1).x());
        Panel noise = figures.get("stocks-noise").panels().getFirst();
        assertEquals(List.of("k = 10, e2e", "k = 10, dec"), names(noise));
        assertEquals(List.of(-6.0, 5.0, 105.0), noise.curves().get(0).y());
    }

    @Test
    void curvesThatAreDecodedLieSideBySide() {
        PwlKind kind = new PwlKind();
        Logged<Pwl.Options> linear = run(kind, Pwl.Options.of(Pwl.Variant.LINEAR), 1, 0);
        Logged<Pwl.Options> conditioned = run(kind, Pwl.Options.of(Pwl.Variant.CONDITIONED), 1, 0);
        assertEquals(List.of("pwl"), List.copyOf(kind.figures(List.of(linear, conditioned)).keySet()));
        float[] original = new float[200];
        for (int i = 0; i < original.length; i++) {
            original[i] = i;
        }
        linear.history().keep(500, Map.of("original", original, "decoded", new float[200]));
        linear.history().keep(10_000, Map.of("original", original, "decoded", new float[200]));
        conditioned.history().keep(500, Map.of("original", original, "decoded", new float[200]));
        SequencedMap<String, Figure> figures = kind.figures(List.of(linear, conditioned));
        assertEquals(
                List.of("Linear map", "Conditioned convolution"), names(figures.get("pwl").panels().getFirst()));
        Figure learnt = figures.get("pwl-learnt");
        assertEquals(2, learnt.columns());
        assertEquals(
                List.of(
                        "Linear map, %,d iterations".formatted(500),
                        "Linear map, %,d iterations".formatted(10_000),
                        "Conditioned convolution, %,d iterations".formatted(500),
                        ""),
                learnt.panels().stream().map(Panel::title).toList());
        assertSame(Panel.EMPTY, learnt.panels().getLast());
        Panel.Curve curve = learnt.panels().getFirst().curves().getFirst();
        assertEquals("original", curve.name());
        assertEquals(201, curve.x().size());
        assertEquals(99, curve.x().get(99));
        assertEquals(Double.NaN, curve.y().get(100)); // between the two curves
        assertEquals(0, curve.x().get(101));
        assertEquals(100, curve.y().get(101));
    }

    @Test
    void eachWayHasItsOwnErrorBesideTheLevelsThatAreRight() {
        StepKind kind = new StepKind();
        Logged<Step.Options> smooth = run(kind, Step.Options.of(Step.Variant.APPROXIMATION), 1, 0);
        Logged<Step.Options> forward = run(kind, Step.Options.of(Step.Variant.FORWARD_ONLY), 1, 0);
        float[] score = {3, 1, 2, 4};
        smooth.history().keep(20, Map.of("score", score, "label", new float[] {0, 0, 0, 1}, "hypothesis", score, "smooth", score));
        SequencedMap<String, Figure> figures = kind.figures(List.of(smooth, forward));
        Figure errors = figures.get("step");
        assertEquals(1, errors.columns());
        assertEquals(
                List.of("Squared error", "Samples whose level is right"), errors.panels().stream().map(Panel::title).toList());
        assertEquals(List.of("Non-flat approximation", "Forward-only"), names(errors.panels().getFirst()));
        assertEquals(List.of(0.0, 100.0), errors.panels().get(0).curves().get(0).y()); // its loss
        assertEquals(List.of(1.0, 101.0), errors.panels().get(0).curves().get(1).y()); // squared_error
        assertEquals(List.of(2.0, 102.0), errors.panels().get(1).curves().get(1).y()); // exact

        assertEquals(1, figures.get("step-learnt").panels().size());
        Panel learnt = figures.get("step-learnt").panels().getFirst();
        assertEquals("Non-flat approximation, 20 iterations", learnt.title());
        assertEquals(List.of("learnt", "u(r)", "smooth u(r)"), names(learnt));
        assertEquals(List.of(1.0, 2.0, 3.0, 4.0), learnt.curves().get(0).x());
        assertEquals(List.of(1.0, 3.0, 4.0), learnt.curves().get(1).x()); // 2 lies inside a flat stretch
        assertEquals(List.of(0.0, 0.0, 1.0), learnt.curves().get(1).y());
    }
}
