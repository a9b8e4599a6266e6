package plateau.report.paper;

import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import plateau.experiment.Approach;
import plateau.results.History;

/** Stocks (appendix A, figure 8). */
final class StocksSection implements Section {
    private static final String SOURCE = "appendix A";
    private static final String LOSS = "exact_loss";
    private static final List<Integer> LARGE = List.of(1000, 2000);

    @Override
    public String name() {
        return "stocks";
    }

    @Override
    public String title() {
        return "Noise of two unbiased estimators";
    }

    @Override
    public String source() {
        return SOURCE + ", figure 8";
    }

    @Override
    public String about() {
        return "Which of k stocks does a reference speak of? From the gains of all stocks (end-to-end) or from the"
            + " right stock (decomposition) come two unbiased estimates of the same gradient. The former's variance is"
            + " about k times as large at the start.";
    }

    /**
     * Five seeds, because at k = 10 the losses of decomposition agree in six digits and may agree
     * in all: runs without any spread are judged by the sign test, which fewer than five never
     * satisfy.
     */
    @Override
    public List<Task> tasks(Scope scale) {
        return List.of(Task.of(name(), name(), scale.seeds(5, 5)).logEvery(50).task(scale.routing()));
    }

    @Override
    public List<PaperFigure> figures(SectionRuns study) {
        return study.drawing(
                "stocks",
                "figure-8",
                "Figure 8",
                "Loss against training iterations: end-to-end (red) and decomposition (blue), for d = 1000 inputs.");
    }

    @Override
    public List<Claim> claims(Scope scale, SectionRuns study) {
        List<Integer> all = List.of(10, 1000, 2000);
        return List.of(
                new Claim(
                        SOURCE,
                        "With decomposition, every problem is solved.",
                        Evidence.all(all.stream()
                                .map(k -> Evidence.below(
                                        "k = %d: loss at the end".formatted(k),
                                        SectionRuns.each(runs(study, k, Approach.DEC), run -> run.last(LOSS)),
                                        -0.95))
                                .toList())),
                new Claim(
                        SOURCE,
                        "End-to-end takes longer.",
                        Evidence.all(all.stream()
                                .map(k -> Evidence.above(
                                        "k = %d: mean loss in training above decomposition's by".formatted(k),
                                        gaps(study, k, run -> run.mean(LOSS)),
                                        0))
                                .toList())),
                new Claim(
                        SOURCE,
                        "For large k, it cannot close the gap in reasonable time.",
                        Evidence.all(LARGE.stream()
                                .map(k -> Evidence.above(
                                        "k = %d: loss at the end above decomposition's by".formatted(k),
                                        gaps(study, k, run -> run.last(LOSS)),
                                        0.1))
                                .toList())),
                new Claim(
                        SOURCE + ".2",
                        "At the start, its gradients are about k times as noisy.",
                        Evidence.all(all.stream()
                                .map(k -> Evidence.within(
                                        "k = %d: ratio of E‖∇‖², divided by k,".formatted(k),
                                        SectionRuns.each(runs(study, k, Approach.E2E), run -> excess(run, k)),
                                        0.8,
                                        1.25))
                                .toList())));
    }

    private static double[] gaps(SectionRuns study, int k, ToDoubleFunction<History> loss) {
        return SectionRuns.pairs(
                runs(study, k, Approach.E2E),
                runs(study, k, Approach.DEC),
                (e2e, dec) -> loss.applyAsDouble(e2e) - loss.applyAsDouble(dec));
    }

    /** Before the first step. */
    private static double excess(History run, int k) {
        Map<?, ?> start = (Map<?, ?>) run.facts().get("start");
        return ((Number) start.get("moment_e2e")).doubleValue() / ((Number) start.get("moment_dec")).doubleValue() / k;
    }

    private static List<History> runs(SectionRuns study, int k, Approach approach) {
        return study.with("k", k).stream()
                .filter(run -> approach.key().equals(SectionRuns.text(run, "mode")))
                .toList();
    }
}
