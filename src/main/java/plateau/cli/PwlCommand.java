package plateau.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import plateau.experiment.Pwl;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Figure 5: encoding piecewise-linear curves, learnt in four ways. */
@Command(
        name = "pwl",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Learns to encode piecewise-linear curves by their changes of slope (section 4, figure 5).",
            "Writes metrics.csv, metrics.jsonl, curves.csv, run.json, the losses (pwl.png, pwl.svg) and two decoded curves (pwl-learnt.png, pwl-learnt.svg)."
        },
        footer = {
            "",
            "Examples:",
            "  plateau pwl",
            "      figure 5, all four ways, into ./pwl",
            "  plateau pwl conditioned conv --curves program --out filters",
            "      the same filter with and without conditioning, on the authors' own curves"
        })
final class PwlCommand extends ExperimentCommand {
    private static final int POINTS = 100;
    private static final Panel.Look ORIGINAL = new Panel.Look(0x0000D4, false);
    private static final Panel.Look DECODED = new Panel.Look(0xD40000, false);

    @Parameters(paramLabel = "VARIANT", arity = "0..*", description = "linear (section 4.1.1), conv (4.1.2), conditioned (4.1.3) or autoencoder (4.1.4) (default: all)")
    private List<String> variants = Choices.typed(Pwl.Variant.class);

    @Option(names = "--curves", paramLabel = "WHICH", defaultValue = "paper", description = "the distribution of curves, as in the paper or as in the authors' program (default: ${DEFAULT-VALUE})")
    private Pwl.Curves curves;

    @Option(names = "--steps", paramLabel = "N", description = "training steps (default, section 4: 50000; conditioned: 500)")
    private Long steps;

    @Option(names = "--batch", paramLabel = "N", description = "curves in a step (default: 100; conditioned: 10)")
    private Integer batch;

    @Option(names = "--lr", paramLabel = "RATE", description = "Adam's learning rate (default: linear 0.0001, conv 0.05, conditioned 0.99, autoencoder 0.001)")
    private Float learningRate;

    @Override
    List<Run> runs(long seed) {
        return Choices.parse(Pwl.Variant.class, variants).stream().map(variant -> run(variant, seed)).toList();
    }

    private Run run(Pwl.Variant variant, long seed) {
        int size = batch == null ? variant.defaultBatch() : batch;
        float rate = learningRate == null ? variant.defaultLearningRate() : learningRate;
        return new Run(Map.of("variant", Choices.typed(variant)), new Pwl(new Pwl.Options(variant, curves, size, rate, seed)));
    }

    @Override
    long steps(Run run) {
        return steps == null ? ((Pwl) run.experiment()).options().variant().defaultSteps() : steps;
    }

    /** Those of figure 5. */
    @Override
    Set<Long> checkpoints() {
        return Set.of(500L, 10_000L, 50_000L);
    }

    @Override
    Map<String, Figure> figures(List<Outcome> outcomes) {
        Map<String, Figure> figures = new LinkedHashMap<>();
        figures.put("pwl", new Figure(Curves.of("Encoding piecewise-linear curves", outcomes, "loss", Panel.Axis.logarithmic("Loss"))));
        List<Outcome> shown = Curves.firstSeeds(outcomes);
        int columns = shown.stream().mapToInt(outcome -> outcome.snapshots().size()).max().orElse(0);
        if (columns > 0) {
            figures.put("pwl-learnt", new Figure(columns, shown.stream().flatMap(outcome -> IntStream.range(0, columns).mapToObj(i -> learnt(outcome, i))).toList()));
        }
        return figures;
    }

    /** One panel of figure 5; a run with fewer snapshots than others leaves its place empty. */
    private static Panel learnt(Outcome outcome, int index) {
        if (index >= outcome.snapshots().size()) {
            return Panel.EMPTY;
        }
        Snapshot snapshot = outcome.snapshots().get(index);
        return new Panel(
                "%s, %,d steps".formatted(outcome.run().label(), snapshot.step()),
                Panel.Axis.of("t", 0, POINTS - 1),
                Panel.Axis.fitting("f"),
                List.of(joined("original", snapshot.curves().get("original"), ORIGINAL), joined("decoded", snapshot.curves().get("decoded"), DECODED)));
    }

    /** The curves, which lie one behind the other, as one with gaps. */
    private static Panel.Curve joined(String name, float[] values, Panel.Look look) {
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            if (i > 0 && i % POINTS == 0) {
                x.add((double) POINTS - 1);
                y.add(Double.NaN);
            }
            x.add((double) (i % POINTS));
            y.add((double) values[i]);
        }
        return new Panel.Curve(name, x, y, look);
    }
}
