package plateau.report.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.function.IntToDoubleFunction;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.results.History;
import plateau.results.RunKey;
import plateau.results.Verdict;
import plateau.study.Routing;
import plateau.study.RunSpec;

/** Each experiment's claims on numbers as the paper has them, on their opposite, and on none. */
class SectionsTest {
    private static final int SEEDS = 6;
    private static final Scope SCALE = new Scope(false, 1, OptionalLong.of(SEEDS), Routing.AUTO);

    @Test
    void withoutResultsThereAreNoFiguresAndNoVerdicts() {
        for (Section section : Section.ALL) {
            SectionRuns nothing = new SectionRuns(List.of(), List.of(), new LinkedHashMap<>());
            assertEquals(List.of(), section.figures(nothing), section.name());
            assertFalse(section.claims(SCALE, nothing).isEmpty(), section.name());
            section.claims(SCALE, nothing)
                    .forEach(claim ->
                            assertEquals(Verdict.UNDECIDED, claim.evidence().verdict(), claim.sentence()));
        }
    }

    @Test
    void tasksNameTheirSeedsAndFoldersDiffer() {
        for (boolean full : new boolean[] {false, true}) {
            Scope scale = new Scope(full, 11, OptionalLong.of(7), Routing.AUTO);
            List<Task> tasks = Section.ALL.stream()
                    .flatMap(section -> section.tasks(scale).stream())
                    .toList();
            assertEquals(
                    tasks.size(), tasks.stream().map(Task::folder).distinct().count());
            seeds(tasks)
                    .forEach((options, seeds) ->
                            assertEquals(LongStream.rangeClosed(11, 17).boxed().toList(), seeds, options));
        }
    }

    /** Of all tasks together, by what else is chosen. */
    private static Map<String, List<Long>> seeds(List<Task> tasks) {
        return tasks.stream()
                .flatMap(task -> task.campaign().runs().stream())
                .collect(Collectors.groupingBy(
                        run -> "%s %s %s".formatted(run.kind().name(), run.values(), run.schedule()),
                        Collectors.mapping(RunSpec::seed, Collectors.toList())));
    }

    /** Runs that do not differ are judged by the sign test, and ½ⁿ is at most 5 % from n = 5 on. */
    @Test
    void quickModeTakesAsManySeedsAsTheSignTestNeeds() {
        for (Section section : Section.ALL) {
            List<Task> tasks = section.tasks(new Scope(false, 1, OptionalLong.empty(), Routing.AUTO));
            seeds(tasks).forEach((options, seeds) -> {
                Verdict verdict =
                        Evidence.above("", new double[seeds.size()], -1).verdict();
                assertEquals(Verdict.HOLDS, verdict, options + ": " + seeds);
            });
        }
    }

    @Test
    void parity() {
        SectionRuns asThePaper = study(List.of(
                runs(Map.of("d", "5"), seed -> Map.of("accuracy", List.of(0.5, 0.9, 1.0 - 1e-3 * seed))),
                runs(Map.of("d", "10"), seed -> Map.of("accuracy", List.of(0.5, 0.7, 1.0 - 1e-3 * seed))),
                runs(Map.of("d", "30"), seed -> Map.of("accuracy", List.of(0.5, 0.51, 0.5 + 1e-3 * seed)))));
        assertEquals(List.of(Verdict.HOLDS, Verdict.HOLDS, Verdict.HOLDS), verdicts("parity", asThePaper));

        SectionRuns opposite = study(List.of(
                runs(Map.of("d", "5"), seed -> Map.of("accuracy", List.of(0.5, 0.5, 0.5 + 1e-3 * seed))),
                runs(Map.of("d", "10"), seed -> Map.of("accuracy", List.of(0.5, 0.7, 0.7 + 1e-3 * seed))),
                runs(Map.of("d", "30"), seed -> Map.of("accuracy", List.of(0.5, 0.9, 0.9 + 1e-3 * seed)))));
        assertEquals(
                List.of(Verdict.DOES_NOT_HOLD, Verdict.DOES_NOT_HOLD, Verdict.DOES_NOT_HOLD),
                verdicts("parity", opposite));
    }

    /** The page's figures are those of the experiments, whatever they are called there. */
    @Test
    void figuresAreTheExperiments() {
        for (Section section : Section.ALL) {
            Kind<?> kind = Kinds.named(section.name());
            SequencedMap<String, Figure> figures = new LinkedHashMap<>();
            for (String name : List.of(kind.name(), kind.name() + "-learnt")) {
                figures.put(name, new Figure(Panel.EMPTY));
            }
            List<PaperFigure> drawings = section.figures(new SectionRuns(List.of(), List.of(), figures));
            assertFalse(drawings.isEmpty(), section.name());
            drawings.forEach(drawing -> assertTrue(figures.containsValue(drawing.figure()), section.name()));
        }
    }

    @Test
    void pwl() {
        SectionRuns asThePaper = study(List.of(
                pwl(
                        "linear",
                        0.9,
                        seed -> Map.of(
                                "loss", List.of(14.0, 12.0, 11.0), "distance", List.of(2.0, 2.0, 2.0 - 1e-6 * seed))),
                pwl("conv", 0.5, seed -> Map.of("loss", List.of(0.1, 0.02, 4e-3), "distance", List.of(1.0, 0.3, 0.2))),
                // small at iteration 1, the convolution's alone at 15,000
                pwl(
                        "conditioned",
                        1e-4,
                        seed -> Map.of(
                                "loss",
                                List.of(1e-9, 1e-9 * seed, 1e-10 * seed),
                                "distance",
                                List.of(1e-4, 1e-4, 1e-5)),
                        1),
                pwl("autoencoder", 5, seed -> Map.of("loss", List.of(10.0, 5.0, 1.0)))));
        assertEquals(
                List.of("holds"),
                verdicts("pwl", asThePaper).stream()
                        .map(Verdict::toString)
                        .distinct()
                        .toList());

        SectionRuns opposite = study(List.of(
                pwl(
                        "linear",
                        1e-4,
                        seed -> Map.of("loss", List.of(1e-6, 1e-6, 1e-6), "distance", List.of(0.0, 0.0, 1e-6 * seed))),
                pwl(
                        "conv",
                        1e-4,
                        seed -> Map.of("loss", List.of(1e-3, 1e-3, 1e-3), "distance", List.of(0.0, 0.0, 0.0)),
                        1),
                pwl(
                        "conditioned",
                        0.9,
                        seed -> Map.of("loss", List.of(0.1, 0.1, 0.1 * seed), "distance", List.of(1.0, 1.0, 1.0))),
                pwl("autoencoder", 1e-4, seed -> Map.of("loss", List.of(1e-6, 1e-6, 1e-6)))));
        assertEquals(
                List.of("does not hold"),
                verdicts("pwl", opposite).stream()
                        .map(Verdict::toString)
                        .distinct()
                        .toList());
    }

    @Test
    void step() {
        SectionRuns asThePaper = study(List.of(
                step(
                        "approximation",
                        2,
                        seed -> Map.of(
                                "loss", List.of(0.5, 0.5, 0.5 + 0.01 * seed), "squared_error", List.of(0.5, 0.5, 0.5))),
                step(
                        "e2e",
                        0.05,
                        seed -> Map.of(
                                "loss",
                                List.of(0.1, 0.02, 2e-3 + 1e-4 * seed),
                                "squared_error",
                                List.of(0.5, 0.5, 0.5))),
                step(
                        "multiclass",
                        0.2,
                        seed -> Map.of("loss", List.of(1.0, 0.1, 0.1), "squared_error", List.of(0.1, 0.01, 1e-3))),
                step(
                        "forward-only",
                        0,
                        seed -> Map.of("loss", List.of(0.1, 1e-5, 1e-5), "squared_error", List.of(0.1, 2e-5, 2e-5)))));
        assertEquals(
                List.of("holds"),
                verdicts("step", asThePaper).stream()
                        .map(Verdict::toString)
                        .distinct()
                        .toList());

        SectionRuns opposite = study(List.of(
                step(
                        "approximation",
                        0,
                        seed -> Map.of("loss", List.of(1e-6, 1e-6, 1e-6), "squared_error", List.of(1e-6, 1e-6, 1e-6))),
                step(
                        "e2e",
                        0,
                        seed -> Map.of(
                                "loss", List.of(0.5, 0.5, 0.5 + 0.01 * seed), "squared_error", List.of(0.5, 0.5, 0.5))),
                step(
                        "multiclass",
                        0,
                        seed -> Map.of("loss", List.of(0.1, 0.1, 0.1), "squared_error", List.of(1e-6, 1e-6, 1e-6))),
                step(
                        "forward-only",
                        0.5,
                        seed -> Map.of("loss", List.of(0.5, 0.5, 0.5), "squared_error", List.of(0.5, 0.5, 0.5)))));
        Map<String, Verdict> verdicts = section("step").claims(SCALE, opposite).stream()
                .collect(Collectors.toMap(
                        Claim::sentence, claim -> claim.evidence().verdict()));
        assertEquals(
                Verdict.DOES_NOT_HOLD,
                verdicts.get("Training through a smooth approximation is slower than forward-only …"));
        assertEquals(
                Verdict.UNDECIDED,
                verdicts.get("… and sometimes fails completely, stuck in a flat region."),
                "six runs without a failure do not show that failures are rarer than 5 %");
        assertEquals(Verdict.DOES_NOT_HOLD, verdicts.get("A deep network finds a reasonable solution …"));
        assertEquals(Verdict.DOES_NOT_HOLD, verdicts.get("Classification blurs the boundaries between classes."));
        assertEquals(Verdict.DOES_NOT_HOLD, verdicts.get("Forward-only gives the best final accuracy …"));
        assertEquals(Verdict.DOES_NOT_HOLD, verdicts.get("… in the shortest training."));
    }

    /**
     * Its median over the last tenth, the last 3 of 30 evaluations, whatever the very last one is.
     */
    @Test
    void finalAccuracyIsThatOfTheLastTenth() {
        assertEquals(Verdict.HOLDS, finalAccuracy(1e-4, 0.1), "a spike at the very end");
        assertEquals(Verdict.DOES_NOT_HOLD, finalAccuracy(0.1, 1e-4), "luck at the very end");
    }

    /** Of forward-only with such errors, where all others have 0.01 throughout. */
    private static Verdict finalAccuracy(double settled, double last) {
        List<List<History>> all = new ArrayList<>();
        for (String variant : List.of("approximation", "e2e", "multiclass", "forward-only")) {
            boolean forwardOnly = variant.equals("forward-only");
            List<Double> errors = new ArrayList<>(Collections.nCopies(30, forwardOnly ? settled : 0.01));
            errors.set(29, forwardOnly ? last : 0.01);
            all.add(step(variant, 0, _ -> Map.of("loss", errors, "squared_error", errors)));
        }
        return section("step").claims(SCALE, study(all)).stream()
                .filter(claim -> claim.sentence().startsWith("Forward-only gives the best final accuracy"))
                .map(claim -> claim.evidence().verdict())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void tuple() {
        SectionRuns asThePaper = study(List.of(
                tuple(1, "dec", 0.95),
                tuple(2, "dec", 0.9),
                tuple(3, "dec", 0.86),
                tuple(1, "e2e", 0.95),
                tuple(2, "e2e", 0.9),
                tuple(3, "e2e", 0.5)));
        assertEquals(
                List.of(Verdict.HOLDS, Verdict.HOLDS, Verdict.HOLDS, Verdict.HOLDS), verdicts("tuple", asThePaper));

        SectionRuns opposite = study(List.of(
                tuple(1, "dec", 0.5),
                tuple(2, "dec", 0.5),
                tuple(3, "dec", 0.5),
                tuple(1, "e2e", 0.5),
                tuple(2, "e2e", 0.5),
                tuple(3, "e2e", 0.9)));
        assertEquals(
                List.of(Verdict.DOES_NOT_HOLD, Verdict.DOES_NOT_HOLD, Verdict.UNDECIDED, Verdict.DOES_NOT_HOLD),
                verdicts("tuple", opposite),
                "300 iterations say nothing against what takes 20,000");
    }

    /** Of 28 runs at k = 2, those after the fourth that works are spared, and none before. */
    @Test
    void enoughRunsThatWorkSpareTheOthers() {
        Section tuple = section("tuple");
        Scope quick = new Scope(false, 1, OptionalLong.empty(), Routing.AUTO);
        List<Task> tasks = tuple.tasks(quick);
        assertEquals(2 + 7, tasks.size());
        for (int working = 0; working <= SEEDS; working++) {
            int most = working;
            SectionRuns study = study(List.of(runs(
                    Map.of("k", "2", "mode", "e2e"),
                    seed -> Map.of("tuple_accuracy", List.of(0.5, seed <= most ? 0.9 : 0.5)))));
            for (Task task : tasks) {
                boolean forTwo = task.folder().startsWith("tuple-e2e-2");
                assertEquals(!forTwo || working < 4, tuple.needs(task, quick, study), task.folder() + working);
            }
            Evidence evidence = tuple.claims(quick, study).get(2).evidence();
            assertEquals(working < 4 ? Verdict.UNDECIDED : Verdict.HOLDS, evidence.verdict());
            assertTrue(evidence.measured().getFirst().startsWith(working + " of 6 runs (of 28 planned) have"));
        }
    }

    private static List<History> tuple(int k, String mode, double end) {
        return runs(
                Map.of("k", "" + k, "mode", mode),
                seed -> Map.of("tuple_accuracy", List.of(0.5, 0.6, end + 1e-3 * seed)));
    }

    @Test
    void snr() {
        SectionRuns asThePaper =
                study(List.of(snr(1, -6.7, -6.7), snr(2, -11.4, -6.8), snr(3, -13, -6.7), snr(4, -14.6, -6.8)));
        assertEquals(
                List.of("holds"),
                verdicts("snr", asThePaper).stream()
                        .map(Verdict::toString)
                        .distinct()
                        .toList());

        SectionRuns opposite =
                study(List.of(snr(1, -6.7, -6.7), snr(2, -6.7, -8), snr(3, -6.7, -9), snr(4, -6.7, -10)));
        assertEquals(
                List.of("does not hold"),
                verdicts("snr", opposite).stream()
                        .map(Verdict::toString)
                        .distinct()
                        .toList());
    }

    private static List<History> snr(int k, double endToEnd, double decomposition) {
        return runs(
                Map.of("k", "" + k),
                seed -> Map.of(
                        "e2e_log_ratio",
                        List.of(0.0, 0.0, endToEnd + 0.01 * k * seed),
                        "dec_log_ratio",
                        List.of(0.0, 0.0, decomposition - 0.01 * k * seed)));
    }

    @Test
    void stocks() {
        SectionRuns asThePaper = stocks(1, 0, 0.3, 0.6);
        assertEquals(
                List.of("holds"),
                verdicts("stocks", asThePaper).stream()
                        .map(Verdict::toString)
                        .distinct()
                        .toList());

        assertEquals(
                List.of("does not hold"),
                verdicts("stocks", stocks(3, 0.5, -0.4, -0.4)).stream()
                        .map(Verdict::toString)
                        .distinct()
                        .toList());
    }

    /**
     * Losses of -1 for decomposition, but for what it misses, and of more for end-to-end; noise is
     * k times a factor.
     */
    private static SectionRuns stocks(double factor, double missed, double early, double late) {
        List<List<History>> all = new ArrayList<>();
        for (int k : new int[] {10, 1000, 2000}) {
            for (String mode : List.of("dec", "e2e")) {
                double more = mode.equals("dec") ? 0 : 1;
                runs(
                                Map.of("k", "" + k, "mode", mode),
                                seed -> Map.of(
                                        "exact_loss",
                                        List.of(
                                                missed - 0.2 + more * early,
                                                missed - 0.9 + more * late,
                                                missed - 1 + 1e-3 * seed + more * late)))
                        .forEach(run -> all.add(List.of(run.withFacts(Map.of(
                                "start",
                                Map.of("moment_e2e", factor * k * (1 + 0.01 * run.seed()), "moment_dec", 1.0))))));
            }
        }
        return study(all);
    }

    private static List<Verdict> verdicts(String section, SectionRuns study) {
        return section(section).claims(SCALE, study).stream()
                .map(claim -> claim.evidence().verdict())
                .toList();
    }

    private static Section section(String name) {
        return Section.ALL.stream()
                .filter(section -> section.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static SectionRuns study(List<List<History>> runs) {
        return new SectionRuns(runs.stream().flatMap(List::stream).toList(), List.of(), new LinkedHashMap<>());
    }

    private static List<History> runs(Map<String, String> key, LongFunction<Map<String, List<Double>>> metrics) {
        return LongStream.rangeClosed(1, SEEDS)
                .mapToObj(seed -> run(key, seed, 100, metrics.apply(seed)))
                .toList();
    }

    private static History run(Map<String, String> key, long seed, long everyStep, Map<String, List<Double>> metrics) {
        List<String> names = List.copyOf(metrics.keySet());
        History history = new History(new RunKey(new LinkedHashMap<>(key), seed), names);
        for (int i = 0; i < metrics.get(names.getFirst()).size(); i++) {
            int row = i;
            history.add(
                    (i + 1) * everyStep,
                    names.stream().map(name -> metrics.get(name).get(row)).toList());
        }
        return history;
    }

    /** Two curves with a corner each; what is decoded bends by a share too much. */
    private static List<History> pwl(String variant, double error, LongFunction<Map<String, List<Double>>> metrics) {
        return pwl(variant, error, metrics, 5_000);
    }

    private static List<History> pwl(
            String variant, double error, LongFunction<Map<String, List<Double>>> metrics, long everyStep) {
        float[] original = floats(200, i -> Math.max(0, i % 100 - 30 - i / 100 * 20));
        return LongStream.rangeClosed(1, SEEDS)
                .mapToObj(seed -> {
                    float[] decoded = floats(200, i -> original[i] * (1 + error + error * 0.01 * seed));
                    History run = run(Map.of("variant", variant), seed, everyStep, metrics.apply(seed));
                    run.keep(500, Map.of("original", original, "decoded", decoded));
                    run.keep(15_000, Map.of("original", original, "decoded", decoded));
                    return run;
                })
                .toList();
    }

    /**
     * Levels every 0.1; some of the ten samples just left of each level are put one level too high.
     */
    private static List<History> step(String variant, double wrong, LongFunction<Map<String, List<Double>>> metrics) {
        float[] score = floats(1000, i -> i / 1000.0);
        float[] label = floats(1000, i -> i / 100 / 10.0);
        return runs(Map.of("variant", variant), metrics).stream()
                .map(run -> {
                    float[] hypothesis = floats(
                            1000,
                            i -> wrong > 0 && 99 - i % 100 < 10 * wrong + run.seed() % 2 ? label[i] + 0.1 : label[i]);
                    run.keep(run.lastStep(), Map.of("score", score, "label", label, "hypothesis", hypothesis));
                    return run;
                })
                .toList();
    }

    private static float[] floats(int count, IntToDoubleFunction value) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) value.applyAsDouble(i);
        }
        return values;
    }
}
