package plateau.experiment;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Tuples of line images: figures 2 and 3. */
public final class TupleKind implements Kind<Tuple.Options> {
    static final String NAME = "tuple";

    private static final int MOST_COLUMNS = 3;

    /** The paper's numbers of steps. */
    private static final long END_TO_END_STEPS = 20_000;

    private static final long DECOMPOSITION_STEPS = 2_500;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "Learns the parity of the labels of k images, each of a line that slopes upwards or downwards (section 3.1, figures 2"
                + " and 3): end-to-end, or decomposed, with the images' labels too.";
    }

    @Override
    public Choices<Tuple.Options> choices() {
        return Tuple.CHOICES;
    }

    @Override
    public Experiment create(Tuple.Options options, long seed) {
        return new Tuple(options, seed);
    }

    @Override
    public long defaultSteps(Tuple.Options options) {
        return options.mode() == Approach.E2E ? END_TO_END_STEPS : DECOMPOSITION_STEPS;
    }

    @Override
    public List<String> figureNames() {
        return List.of(NAME, "tuple-samples");
    }

    /** Figure 3: accuracy on the tuple's label against training steps, a panel per k. */
    @Override
    public SequencedMap<String, Figure> figures(List<Logged<Tuple.Options>> runs) {
        List<Panel> panels = Curves.panels(
                runs,
                Tuple.Options::k,
                (k, those) -> new Panel(
                        "k = " + k,
                        Panel.Axis.steps(),
                        Panel.Axis.of("Accuracy", 0.3, 1.02),
                        Curves.byApproach(those, Tuple.Options::mode, "tuple_accuracy")));
        return new LinkedHashMap<>(Map.of(NAME, new Figure(Math.min(MOST_COLUMNS, panels.size()), panels)));
    }
}
