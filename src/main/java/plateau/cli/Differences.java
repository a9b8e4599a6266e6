package plateau.cli;

import java.util.List;
import java.util.stream.DoubleStream;
import plateau.results.History;

/**
 * How far the same runs on two devices lie apart, in units of the largest value that a metric has
 * in a run. Devices round differently, and training makes more of it with every step: the first row
 * tells whether they compute the same, the last what became of that.
 *
 * @param first the largest difference in the first rows, of the metric that is named first
 * @param last the largest difference in the last rows, of any metric
 */
record Differences(double first, double last) {

    /**
     * @param one runs with their metrics, in the order of the other
     * @throws IllegalArgumentException if they are not the same runs at the same steps
     */
    static Differences between(List<History> one, List<History> other) {
        List<String> labels = one.stream().map(Differences::label).toList();
        if (!labels.equals(other.stream().map(Differences::label).toList())) {
            throw new IllegalArgumentException("these are not the same runs: " + labels);
        }
        double first = 0, last = 0;
        for (int run = 0; run < one.size(); run++) {
            History here = one.get(run), there = other.get(run);
            if (!here.steps().equals(there.steps()) || here.isEmpty()) {
                throw new IllegalArgumentException(label(here) + " was not logged at the same steps");
            }
            first = Math.max(first, difference(here, there, here.metrics().getFirst(), 0));
            for (String metric : here.metrics()) {
                last = Math.max(
                        last, difference(here, there, metric, here.steps().size() - 1));
            }
        }
        return new Differences(first, last);
    }

    private static String label(History run) {
        return run.label() + ", seed " + run.seed();
    }

    /** Infinite where one is no number and the other is. */
    private static double difference(History here, History there, String metric, int row) {
        double one = here.values(metric).get(row), other = there.values(metric).get(row);
        if (Double.compare(one, other) == 0) {
            return 0;
        }
        double scale = DoubleStream.concat(
                        here.values(metric).stream().mapToDouble(Math::abs),
                        there.values(metric).stream().mapToDouble(Math::abs))
                .filter(Double::isFinite)
                .max()
                .orElse(0);
        double difference = Math.abs(one - other) / scale;
        return Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference;
    }
}
