package plateau.experiment;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.results.History;

/** Investing in stocks: figure 8. */
public final class StocksKind implements Kind<Stocks.Options> {
    static final String NAME = "stocks";

    private static final int MOST_COLUMNS = 3;

    /** Appendix A's training steps. */
    private static final long STEPS = 2_500;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "Learns which of k stocks each of d one-hot inputs speaks of, from gains alone or by being told (appendix A, figure 8):"
                + " one linear layer and a softmax.";
    }

    @Override
    public Choices<Stocks.Options> choices() {
        return Stocks.CHOICES;
    }

    @Override
    public Experiment create(Stocks.Options options, long seed) {
        return new Stocks(options, seed);
    }

    @Override
    public long defaultSteps(Stocks.Options options) {
        return STEPS;
    }

    @Override
    public List<String> figureNames() {
        return List.of(NAME, "stocks-noise");
    }

    /**
     * Figure 8, the loss that is exact over all inputs and gains, a panel per k; and how many times
     * noisier the end-to-end gradient is along each run.
     */
    @Override
    public SequencedMap<String, Figure> figures(List<Logged<Stocks.Options>> runs) {
        List<Logged<Stocks.Options>> whole = runs.stream().map(StocksKind::withStart).toList();
        List<Panel> losses = Curves.panels(
                whole,
                Stocks.Options::k,
                (k, those) -> new Panel(
                        "k = " + k,
                        Panel.Axis.steps(),
                        Panel.Axis.of("Loss", -1.02, 0.1),
                        Curves.byApproach(those, Stocks.Options::mode, "exact_loss")));
        Panel noise = new Panel(
                "Noise of the end-to-end gradient over that of the decomposed one",
                Panel.Axis.steps(),
                Panel.Axis.logarithmic("Ratio"),
                Curves.ofMetric(whole, "noise_ratio"));
        SequencedMap<String, Figure> figures = new LinkedHashMap<>();
        figures.put(NAME, new Figure(Math.min(MOST_COLUMNS, losses.size()), losses));
        figures.put("stocks-noise", new Figure(noise));
        return figures;
    }

    /** With what was measured before the first step as its first row, where that is known. */
    private static Logged<Stocks.Options> withStart(Logged<Stocks.Options> run) {
        History old = run.history();
        if (!(old.facts().get(Stocks.START) instanceof Map<?, ?> start)
                || !old.metrics().stream().allMatch(metric -> start.get(metric) instanceof Number)) {
            return run;
        }
        History whole = new History(old.key(), old.metrics());
        whole.add(0, old.metrics().stream().map(metric -> ((Number) start.get(metric)).doubleValue()).toList());
        List<List<Double>> columns = old.metrics().stream().map(old::values).toList();
        IntStream.range(0, old.steps().size())
                .forEach(i -> whole.add(old.steps().get(i), columns.stream().map(column -> column.get(i)).toList()));
        return new Logged<>(run.options(), whole.withFacts(old.facts()));
    }
}
