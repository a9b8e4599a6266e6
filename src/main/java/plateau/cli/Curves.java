package plateau.cli;

import java.util.List;
import plateau.cli.ExperimentCommand.Outcome;
import plateau.report.Panel;

/** From what was logged to what is drawn. */
final class Curves {
    /** The horizontal axis of everything that is logged. */
    private static final String STEPS = "Training iterations";

    private Curves() {}

    /** One metric against the steps, a curve per run. */
    static Panel of(String title, List<Outcome> outcomes, String metric, Panel.Axis vertical) {
        return new Panel(title, new Panel.Axis(STEPS, 0, Double.NaN, false), vertical, outcomes.stream().map(outcome -> of(outcome, metric)).toList());
    }

    private static Panel.Curve of(Outcome outcome, String metric) {
        int column = outcome.run().experiment().metrics().indexOf(metric);
        return new Panel.Curve(
                outcome.run().label(),
                outcome.rows().stream().map(row -> (double) row.step()).toList(),
                outcome.rows().stream().map(row -> row.test().get(column)).toList());
    }
}
