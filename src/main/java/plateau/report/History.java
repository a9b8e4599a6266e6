package plateau.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One run as it was logged, read back from its command's files.
 *
 * @param key what tells it from the command's other runs of the same seed, by column of metrics.csv
 * @param seed of every random number
 * @param steps at which it was evaluated, ascending
 * @param metrics by name, one value per step; only those that the run measures
 * @param curves what was learnt, by step and name; empty where the experiment keeps none
 * @param description of the run in run.json; missing where there is none
 */
public record History(
        Map<String, String> key, long seed, List<Long> steps, Map<String, List<Double>> metrics, NavigableMap<Long, Map<String, List<Double>>> curves, JsonNode description) {

    /** For legends: {@code d = 5}, and names as they are. */
    public String label() {
        return key.entrySet().stream().map(column -> column.getValue().matches("[-+.0-9].*") ? column.getKey() + " = " + column.getValue() : column.getValue()).collect(Collectors.joining(", "));
    }

    /** A metric by step. */
    public Map<Long, Double> values(String metric) {
        return IntStream.range(0, steps.size()).boxed().collect(Collectors.toMap(steps::get, metrics.get(metric)::get));
    }

    /** A metric at the end. */
    public double last(String metric) {
        return metrics.get(metric).getLast();
    }

    /** A metric's mean over all that was logged. */
    public double mean(String metric) {
        return metrics.get(metric).stream().mapToDouble(value -> value).average().orElseThrow();
    }

    /** The median of a metric over the last tenth of what was logged, which a spike at the very end does not move. */
    public double tail(String metric) {
        List<Double> values = metrics.get(metric);
        List<Double> tail = values.subList(values.size() - Math.ceilDiv(values.size(), 10), values.size()).stream().sorted().toList();
        return (tail.get((tail.size() - 1) / 2) + tail.get(tail.size() / 2)) / 2;
    }

    /** The first logged step at which a metric is at most so much; empty where it never is. */
    public OptionalLong firstAtMost(String metric, double threshold) {
        List<Double> values = metrics.get(metric);
        for (int i = 0; i < values.size(); i++) {
            if (values.get(i) <= threshold) {
                return OptionalLong.of(steps.get(i));
            }
        }
        return OptionalLong.empty();
    }
}
