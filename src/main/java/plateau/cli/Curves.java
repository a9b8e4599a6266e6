package plateau.cli;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import plateau.cli.ExperimentCommand.Outcome;
import plateau.figure.Panel;
import plateau.results.LogRow;

/** From what was logged to what is drawn. */
final class Curves {
    private Curves() {}

    /** One metric against the steps, a curve per kind of run: of its seeds the mean, and a band from the lowest to the highest. */
    static Panel of(String title, List<Outcome> outcomes, String metric, Panel.Axis vertical) {
        return of(title, outcomes, metric, vertical, _ -> Panel.Look.PLAIN);
    }

    /** As above, each kind of run with a look of its own. */
    static Panel of(String title, List<Outcome> outcomes, String metric, Panel.Axis vertical, Function<Outcome, Panel.Look> look) {
        Map<String, List<Outcome>> kinds = outcomes.stream().collect(Collectors.groupingBy(outcome -> outcome.run().label(), LinkedHashMap::new, Collectors.toList()));
        return new Panel(title, Panel.Axis.steps(), vertical, kinds.entrySet().stream().map(kind -> of(kind.getKey(), kind.getValue(), metric, look.apply(kind.getValue().getFirst()))).toList());
    }

    /** Of each kind of run the first seed's. */
    static List<Outcome> firstSeeds(List<Outcome> outcomes) {
        return List.copyOf(outcomes.stream().collect(Collectors.toMap(outcome -> outcome.run().label(), outcome -> outcome, (first, _) -> first, LinkedHashMap::new)).values());
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

    private static Panel.Curve of(String name, List<Outcome> seeds, String metric, Panel.Look look) {
        return Panel.Curve.mean(name, look, seeds.stream().map(outcome -> values(outcome, metric)).toList());
    }

    /** By step. */
    private static Map<Long, Double> values(Outcome outcome, String metric) {
        int column = outcome.run().experiment().metrics().indexOf(metric);
        return outcome.rows().stream().collect(Collectors.toMap(LogRow::step, row -> row.test().get(column)));
    }
}
