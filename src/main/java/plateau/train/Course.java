package plateau.train;

import plateau.results.Safetensors;
import plateau.results.LogRow;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import plateau.results.Safetensors.Array;

/** How far a run has come, as the host sees it: what a checkpoint holds beside the device's memory. */
final class Course {
    private static final String STEP = "step";
    private static final String SECONDS = "seconds";
    private static final String EVALUATION_SECONDS = "evaluation_seconds";
    private static final String LOGGED = "log/step";
    private static final String TEST = "log/test";
    private static final String TRAINING = "log/training";
    private static final String CURVES = "curves/";

    private final List<LogRow> rows = new ArrayList<>();
    private final SortedMap<Long, Map<String, float[]>> curves = new TreeMap<>();
    private long done;
    private double seconds;
    private double evaluationSeconds;

    long done() {
        return done;
    }

    /** Of training and evaluation, in this process and those before it. */
    double seconds() {
        return seconds;
    }

    double evaluationSeconds() {
        return evaluationSeconds;
    }

    List<LogRow> rows() {
        return rows;
    }

    SortedMap<Long, Map<String, float[]>> curves() {
        return curves;
    }

    void advance(long steps, double spent, double spentOnEvaluation) {
        done += steps;
        seconds += spent;
        evaluationSeconds += spentOnEvaluation;
    }

    void log(LogRow row) {
        rows.add(row);
    }

    void keep(Map<String, float[]> learnt) {
        curves.put(done, learnt);
    }

    /** Shows a listener all that it would have seen, had it been there. */
    void replay(RunListener listener) {
        for (LogRow row : rows) {
            listener.onLog(row);
            if (curves.containsKey(row.step())) {
                listener.onCurves(row.step(), curves.get(row.step()));
            }
        }
    }

    void describe(Map<String, String> metadata) {
        metadata.put(STEP, Long.toString(done));
        metadata.put(SECONDS, Double.toString(seconds));
        metadata.put(EVALUATION_SECONDS, Double.toString(evaluationSeconds));
    }

    void save(SequencedMap<String, Array> arrays) {
        int n = rows.size();
        arrays.put(LOGGED, Array.of(List.of(n), rows.stream().mapToLong(LogRow::step).toArray()));
        arrays.put(TEST, table(rows.stream().map(LogRow::test).toList()));
        arrays.put(TRAINING, table(rows.stream().map(LogRow::training).toList()));
        curves.forEach((step, learnt) -> learnt.forEach((name, values) -> arrays.put(CURVES + step + "/" + name, Array.of(List.of(values.length), values))));
    }

    private static Array table(List<List<Double>> rows) {
        return Array.of(List.of(rows.size(), rows.isEmpty() ? 0 : rows.getFirst().size()), rows.stream().flatMap(List::stream).mapToDouble(value -> value).toArray());
    }

    /** @throws RuntimeException if the file is whole, but has no course in it */
    static Course read(Safetensors file) {
        Course course = new Course();
        course.done = Long.parseLong(file.metadata().get(STEP));
        course.seconds = Double.parseDouble(file.metadata().get(SECONDS));
        course.evaluationSeconds = Double.parseDouble(file.metadata().get(EVALUATION_SECONDS));
        long[] steps = file.arrays().get(LOGGED).toLongs();
        double[] test = file.arrays().get(TEST).toDoubles();
        double[] training = file.arrays().get(TRAINING).toDoubles();
        for (int i = 0; i < steps.length; i++) {
            course.rows.add(LogRow.of(steps[i], row(test, steps.length, i), row(training, steps.length, i)));
        }
        file.arrays().forEach((name, values) -> {
            if (name.startsWith(CURVES)) {
                String[] parts = name.split("/", 3);
                course.curves.computeIfAbsent(Long.parseLong(parts[1]), _ -> new LinkedHashMap<>()).put(parts[2], values.toFloats());
            }
        });
        return course;
    }

    private static double[] row(double[] table, int rows, int index) {
        int columns = table.length / rows;
        return Arrays.copyOfRange(table, index * columns, (index + 1) * columns);
    }
}
