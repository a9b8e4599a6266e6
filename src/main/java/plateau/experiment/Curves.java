package plateau.experiment;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import plateau.figure.Panel;
import plateau.results.History;

/** From what was logged to what is drawn. */
public final class Curves {
    private Curves() {}

    /** The runs by what tells them apart but the seed, in order. */
    public static <O extends Record> SequencedMap<String, List<Logged<O>>> byLabel(List<Logged<O>> runs) {
        return runs.stream().collect(Collectors.groupingBy(run -> run.history().label(), LinkedHashMap::new, Collectors.toList()));
    }

    /** Of each kind of run the first seed's. */
    public static <O extends Record> List<Logged<O>> firstSeeds(List<Logged<O>> runs) {
        return byLabel(runs).values().stream().map(List::getFirst).toList();
    }

    /**
     * A metric against the steps, a curve per kind of run: of its seeds the mean, and a band from
     * the lowest to the highest.
     */
    public static <O extends Record> List<Panel.Curve> ofMetric(List<Logged<O>> runs, String metric) {
        return ofMetric(runs, _ -> metric, run -> run.history().label(), _ -> Panel.Look.PLAIN);
    }

    /**
     * As {@link #ofMetric(List, String)}, each kind of run with a metric, a name and a look of its
     * own.
     *
     * @param metric that is drawn, given a kind's first run
     * @param name in the legend, likewise
     * @param look likewise
     */
    public static <O extends Record> List<Panel.Curve> ofMetric(
            List<Logged<O>> runs,
            Function<Logged<O>, String> metric,
            Function<Logged<O>, String> name,
            Function<Logged<O>, Panel.Look> look) {
        List<Panel.Curve> curves = new ArrayList<>();
        for (List<Logged<O>> kind : byLabel(runs).values()) {
            Logged<O> first = kind.getFirst();
            List<History> seeds = kind.stream().map(Logged::history).toList();
            curves.add(mean(name.apply(first), look.apply(first), seeds, metric.apply(first)));
        }
        return curves;
    }

    /**
     * A metric against the steps, end-to-end's curve above decomposition's in the legend, in the
     * paper's colours.
     */
    static <O extends Record> List<Panel.Curve> byApproach(List<Logged<O>> runs, Function<O, Approach> approach, String metric) {
        List<Logged<O>> ordered = runs.stream().sorted(Comparator.comparing(run -> approach.apply(run.options()))).toList();
        return ofMetric(
                ordered,
                _ -> metric,
                run -> approach.apply(run.options()).title(),
                run -> approach.apply(run.options()).look());
    }

    /**
     * A metric of several runs against the steps: the mean, and, where there are several, a band
     * from the lowest to the highest.
     */
    public static Panel.Curve mean(String name, Panel.Look look, List<History> runs, String metric) {
        SortedMap<Long, DoubleSummaryStatistics> steps = new TreeMap<>();
        for (History run : runs) {
            List<Long> at = run.steps();
            List<Double> values = run.values(metric);
            IntStream.range(0, at.size()).forEach(i -> steps.computeIfAbsent(at.get(i), _ -> new DoubleSummaryStatistics()).accept(values.get(i)));
        }
        List<Double> x = steps.keySet().stream().map(step -> (double) step).toList();
        List<Double> mean = steps.values().stream().map(DoubleSummaryStatistics::getAverage).toList();
        if (runs.size() == 1) {
            return new Panel.Curve(name, x, mean, look);
        }
        return new Panel.Curve(name, x, mean, look, steps.values().stream().map(DoubleSummaryStatistics::getMin).toList(), steps.values().stream().map(DoubleSummaryStatistics::getMax).toList());
    }

    /**
     * One learnt curve against another, from left to right. Points inside a flat stretch are left
     * out, so that its dashes show.
     */
    static Panel.Curve against(float[] x, String name, float[] y, Panel.Look look) {
        List<Integer> order = IntStream.range(0, x.length).boxed().sorted(Comparator.comparingDouble(i -> x[i])).toList();
        List<Integer> kept = IntStream.range(0, x.length)
                .filter(k -> k == 0 || k == x.length - 1 || y[order.get(k)] != y[order.get(k - 1)] || y[order.get(k)] != y[order.get(k + 1)])
                .mapToObj(order::get)
                .toList();
        return new Panel.Curve(name, kept.stream().map(i -> (double) x[i]).toList(), kept.stream().map(i -> (double) y[i]).toList(), look);
    }

    /** Curves of so many points each, which lie one behind the other, as one with gaps. */
    static Panel.Curve joined(String name, float[] values, int points, Panel.Look look) {
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            if (i > 0 && i % points == 0) {
                x.add((double) points - 1);
                y.add(Double.NaN);
            }
            x.add((double) (i % points));
            y.add((double) values[i]);
        }
        return new Panel.Curve(name, x, y, look);
    }

    /** A panel for each value of an option of type int, ascending. */
    static <O extends Record> List<Panel> panels(List<Logged<O>> runs, Function<O, Integer> option, PanelOf<O> panel) {
        Map<Integer, List<Logged<O>>> byValue = runs.stream().collect(Collectors.groupingBy(run -> option.apply(run.options()), TreeMap::new, Collectors.toList()));
        return byValue.entrySet().stream().map(each -> panel.of(each.getKey(), each.getValue())).toList();
    }

    /** Draws the runs that have a value in common. */
    interface PanelOf<O extends Record> {
        Panel of(int value, List<Logged<O>> runs);
    }
}
