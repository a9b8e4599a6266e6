package plateau.cli;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import plateau.autograd.Kernels;
import plateau.experiment.Tuple;
import plateau.kernel.LineData;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Figures 2 and 3: tuples of line images, learnt end-to-end and by decomposition. */
@Command(
        name = "tuple",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Learns the parity of the labels of k images, each of a line that slopes upwards or downwards (section 3.1, figures 2 and 3): end-to-end, or decomposed, with the images' labels too.",
            "Writes metrics.csv, metrics.jsonl, run.json, the accuracy on tuples (tuple.png, tuple.svg) and some images (tuple-samples.png, tuple-samples.svg)."
        },
        footer = {
            "",
            "Examples:",
            "  plateau tuple",
            "      figure 3, k = 1, 2 and 3 in both ways, into ./tuple",
            "  plateau tuple --k 3 --mode dec --raster program --out t3",
            "      the way that works, on the authors' own images"
        })
final class TupleCommand extends ExperimentCommand {
    private static final Panel.Look END_TO_END = new Panel.Look(0xD40000, false);
    private static final Panel.Look DECOMPOSITION = new Panel.Look(0x0000D4, false);
    private static final int SAMPLES = 64;
    private static final int SAMPLES_IN_ROW = 6;

    /** Which ways to train. */
    enum Modes {
        E2E(Tuple.Mode.E2E),
        DEC(Tuple.Mode.DEC),
        BOTH(Tuple.Mode.E2E, Tuple.Mode.DEC);

        private final List<Tuple.Mode> modes;

        Modes(Tuple.Mode... modes) {
            this.modes = List.of(modes);
        }
    }

    @Option(names = "--k", paramLabel = "K", split = ",", defaultValue = "1,2,3", description = "images in a tuple, one run each (default: ${DEFAULT-VALUE})")
    private List<Integer> sizes;

    @Option(names = "--mode", paramLabel = "MODE", defaultValue = "both", description = "e2e (the tuple's label alone), dec (decomposition: each image's label too) or both (default: ${DEFAULT-VALUE})")
    private Modes mode;

    @Option(names = "--raster", paramLabel = "WHICH", defaultValue = "paper", description = "how lines become pixels, as in the paper or as in the authors' program (default: ${DEFAULT-VALUE})")
    private LineData.Raster raster;

    @Option(names = "--steps", paramLabel = "N", description = "training steps (default, section 3.1: e2e 20000, dec 2500)")
    private Long steps;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "200", description = "tuples in a step (default: ${DEFAULT-VALUE})")
    private int batch;

    @Option(names = "--lr", paramLabel = "RATE", defaultValue = "0.001", description = "Adam's learning rate (default: ${DEFAULT-VALUE})")
    private float learningRate;

    @Override
    List<Run> runs(long seed) {
        Choices.requireDistinct("--k", sizes);
        return sizes.stream().flatMap(k -> mode.modes.stream().map(each -> run(k, each, seed))).toList();
    }

    private Run run(int k, Tuple.Mode each, long seed) {
        Map<String, Object> key = new LinkedHashMap<>();
        key.put("k", k);
        key.put("mode", Choices.typed(each));
        return new Run(key, new Tuple(new Tuple.Options(each, k, raster, batch, learningRate, seed)));
    }

    @Override
    long steps(Run run) {
        return steps == null ? ((Tuple) run.experiment()).options().mode().defaultSteps() : steps;
    }

    /** Figure 2: images of label 1 above images of label -1. */
    @Override
    Map<String, Figure> dataFigures(Kernels kernels, Run run) {
        List<Tuple.Sample> samples = ((Tuple) run.experiment()).samples(kernels, SAMPLES);
        List<Panel> panels = Stream.of(1, -1)
                .flatMap(label -> samples.stream().filter(sample -> sample.label() == label).limit(SAMPLES_IN_ROW))
                .map(sample -> Panel.of("y = " + sample.label(), new Panel.Bitmap(LineData.SIDE, sample.pixels())))
                .toList();
        return Map.of("tuple-samples", new Figure(SAMPLES_IN_ROW, panels));
    }

    /** Figure 3: a panel per k. */
    @Override
    Map<String, Figure> figures(List<Outcome> outcomes) {
        List<Panel> panels = outcomes.stream().map(outcome -> (Integer) outcome.run().key().get("k")).distinct().sorted(Comparator.naturalOrder()).map(k -> panel(k, outcomes)).toList();
        return Map.of("tuple", new Figure(Math.min(2, panels.size()), panels));
    }

    private static Panel panel(int k, List<Outcome> outcomes) {
        List<Outcome> those = outcomes.stream().filter(outcome -> outcome.run().key().get("k").equals(k)).toList();
        Panel panel = Curves.of("k = " + k + ", test accuracy on tuples", those, "tuple_accuracy", Panel.Axis.of("Accuracy", 0.4, 1.02));
        return new Panel(panel.title(), panel.horizontal(), panel.vertical(), panel.curves().stream().map(TupleCommand::coloured).toList());
    }

    /** End-to-end is red and decomposition blue, as in the paper. */
    private static Panel.Curve coloured(Panel.Curve curve) {
        return new Panel.Curve(curve.name(), curve.x(), curve.y(), curve.name().endsWith("e2e") ? END_TO_END : DECOMPOSITION, curve.low(), curve.high());
    }
}
