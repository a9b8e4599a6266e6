package plateau.results;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * One run as run.json tells of it.
 *
 * @param key what tells it from the others
 * @param status how far it came
 * @param error what made it fail, in one line
 * @param facts what it drew at random, or else is worth knowing, by name: texts, numbers, lists and
 *     maps
 * @param speeds of a run that was finished
 * @param last its last row
 */
public record RunRecord(
        RunKey key,
        Status status,
        Optional<String> error,
        Map<String, Object> facts,
        Optional<Speeds> speeds,
        Optional<Last> last) {
    private static final String SEED = "seed";
    private static final String STATUS = "status";
    private static final String ERROR = "error";
    private static final String SPEED = "steps_per_second";
    private static final String SPEED_WITH_EVALUATION = "steps_per_second_with_evaluation";
    private static final String SECONDS = "seconds";
    private static final String SETUP_SECONDS = "setup_seconds";
    private static final String LAST = "last";
    private static final String STEP = "step";

    private static final Set<String> NAMES =
            Set.of(SEED, STATUS, ERROR, SPEED, SPEED_WITH_EVALUATION, SECONDS, SETUP_SECONDS, LAST);

    /** Copies the map. */
    public RunRecord {
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /**
     * How fast a run was.
     *
     * @param stepsPerSecond training alone: the time in which the device evaluated is taken out
     * @param stepsPerSecondWithEvaluation by the clock on the wall
     * @param seconds from the first step to the last row, evaluation included
     * @param setupSeconds to plan, warm up and capture
     */
    public record Speeds(
            double stepsPerSecond, double stepsPerSecondWithEvaluation, double seconds, double setupSeconds) {}

    /**
     * The last row of a run.
     *
     * @param step training steps done
     * @param metrics on fresh test data, by name
     */
    public record Last(long step, SequencedMap<String, Double> metrics) {

        /** Copies the map. */
        public Last {
            metrics = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(metrics));
        }

        static Last of(List<String> metrics, LogRow row) {
            SequencedMap<String, Double> values = new LinkedHashMap<>();
            for (int i = 0; i < metrics.size(); i++) {
                values.put(metrics.get(i), row.test().get(i));
            }
            return new Last(row.step(), values);
        }
    }

    /** An object of run.json's list of runs. */
    ObjectNode toJson() {
        ObjectNode run = Json.LINE.createObjectNode();
        key.columns().forEach(run::putPOJO);
        run.put(SEED, key.seed());
        run.put(STATUS, status.text());
        error.ifPresent(text -> run.put(ERROR, text));
        facts.forEach(run::putPOJO);
        speeds.ifPresent(speed -> run.put(SPEED, Math.round(speed.stepsPerSecond))
                .put(SPEED_WITH_EVALUATION, Math.round(speed.stepsPerSecondWithEvaluation))
                .put(SECONDS, milliseconds(speed.seconds))
                .put(SETUP_SECONDS, milliseconds(speed.setupSeconds)));
        last.ifPresent(row -> {
            ObjectNode end = run.putObject(LAST).put(STEP, row.step);
            row.metrics.forEach((name, value) -> putNumber(end, name, value));
        });
        return run;
    }

    /** JSON has no numbers that are not finite: they are texts. */
    private static void putNumber(ObjectNode object, String name, double value) {
        if (Double.isFinite(value)) {
            object.put(name, new BigDecimal(Decimals.text(value)));
        } else {
            object.put(name, Decimals.text(value));
        }
    }

    static double milliseconds(double seconds) {
        return Math.round(seconds * 1e3) / 1e3;
    }

    /**
     * Reads a file that holds nothing else.
     *
     * @throws FileException if it cannot be read, or is damaged
     */
    static RunRecord read(Path file) throws IOException {
        try {
            return of(Json.read(file));
        } catch (IllegalArgumentException e) {
            throw new FileException(file, "it is damaged: " + e.getMessage());
        }
    }

    /**
     * From an object of run.json's list of runs.
     *
     * @throws IllegalArgumentException with what is wrong with it
     */
    static RunRecord of(JsonNode run) {
        if (!run.isObject() || !run.path(SEED).canConvertToLong()) {
            throw new IllegalArgumentException("a run has no seed");
        }
        SequencedMap<String, Object> columns = new LinkedHashMap<>();
        SequencedMap<String, Object> facts = new LinkedHashMap<>();
        SequencedMap<String, Object> target = columns;
        for (Map.Entry<String, JsonNode> field : run.properties()) {
            if (field.getKey().equals(SEED)) {
                target = facts;
            } else if (!NAMES.contains(field.getKey())) {
                target.put(field.getKey(), plain(field.getValue()));
            }
        }
        RunKey key = new RunKey(columns, run.path(SEED).asLong());
        return new RunRecord(
                key, status(run.path(STATUS)), text(run.path(ERROR)), facts, speeds(run), last(run.path(LAST)));
    }

    private static Object plain(JsonNode value) {
        return Json.LINE.convertValue(value, Object.class);
    }

    static Status status(JsonNode status) {
        return Status.of(status.asText())
                .orElseThrow(() -> new IllegalArgumentException("there is no status '%s'".formatted(status.asText())));
    }

    static Optional<String> text(JsonNode value) {
        return value.isTextual() ? Optional.of(value.asText()) : Optional.empty();
    }

    private static Optional<Speeds> speeds(JsonNode run) {
        if (!run.path(SPEED).isNumber()) {
            return Optional.empty();
        }
        return Optional.of(new Speeds(
                run.path(SPEED).asDouble(),
                run.path(SPEED_WITH_EVALUATION).asDouble(),
                run.path(SECONDS).asDouble(),
                run.path(SETUP_SECONDS).asDouble()));
    }

    private static Optional<Last> last(JsonNode last) {
        if (!last.path(STEP).canConvertToLong()) {
            return Optional.empty();
        }
        SequencedMap<String, Double> metrics = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : last.properties()) {
            if (!field.getKey().equals(STEP)) {
                metrics.put(field.getKey(), number(field.getKey(), field.getValue()));
            }
        }
        return Optional.of(new Last(last.path(STEP).asLong(), metrics));
    }

    private static double number(String name, JsonNode value) {
        try {
            return value.isNumber() ? value.asDouble() : Double.parseDouble(value.asText());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("a run's last %s is '%s'".formatted(name, value.asText()));
        }
    }
}
