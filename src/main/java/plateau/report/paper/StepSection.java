package plateau.report.paper;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import plateau.experiment.Step;
import plateau.results.History;

/** Step functions (section 5, figure 6). */
final class StepSection implements Section {
    private static final String VARIANT = "variant";
    private static final double NEAR = 0.01;

    @Override
    public String name() {
        return "step";
    }

    @Override
    public String title() {
        return "Flat activations";
    }

    @Override
    public String source() {
        return "section 5, figure 6";
    }

    @Override
    public String about() {
        return "A linear function is seen through a step function, whose derivative is zero wherever it exists."
                + " Smoothing the steps, a deep network and classification all have their price; handing the backward"
                + " message through the steps unchanged has none.";
    }

    /**
     * 32 seeds, because the approximation takes a quarter of forward-only's iterations or never
     * gets there, in about half of the runs each: with 20, 3 % of the verdicts on its mean were
     * open. 14 of the deep networks: near steps, classification's share of wrong levels exceeds
     * forward-only's by 0.027, and runs spread by 0.022 around that; 5 left 30 % of the verdicts
     * open.
     */
    @Override
    public List<Task> tasks(Scope scale) {
        return List.of(
                Task.of("step", name(), scale.seeds(32, 40))
                        .with(VARIANT, "approximation", "forward-only")
                        .task(scale.routing()),
                Task.of("step-deep", name(), scale.seeds(14, 20))
                        .with(VARIANT, "e2e", "multiclass")
                        .steps(scale.choose(5000, 10_000))
                        .task(scale.routing()));
    }

    @Override
    public List<PaperFigure> figures(SectionRuns study) {
        List<PaperFigure> drawings = new ArrayList<>();
        drawings.addAll(study.drawing(
                "step-learnt",
                "figure-6",
                "Figure 6",
                "Label u(r) (dashed green) and learnt hypothesis (red) against r, around its mean; for the"
                        + " approximation also its smooth stand-in of u (dashed magenta)."));
        drawings.addAll(study.drawing(
                "step", "step-error", "Errors", "Squared error of the output against training iterations."));
        return drawings;
    }

    @Override
    public List<Claim> claims(Scope scale, SectionRuns study) {
        List<History> approximation = study.with(VARIANT, "approximation");
        List<History> e2e = study.with(VARIANT, "e2e");
        List<History> multiclass = study.with(VARIANT, "multiclass");
        List<History> forwardOnly = study.with(VARIANT, "forward-only");
        return List.of(
                new Claim(
                        "section 5.2",
                        "Training through a smooth approximation is slower than forward-only …",
                        Evidence.above(
                                "iterations until a tenth of the variance is left (all, where that is never) more than"
                                        + " forward-only's by",
                                SectionRuns.pairs(
                                        approximation,
                                        forwardOnly,
                                        (smooth, forward) -> iterations(smooth) - iterations(forward)),
                                0)),
                new Claim(
                        "section 5.2",
                        "… and sometimes fails completely, stuck in a flat region.",
                        Evidence.share(
                                "end worse than the best constant",
                                approximation.stream()
                                        .map(run -> end(run) > variance(run))
                                        .toList(),
                                0.05)),
                new Claim(
                        "section 5.3",
                        "A deep network finds a reasonable solution …",
                        Evidence.below(
                                "share of the variance that it leaves unexplained:",
                                SectionRuns.each(e2e, run -> end(run) / variance(run)),
                                0.5)),
                new Claim(
                        "section 5.3",
                        "… but is inaccurate where the steps are.",
                        Evidence.smaller(
                                "squared error away from steps below that within %s of one".formatted(NEAR),
                                SectionRuns.each(e2e, run -> mean(run, false, squared(run))),
                                SectionRuns.each(e2e, run -> mean(run, true, squared(run))))),
                new Claim(
                        "section 5.4",
                        "Classification blurs the boundaries between classes.",
                        Evidence.all(List.of(
                                Evidence.smaller(
                                        "share of wrong levels away from steps below that within %s of one"
                                                .formatted(NEAR),
                                        SectionRuns.each(multiclass, run -> mean(run, false, wrong(run))),
                                        SectionRuns.each(multiclass, run -> mean(run, true, wrong(run)))),
                                Evidence.above(
                                        "share of wrong levels near steps, less forward-only's:",
                                        SectionRuns.pairs(
                                                multiclass,
                                                forwardOnly,
                                                (one, other) ->
                                                        mean(one, true, wrong(one)) - mean(other, true, wrong(other))),
                                        0)))),
                new Claim(
                        "section 5.5",
                        "Forward-only gives the best final accuracy …",
                        best(forwardOnly, List.of(approximation, e2e, multiclass))),
                new Claim(
                        "section 5.5",
                        "… in the shortest training.",
                        overtaken(forwardOnly, List.of(approximation, e2e, multiclass))));
    }

    private static String error(History run) {
        return SectionRuns.constant(Step.Variant.class, run, VARIANT).error();
    }

    private static double end(History run) {
        return run.last(error(run));
    }

    /**
     * Until the error is a tenth of what the best constant leaves; one more than there were where
     * it never is.
     */
    private static double iterations(History run) {
        return run.firstAtMost(error(run), variance(run) / 10).orElse(run.lastStep() + 1);
    }

    /**
     * By the median over the last tenth of training: at a constant learning rate no run comes to
     * rest, and forward-only's error differs by a factor of three from one evaluation to the next,
     * nearly as much as it lies below classification's. By the very last evaluations alone, 32 of
     * 40 seeds were for forward-only; by the medians, 39.
     */
    private static Evidence best(List<History> forwardOnly, List<List<History>> others) {
        return Evidence.all(others.stream()
                .map(runs -> Evidence.smaller(
                        "squared error in the last tenth of training below the %s's".formatted(name(runs)),
                        SectionRuns.each(forwardOnly, StepSection::settled),
                        SectionRuns.each(runs, StepSection::settled)))
                .toList());
    }

    private static double settled(History run) {
        return run.tail(error(run));
    }

    /**
     * When forward-only has reached the error that each of the others ends with, and when they end.
     */
    private static Evidence overtaken(List<History> forwardOnly, List<List<History>> others) {
        return Evidence.all(others.stream()
                .map(runs -> Evidence.smaller(
                        "iterations to the %s's final error fewer than it took".formatted(name(runs)),
                        SectionRuns.pairs(
                                forwardOnly,
                                runs,
                                (one, other) ->
                                        one.firstAtMost(error(one), end(other)).orElse(Long.MAX_VALUE)),
                        SectionRuns.pairs(forwardOnly, runs, (_, other) -> other.lastStep())))
                .toList());
    }

    private static String name(List<History> runs) {
        return runs.isEmpty()
                ? ""
                : SectionRuns.constant(Step.Variant.class, runs.getFirst(), VARIANT)
                        .title()
                        .toLowerCase(Locale.ROOT);
    }

    private static List<Double> learnt(History run, String curve) {
        float[] values = run.curves().lastEntry().getValue().get(curve);
        return IntStream.range(0, values.length)
                .mapToObj(i -> (double) values[i])
                .toList();
    }

    /** What the best constant leaves of y. */
    private static double variance(History run) {
        List<Double> label = learnt(run, "label");
        double mean = label.stream().mapToDouble(y -> y).average().orElseThrow();
        return label.stream()
                .mapToDouble(y -> (y - mean) * (y - mean))
                .average()
                .orElseThrow();
    }

    private static IntToDoubleFunction squared(History run) {
        List<Double> label = learnt(run, "label");
        List<Double> hypothesis = learnt(run, "hypothesis");
        return i -> Math.pow(hypothesis.get(i) - label.get(i), 2);
    }

    private static IntToDoubleFunction wrong(History run) {
        List<Double> label = learnt(run, "label");
        List<Double> hypothesis = learnt(run, "hypothesis");
        return i -> hypothesis.get(i).equals(label.get(i)) ? 0 : 1;
    }

    /**
     * The mean over samples whose r is near a step, or over the others; every level that occurs is
     * a step.
     */
    private static double mean(History run, boolean near, IntToDoubleFunction error) {
        List<Double> score = learnt(run, "score");
        double[] steps =
                learnt(run, "label").stream().mapToDouble(y -> y).distinct().toArray();
        return IntStream.range(0, score.size())
                .filter(i -> Arrays.stream(steps).anyMatch(z -> Math.abs(score.get(i) - z) < NEAR) == near)
                .mapToDouble(error)
                .average()
                .orElse(0);
    }
}
