package plateau.experiment;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Step functions: figure 6. */
public final class StepKind implements Kind<Step.Options> {
    static final String NAME = "step";

    private static final int MOST_COLUMNS = 2;
    private static final Panel.Look LABEL = new Panel.Look(0x009E73, true);
    private static final Panel.Look SMOOTH = new Panel.Look(0xC000C0, true);

    /** The paper's numbers of steps. */
    private static final long STEPS = 10_000;

    private static final long FORWARD_ONLY_STEPS = 5_000;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "Learns y = u(w*.x + b*), where u rounds down to the nearest of 52 levels and so has no gradient (section 5, figure"
                + " 6).";
    }

    @Override
    public Choices<Step.Options> choices() {
        return Step.CHOICES;
    }

    @Override
    public Experiment create(Step.Options options, long seed) {
        return new Step(options, seed);
    }

    @Override
    public long defaultSteps(Step.Options options) {
        return options.variant() == Step.Variant.FORWARD_ONLY ? FORWARD_ONLY_STEPS : STEPS;
    }

    @Override
    public List<String> figureNames() {
        return List.of(NAME, "step-learnt");
    }

    /**
     * Errors of each way's own output, and levels that are right, against training steps; and
     * figure 6, a panel for each way.
     */
    @Override
    public SequencedMap<String, Figure> figures(List<Logged<Step.Options>> runs) {
        Panel errors = new Panel(
                "Squared error",
                Panel.Axis.steps(),
                Panel.Axis.logarithmic("Squared error"),
                curves(runs, Step.Variant::error));
        Panel exact = new Panel(
                "Samples whose level is right",
                Panel.Axis.steps(),
                Panel.Axis.of("Fraction", 0, 1.02),
                curves(runs, _ -> "exact"));
        SequencedMap<String, Figure> figures = new LinkedHashMap<>();
        figures.put(NAME, new Figure(1, List.of(errors, exact)));
        List<Panel> learnt = Curves.firstSeeds(runs).stream()
                .filter(run -> !run.history().curves().isEmpty())
                .map(StepKind::learnt)
                .toList();
        if (!learnt.isEmpty()) {
            figures.put("step-learnt", new Figure(Math.min(MOST_COLUMNS, learnt.size()), learnt));
        }
        return figures;
    }

    private static List<Panel.Curve> curves(List<Logged<Step.Options>> runs, Function<Step.Variant, String> metric) {
        return Curves.ofMetric(
                runs,
                run -> metric.apply(run.options().variant()),
                run -> run.options().variant().title(),
                _ -> Panel.Look.PLAIN);
    }

    /** One panel of figure 6: what was learnt at the end. */
    private static Panel learnt(Logged<Step.Options> run) {
        long step = run.history().curves().lastKey();
        Map<String, float[]> end = run.history().curves().get(step);
        float[] score = end.get("score");
        List<Panel.Curve> curves = new ArrayList<>();
        curves.add(Curves.against(score, "learnt", end.get("hypothesis"), Panel.Look.RED));
        curves.add(Curves.against(score, "u(r)", end.get("label"), LABEL));
        if (end.containsKey("smooth")) {
            curves.add(Curves.against(score, "smooth u(r)", end.get("smooth"), SMOOTH));
        }
        return new Panel(
                "%s, %,d iterations".formatted(run.options().variant().title(), step),
                Panel.Axis.fitting("r"),
                Panel.Axis.fitting("y"),
                curves);
    }
}
