package plateau.cli;

import java.util.List;
import plateau.cli.ExperimentCommand.Outcome;
import plateau.report.LineFigure;

/** From what was logged to what is drawn. */
final class Curves {
    private Curves() {}

    /** One metric against the steps, a curve per run. */
    static List<LineFigure.Curve> of(List<Outcome> outcomes, String metric) {
        return outcomes.stream().map(outcome -> of(outcome, metric)).toList();
    }

    private static LineFigure.Curve of(Outcome outcome, String metric) {
        int column = outcome.run().experiment().metrics().indexOf(metric);
        return new LineFigure.Curve(
                outcome.run().label(),
                outcome.rows().stream().map(row -> (double) row.step()).toList(),
                outcome.rows().stream().map(row -> row.test().get(column)).toList());
    }
}
