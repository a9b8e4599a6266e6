package plateau.report.paper;

import java.util.List;
import plateau.experiment.Approach;

/** Signal and noise of the gradients on tuples (section 3.2, figure 4). */
final class SnrSection implements Section {
    private static final String SOURCE = "section 3.2";

    @Override
    public String name() {
        return "snr";
    }

    @Override
    public String title() {
        return "Signal and noise";
    }

    @Override
    public String source() {
        return SOURCE + ", figure 4";
    }

    @Override
    public String about() {
        return "Why end-to-end training on tuples fails: at the start, the correlation of its gradient with the label"
                + " (signal) vanishes beside its variance over the samples (noise) as k grows. With decomposition the"
                + " ratio does not depend on k.";
    }

    /**
     * Six seeds, because networks differ: at k = 4 the two ratios' logarithms lie 3.9 ± 0.7
     * apart, and at k = 3 decomposition's has moved by 0.05 ± 0.15, where 2.3 and 0.5 are the
     * thresholds.
     */
    @Override
    public List<Task> tasks(Scope scale) {
        return List.of(Task.of(name(), name(), scale.seeds(6, 8))
                .with("samples", scale.choose(50_000, 500_000))
                .task(scale.routing()));
    }

    @Override
    public List<PaperFigure> figures(SectionRuns study) {
        return study.drawing(
                "snr",
                "figure-4",
                "Figure 4",
                "Natural logarithm of the gradients' signal-to-noise ratio at the start, against k: end-to-end (red)"
                        + " and decomposition (blue); and the estimates as samples are added. No estimate can fall much"
                        + " below one over the number of samples.");
    }

    @Override
    public List<Claim> claims(Scope scale, SectionRuns study) {
        return List.of(
                new Claim(
                        SOURCE,
                        "End-to-end, the ratio falls with k.",
                        Evidence.below(
                                "ln(Sig/Noi) at k = 2 less that at k = 1:", differences(study, 2, Approach.E2E), -1)),
                new Claim(
                        SOURCE,
                        "For k ≥ 3 it is extremely small: noise can mask the signal.",
                        Evidence.all(List.of(below(study, 3), below(study, 4)))),
                new Claim(
                        SOURCE,
                        "With decomposition, it does not depend on k.",
                        Evidence.all(List.of(steady(study, 2), steady(study, 3), steady(study, 4)))));
    }

    private static Evidence below(SectionRuns study, int k) {
        return Evidence.below(
                "k = %d: ln(Sig/Noi) end-to-end less decomposition's:".formatted(k),
                SectionRuns.each(study.with("k", k), run -> run.last("e2e_log_ratio") - run.last("dec_log_ratio")),
                -2.3);
    }

    private static Evidence steady(SectionRuns study, int k) {
        return Evidence.within(
                "ln(Sig/Noi) at k = %d less that at k = 1:".formatted(k),
                differences(study, k, Approach.DEC),
                -0.5,
                0.5);
    }

    private static double[] differences(SectionRuns study, int k, Approach approach) {
        return SectionRuns.pairs(
                study.with("k", k),
                study.with("k", 1),
                (one, first) -> one.last(approach.key() + "_log_ratio") - first.last(approach.key() + "_log_ratio"));
    }
}
