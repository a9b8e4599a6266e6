package plateau.experiment;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Encoding piecewise-linear curves: figure 5. */
public final class PwlKind implements Kind<Pwl.Options> {
    static final String NAME = "pwl";

    private static final Panel.Look ORIGINAL = Panel.Look.BLUE;
    private static final Panel.Look DECODED = Panel.Look.RED;

    /** The paper's numbers of steps. */
    private static final long STEPS = 50_000;

    private static final long CONDITIONED_STEPS = 500;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "Learns to encode piecewise-linear curves by their changes of slope (section 4, figure 5).";
    }

    @Override
    public Choices<Pwl.Options> choices() {
        return Pwl.CHOICES;
    }

    @Override
    public Experiment create(Pwl.Options options, long seed) {
        return new Pwl(options, seed);
    }

    @Override
    public long defaultSteps(Pwl.Options options) {
        return options.variant() == Pwl.Variant.CONDITIONED ? CONDITIONED_STEPS : STEPS;
    }

    @Override
    public List<String> figureNames() {
        return List.of(NAME, "pwl-learnt");
    }

    /**
     * Each way's own loss against training steps; and figure 5, two curves and what is decoded, a
     * row for each way.
     */
    @Override
    public SequencedMap<String, Figure> figures(List<Logged<Pwl.Options>> runs) {
        SequencedMap<String, Figure> figures = new LinkedHashMap<>();
        figures.put(
                NAME,
                new Figure(new Panel(
                        "Loss",
                        Panel.Axis.steps(),
                        Panel.Axis.logarithmic("Loss"),
                        Curves.ofMetric(runs, _ -> "loss", run -> run.options().variant().title(), _ -> Panel.Look.PLAIN))));
        List<Logged<Pwl.Options>> shown = Curves.firstSeeds(runs);
        int columns = shown.stream().mapToInt(run -> run.history().curves().size()).max().orElse(0);
        if (columns > 0) {
            List<Panel> learnt = shown.stream()
                    .flatMap(run -> IntStream.range(0, columns).mapToObj(column -> learnt(run, column)))
                    .toList();
            figures.put("pwl-learnt", new Figure(columns, learnt));
        }
        return figures;
    }

    /**
     * One panel of figure 5; a run that has learnt for fewer columns than others leaves its place
     * empty.
     */
    private static Panel learnt(Logged<Pwl.Options> run, int column) {
        List<Long> steps = List.copyOf(run.history().curves().keySet());
        if (column >= steps.size()) {
            return Panel.EMPTY;
        }
        long step = steps.get(column);
        Map<String, float[]> curves = run.history().curves().get(step);
        return new Panel(
                "%s, %,d iterations".formatted(run.options().variant().title(), step),
                Panel.Axis.of("t", 0, Pwl.N - 1),
                Panel.Axis.fitting("f"),
                List.of(
                        Curves.joined("original", curves.get("original"), Pwl.N, ORIGINAL),
                        Curves.joined("decoded", curves.get("decoded"), Pwl.N, DECODED)));
    }
}
