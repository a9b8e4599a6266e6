package plateau.experiment;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Parities of random subsets of bits: figure 1. */
public final class ParityKind implements Kind<Parity.Options> {
    static final String NAME = "parity";

    /** The paper's number of steps. */
    private static final int STEPS = 50_000;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "Learns the parity of a random subset of d bits (section 2.1, figure 1): one hidden layer of 10 d ReLUs, hinge loss,"
                + " plain gradient descent.";
    }

    @Override
    public Choices<Parity.Options> choices() {
        return Parity.CHOICES;
    }

    @Override
    public Experiment create(Parity.Options options, long seed) {
        return new Parity(options, seed);
    }

    @Override
    public long defaultSteps(Parity.Options options) {
        return STEPS;
    }

    /** Figure 1: accuracy against training steps, a curve per number of bits. */
    @Override
    public SequencedMap<String, Figure> figures(List<Logged<Parity.Options>> runs) {
        Panel panel = new Panel(
                "Accuracy on random parities",
                Panel.Axis.steps(),
                Panel.Axis.of("Accuracy", 0.4, 1.02),
                Curves.ofMetric(runs, "accuracy"));
        return new LinkedHashMap<>(Map.of(NAME, new Figure(panel)));
    }
}
