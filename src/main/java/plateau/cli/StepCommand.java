package plateau.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import plateau.experiment.Step;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Figure 6: step functions, learnt in four ways. */
@Command(
        name = "step",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Learns y = u(w*.x + b*), where u rounds down to the nearest of 52 levels and so has no gradient (section 5, figure 6).",
            "Writes metrics.csv, metrics.jsonl, curves.csv, run.json, the errors (step.png, step.svg) and what was learnt (step-learnt.png, step-learnt.svg)."
        },
        footer = {
            "",
            "Examples:",
            "  plateau step",
            "      figure 6, all four ways, into ./step",
            "  plateau step forward-only --seed 3 --out f3",
            "      the way that works, on another step function"
        })
final class StepCommand extends ExperimentCommand {
    private static final Panel.Look LABEL = new Panel.Look(0x009E73, true);
    private static final Panel.Look LEARNT = new Panel.Look(0xD40000, false);
    private static final Panel.Look SMOOTH = new Panel.Look(0xC000C0, true);

    @Parameters(paramLabel = "VARIANT", arity = "0..*", description = "approximation (section 5.2), e2e (5.3), multiclass (5.4) or forward-only (5.5) (default: all)")
    private List<String> variants = Choices.typed(Step.Variant.class);

    @Option(names = "--steps", paramLabel = "N", description = "training steps (default, section 5: 10000; forward-only: 5000)")
    private Long steps;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "256", description = "samples in a step (default: ${DEFAULT-VALUE})")
    private int batch;

    @Option(names = "--lr", paramLabel = "RATE", description = "Adam's learning rate (default: 0.001; approximation: 0.01)")
    private Float learningRate;

    @Option(names = "--smoothing", paramLabel = "WHICH", defaultValue = "program", description = "the approximation's sigmoids, as in the paper or as in the authors' program (default: ${DEFAULT-VALUE})")
    private Step.Smoothing smoothing;

    @Override
    List<Run> runs(long seed) {
        return Choices.parse(Step.Variant.class, variants).stream().map(variant -> run(variant, seed)).toList();
    }

    private Run run(Step.Variant variant, long seed) {
        float rate = learningRate == null ? variant.defaultLearningRate() : learningRate;
        return new Run(Map.of("variant", Choices.typed(variant)), new Step(new Step.Options(variant, smoothing, batch, rate, seed)));
    }

    @Override
    long steps(Run run) {
        return steps == null ? variant(run).defaultSteps() : steps;
    }

    private static Step.Variant variant(Run run) {
        return ((Step) run.experiment()).options().variant();
    }

    @Override
    Map<String, Figure> figures(List<Outcome> outcomes) {
        Map<String, Figure> figures = new LinkedHashMap<>();
        figures.put("step", new Figure(1, List.of(
                Curves.of("Squared error, rounded down to a level", outcomes, "squared_error", Panel.Axis.logarithmic("Squared error")),
                Curves.of("Samples whose level is right", outcomes, "exact", Panel.Axis.of("Fraction", 0, 1.02)))));
        List<Panel> learnt = Curves.firstSeeds(outcomes).stream().filter(outcome -> !outcome.snapshots().isEmpty()).map(StepCommand::learnt).toList();
        if (!learnt.isEmpty()) {
            figures.put("step-learnt", new Figure(Math.min(2, learnt.size()), learnt));
        }
        return figures;
    }

    /** One panel of figure 6. */
    private static Panel learnt(Outcome outcome) {
        Snapshot end = outcome.snapshots().getLast();
        float[] score = end.curves().get("score");
        List<Panel.Curve> curves = new ArrayList<>();
        curves.add(Curves.of("learnt", score, end.curves().get("hypothesis"), LEARNT));
        curves.add(Curves.of("u(r)", score, end.curves().get("label"), LABEL));
        if (end.curves().containsKey("smooth")) {
            curves.add(Curves.of("smooth u", score, end.curves().get("smooth"), SMOOTH));
        }
        return new Panel("%s, %,d steps".formatted(outcome.run().key().get("variant"), end.step()), Panel.Axis.fitting("r"), Panel.Axis.fitting("y"), curves);
    }
}
