package plateau.cli;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
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

    /** One learnt curve against another, from left to right. Points inside a flat stretch are left out, so that its dashes show. */
    static Panel.Curve of(String name, float[] x, float[] y, Panel.Look look) {
        List<Integer> order = IntStream.range(0, x.length).boxed().sorted(Comparator.comparingDouble(i -> x[i])).toList();
        List<Integer> kept = IntStream.range(0, x.length)
                .filter(k -> k == 0 || k == x.length - 1 || y[order.get(k)] != y[order.get(k - 1)] || y[order.get(k)] != y[order.get(k + 1)])
                .mapToObj(order::get)
                .toList();
        return new Panel.Curve(name, kept.stream().map(i -> (double) x[i]).toList(), kept.stream().map(i -> (double) y[i]).toList(), look);
    }

    private static Panel.Curve of(Outcome outcome, String metric) {
        int column = outcome.run().experiment().metrics().indexOf(metric);
        return new Panel.Curve(
                outcome.run().label(),
                outcome.rows().stream().map(row -> (double) row.step()).toList(),
                outcome.rows().stream().map(row -> row.test().get(column)).toList());
    }
}
