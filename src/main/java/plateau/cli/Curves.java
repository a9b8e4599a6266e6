package plateau.cli;

import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import plateau.cli.ExperimentCommand.Outcome;
import plateau.report.Panel;

/** From what was logged to what is drawn. */
final class Curves {
    /** The horizontal axis of everything that is logged. */
    private static final String STEPS = "Training iterations";

    private Curves() {}

    /** One metric against the steps, a curve per kind of run: of its seeds the mean, and a band from the lowest to the highest. */
    static Panel of(String title, List<Outcome> outcomes, String metric, Panel.Axis vertical) {
        Map<String, List<Outcome>> kinds = outcomes.stream().collect(Collectors.groupingBy(outcome -> outcome.run().label(), LinkedHashMap::new, Collectors.toList()));
        return new Panel(title, new Panel.Axis(STEPS, 0, Double.NaN, false), vertical, kinds.entrySet().stream().map(kind -> of(kind.getKey(), kind.getValue(), metric)).toList());
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

    private static Panel.Curve of(String name, List<Outcome> seeds, String metric) {
        SortedMap<Long, DoubleSummaryStatistics> steps = new TreeMap<>();
        for (Outcome outcome : seeds) {
            int column = outcome.run().experiment().metrics().indexOf(metric);
            outcome.rows().forEach(row -> steps.computeIfAbsent(row.step(), _ -> new DoubleSummaryStatistics()).accept(row.test().get(column)));
        }
        List<Double> x = steps.keySet().stream().map(step -> (double) step).toList();
        List<Double> mean = steps.values().stream().map(DoubleSummaryStatistics::getAverage).toList();
        if (seeds.size() == 1) {
            return new Panel.Curve(name, x, mean);
        }
        return new Panel.Curve(name, x, mean, Panel.Look.PLAIN, steps.values().stream().map(DoubleSummaryStatistics::getMin).toList(), steps.values().stream().map(DoubleSummaryStatistics::getMax).toList());
    }
}
