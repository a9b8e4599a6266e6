package plateau.report.paper;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import plateau.results.History;

/** Parities (section 2.1, figure 1). */
final class ParitySection implements Section {
    private static final String D = "d";
    private static final String ACCURACY = "accuracy";
    private static final String SOURCE = "section 2.1";

    @Override
    public String name() {
        return "parity";
    }

    @Override
    public String title() {
        return "Parities";
    }

    @Override
    public String source() {
        return SOURCE + ", figure 1";
    }

    @Override
    public String about() {
        return "The label is the parity of an unknown subset of the d input bits. Whatever the network, its gradient"
                + " depends on the subset less and less as d grows (theorem 1), and training has nothing to follow.";
    }

    @Override
    public List<Task> tasks(Scope scale) {
        Task.Draft draft = Task.of(name(), name(), scale.seeds(5, 10)).steps(50_000);
        return List.of((scale.full() ? draft.checkpointEvery(5000) : draft.with(D, 5, 10, 30)).task(scale.routing()));
    }

    @Override
    public List<PaperFigure> figures(SectionRuns study) {
        return study.drawing(
                "parity",
                "figure-1",
                "Figure 1",
                "Accuracy on fresh inputs against training iterations, for several input dimensions.");
    }

    @Override
    public List<Claim> claims(Scope scale, SectionRuns study) {
        return List.of(
                new Claim(
                        SOURCE,
                        "Parities of few bits are learnt.",
                        Evidence.all(List.of(learnt(study, 5), learnt(study, 10)))),
                new Claim(
                        SOURCE,
                        "The difficulty grows with the dimension.",
                        Evidence.below("mean accuracy in training, for each added bit, changes by", slopes(study), 0)),
                new Claim(
                        SOURCE,
                        "Around d = 30, no advance beyond random performance is seen.",
                        Evidence.within(
                                "d = 30: accuracy in the last tenth of training",
                                SectionRuns.each(study.with(D, 30), run -> run.tail(ACCURACY)),
                                0.45,
                                0.55)));
    }

    private static Evidence learnt(SectionRuns study, int d) {
        return Evidence.above(
                "d = " + d + ": accuracy at the end",
                SectionRuns.each(study.with(D, d), run -> run.last(ACCURACY)),
                0.9);
    }

    /** For each seed, the slope of the line fitted to the mean accuracy at each dimension. */
    private static double[] slopes(SectionRuns study) {
        List<Long> seeds =
                study.runs().stream().map(History::seed).distinct().sorted().toList();
        List<Double> slopes = new ArrayList<>();
        for (long seed : seeds) {
            List<History> runs =
                    study.runs().stream().filter(run -> run.seed() == seed).toList();
            double[] d = SectionRuns.each(runs, run -> Integer.parseInt(SectionRuns.text(run, D)));
            double middle = Arrays.stream(d).average().orElseThrow();
            double covariance = runs.stream()
                    .mapToDouble(run -> (Integer.parseInt(SectionRuns.text(run, D)) - middle) * run.mean(ACCURACY))
                    .sum();
            double variance =
                    Arrays.stream(d).map(x -> (x - middle) * (x - middle)).sum();
            if (variance > 0) {
                slopes.add(covariance / variance);
            }
        }
        return slopes.stream().mapToDouble(slope -> slope).toArray();
    }
}
