package plateau.report.paper;

import java.util.ArrayList;
import java.util.List;
import plateau.experiment.Approach;
import plateau.results.History;
import plateau.results.Verdict;
import plateau.study.Seeds;

/** Tuples of line images (section 3.1, figures 2 and 3). */
final class TupleSection implements Section {
    private static final String SOURCE = "section 3.1";
    private static final String ACCURACY = "tuple_accuracy";
    private static final long PAPER_STEPS = 20_000;

    /**
     * Far from chance; the best that there is lies at about 0.95, 0.91 and 0.87 for k = 1, 2 and 3,
     * as the labels of some images cannot be seen.
     */
    private static final double GOOD = 0.75;

    @Override
    public String name() {
        return "tuple";
    }

    @Override
    public String title() {
        return "End-to-end against decomposition";
    }

    @Override
    public String source() {
        return SOURCE + ", figures 2 and 3";
    }

    @Override
    public String about() {
        return "An image shows a line that slopes upwards or downwards; the label of a tuple of k images is the parity"
            + " of their slopes. One network can be trained on the tuple's label alone, end-to-end, or on each image's"
            + " label too, by decomposition.";
    }

    /** At k = 2: 4 of so many runs have to work. */
    private static final int RUNS_FOR_TWO = 28;

    /** As many of them are run before it is looked whether enough work. */
    private static final int RUNS_AT_ONCE = 4;

    private static final String FOR_TWO = "tuple-e2e-2-";

    /**
     * At k = 2, 28 runs of 1,200 iterations, of which 4 have to work: of 100 runs none left chance
     * within 300, and 0.28 ± 0.05 would within 1,200 (Kaplan-Meier), so that fewer than 4 of 28 do
     * in 2.7 % of repetitions. Of 16 runs of 1,000, 3 have to, and fewer would in a quarter. Five
     * seeds of the others, as many as the sign test needs should runs not differ.
     */
    @Override
    public List<Task> tasks(Scope scale) {
        Seeds seeds = scale.seeds(5, 5);
        if (scale.full()) {
            return List.of(
                    draft("tuple", seeds, Approach.DEC, 1, 2, 3).task(scale.routing()),
                    draft("tuple-e2e", seeds, Approach.E2E, 1, 2, 3)
                            .checkpointEvery(1000)
                            .task(scale.routing()));
        }
        List<Task> tasks = new ArrayList<>(List.of(
                draft("tuple", seeds, Approach.DEC, 1, 2, 3)
                        .steps(400)
                        .logEvery(20)
                        .task(scale.routing()),
                draft("tuple-e2e", seeds, Approach.E2E, 1, 3)
                        .steps(300)
                        .logEvery(20)
                        .task(scale.routing())));
        Seeds all = runsForTwo(scale);
        for (long done = 0; done < all.count(); done += RUNS_AT_ONCE) {
            Seeds some = new Seeds(all.first() + done, Math.min(RUNS_AT_ONCE, all.count() - done));
            tasks.add(draft(FOR_TWO + (1 + done / RUNS_AT_ONCE), some, Approach.E2E, 2)
                    .steps(1200)
                    .task(scale.routing()));
        }
        return tasks;
    }

    private static Seeds runsForTwo(Scope scale) {
        return scale.seeds(RUNS_FOR_TWO, 5);
    }

    /** Once enough runs work, those that are left cannot make them fewer. */
    @Override
    public boolean needs(Task task, Scope scale, SectionRuns study) {
        return !task.folder().startsWith(FOR_TWO) || worksForTwo(scale, study).verdict() != Verdict.HOLDS;
    }

    private static Task.Draft draft(String folder, Seeds seeds, Approach approach, Object... sizes) {
        return Task.of(folder, "tuple", seeds).with("k", sizes).with("mode", approach.key());
    }

    @Override
    public List<PaperFigure> figures(SectionRuns study) {
        List<PaperFigure> drawings = new ArrayList<>();
        study.drawn("tuple-samples")
                .ifPresent(file -> drawings.add(PaperFigure.copy(
                        "figure-2", "Figure 2", "Images of label 1 (upper row) and −1 (lower row).", file)));
        drawings.addAll(study.drawing(
                "tuple",
                "figure-3",
                "Figure 3",
                "Accuracy on the primary objective, the tuple's label, on a held-out test set against training"
                        + " iterations: end-to-end (red) and decomposition (blue)."));
        return drawings;
    }

    @Override
    public List<Claim> claims(Scope scale, SectionRuns study) {
        return List.of(
                new Claim(
                        SOURCE,
                        "Decomposition quickly arrives at a good solution, whatever k is.",
                        Evidence.all(List.of(
                                solved(study, 1, Approach.DEC),
                                solved(study, 2, Approach.DEC),
                                solved(study, 3, Approach.DEC)))),
                new Claim(SOURCE, "End-to-end works for k = 1.", solved(study, 1, Approach.E2E)),
                new Claim(SOURCE, "End-to-end works for k = 2.", worksForTwo(scale, study)),
                new Claim(
                        SOURCE,
                        "End-to-end fails completely already for k = 3.",
                        Evidence.within(
                                "k = 3: accuracy after " + iterations(runs(study, 3, Approach.E2E), true),
                                SectionRuns.each(runs(study, 3, Approach.E2E), run -> run.tail(ACCURACY)),
                                0.45,
                                0.55)));
    }

    private static Evidence solved(SectionRuns study, int k, Approach approach) {
        List<History> runs = runs(study, k, approach);
        return Evidence.above(
                "k = %d: accuracy after %s".formatted(k, iterations(runs, false)),
                SectionRuns.each(runs, run -> run.tail(ACCURACY)),
                GOOD);
    }

    /**
     * Some runs leave chance, most of them before the thousandth iteration, and others never do.
     * That it works is taken to mean: in more than one run of 20.
     */
    private static Evidence worksForTwo(Scope scale, SectionRuns study) {
        List<History> runs = runs(study, 2, Approach.E2E);
        Evidence share = Evidence.share(
                "have an accuracy above %s after %s".formatted(GOOD, iterations(runs, true)),
                runs.stream().map(run -> run.tail(ACCURACY) > GOOD).toList(),
                Math.toIntExact(runsForTwo(scale).count()),
                0.05);
        return SectionRuns.steps(runs) < PAPER_STEPS ? share.cutShort() : share;
    }

    private static String iterations(List<History> runs, boolean asManyAsThePaper) {
        long steps = SectionRuns.steps(runs);
        return asManyAsThePaper && steps < PAPER_STEPS
                ? "%,d of the paper's %,d iterations".formatted(steps, PAPER_STEPS)
                : "%,d iterations".formatted(steps);
    }

    private static List<History> runs(SectionRuns study, int k, Approach approach) {
        return study.with("k", k).stream()
                .filter(run -> approach.key().equals(SectionRuns.text(run, "mode")))
                .toList();
    }
}
