package plateau.study;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;
import plateau.experiment.Logged;
import plateau.kernel.Measurements.Measured;
import plateau.results.History;
import plateau.results.RunKey;
import plateau.train.Schedule;

/**
 * Runs of one kind whose results belong together.
 *
 * <p>As JSON: {@code {"experiment": "parity", "gemm": "auto", "conv": "auto", "runs": [{"options":
 * {"d": 5, "batch": 128}, "steps": 50000, "log-every": 100, "seed": 1, "seeds": 10}]}}. Options
 * that are not named have their defaults, one in which runs may differ takes an array of values,
 * and so does a run without steps, log-every or seeds. Where products or convolutions were
 * measured, {@code "measured": {"dense_forward 128 x 100 x 30": {"library": false, "kernels-us":
 * 3.1, "library-us": 5}}} keeps who computes them.
 *
 * @param <O> the options of their kind
 * @param kind of all runs
 * @param runs at least one, each with a key of its own
 * @param routing what computes their products and convolutions
 */
public record Campaign<O extends Record>(Kind<O> kind, List<RunSpec<O>> runs, Routing routing) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> FIELDS = Set.of("experiment", "gemm", "conv", "measured", "runs");
    private static final Set<String> MEASURED_FIELDS = Set.of("library", "kernels-us", "library-us");
    private static final Set<String> RUN_FIELDS = Set.of("options", "steps", "log-every", "seed", "seeds");

    /**
     * @throws IllegalArgumentException with one line, if there are no runs, or two with the same
     *     key
     */
    public Campaign {
        runs = List.copyOf(runs);
        if (runs.isEmpty()) {
            throw new IllegalArgumentException("a campaign needs at least one run");
        }
        Map<RunKey, RunSpec<O>> seen = new LinkedHashMap<>();
        for (RunSpec<O> run : runs) {
            if (seen.put(run.key(), run) != null) {
                throw new IllegalArgumentException(
                        "two runs are both %s, seed %d".formatted(run.key().label(), run.seed()));
            }
        }
    }

    /** The runs of a grid. */
    public static <O extends Record> Campaign<O> of(Grid<O> grid, Routing routing) {
        return new Campaign<>(grid.kind(), grid.runs(), routing);
    }

    /**
     * What is known of the runs beside their keys: those that have logged something, in the
     * campaign's order.
     */
    public List<Logged<O>> logged(List<History> histories) {
        Map<RunKey, History> byKey = new LinkedHashMap<>();
        histories.forEach(history -> byKey.put(history.key(), history));
        return runs.stream()
                .filter(run ->
                        byKey.containsKey(run.key()) && !byKey.get(run.key()).isEmpty())
                .map(run -> new Logged<>(run.options(), byKey.get(run.key())))
                .toList();
    }

    /** The seeds of the runs that are alike otherwise: the most there are. */
    public long seeds() {
        return runs.stream().mapToLong(RunSpec::seed).distinct().count();
    }

    /** As JSON. */
    public ObjectNode toJson() {
        ObjectNode node = JSON.createObjectNode().put("experiment", kind.name());
        node.put("gemm", routing.gemmText()).put("conv", routing.convText());
        if (!routing.measured().isEmpty()) {
            ObjectNode shapes = node.putObject("measured");
            routing.measured()
                    .forEach((shape, measured) -> shapes.putObject(shape)
                            .put("library", measured.byLibrary())
                            .put("kernels-us", microseconds(measured.kernels()))
                            .put("library-us", microseconds(measured.library())));
        }
        ArrayNode array = node.putArray("runs");
        for (int first = 0, end; first < runs.size(); first = end) {
            end = first + 1;
            while (end < runs.size() && follows(runs.get(end - 1), runs.get(end))) {
                end++;
            }
            RunSpec<O> run = runs.get(first);
            ObjectNode entry = array.addObject();
            entry.set("options", JSON.valueToTree(run.values()));
            entry.put("steps", run.schedule().steps())
                    .put("log-every", run.schedule().logEvery())
                    .put("seed", run.seed())
                    .put("seeds", end - first);
        }
        return node;
    }

    private static double microseconds(double value) {
        return Math.round(value * 1e3) / 1e3;
    }

    /** The same, with this known of the times of products and convolutions. */
    public Campaign<O> with(SortedMap<String, Measured> known) {
        return new Campaign<>(kind, runs, routing.with(known));
    }

    /** Whether both ask for the same, whatever is known of times. */
    public boolean asksFor(Campaign<?> other) {
        return with(Collections.emptySortedMap())
                .toJson()
                .equals(other.with(Collections.emptySortedMap()).toJson());
    }

    private static <O extends Record> boolean follows(RunSpec<O> one, RunSpec<O> next) {
        return next.seed() == one.seed() + 1
                && next.options().equals(one.options())
                && next.schedule().equals(one.schedule());
    }

    /**
     * A campaign from JSON.
     *
     * @throws IllegalArgumentException with one line on the first thing in it that cannot be
     */
    public static Campaign<?> of(JsonNode node) {
        requireFields(node, FIELDS, "a campaign");
        if (!node.path("experiment").isTextual()) {
            throw new IllegalArgumentException("a campaign names its experiment: \"experiment\": \"parity\"");
        }
        return of(Kinds.named(node.path("experiment").asText()), node);
    }

    private static <O extends Record> Campaign<O> of(Kind<O> kind, JsonNode node) {
        if (!node.path("runs").isArray()) {
            throw new IllegalArgumentException(
                    "a campaign has an array of runs: \"runs\": [{\"options\": {}, \"seed\": 1}]");
        }
        List<RunSpec<O>> runs = new ArrayList<>();
        for (JsonNode entry : node.path("runs")) {
            requireFields(entry, RUN_FIELDS, "a run");
            OptionalLong steps =
                    entry.hasNonNull("steps") ? OptionalLong.of(whole(entry, "steps", 0)) : OptionalLong.empty();
            Seeds seeds = new Seeds(whole(entry, "seed", 1), whole(entry, "seeds", 1));
            runs.addAll(new Grid<>(
                            kind,
                            options(entry.path("options")),
                            steps,
                            whole(entry, "log-every", Schedule.DEFAULT_LOG_EVERY),
                            seeds)
                    .runs());
        }
        return new Campaign<>(
                kind,
                runs,
                Routing.of(node.path("gemm").asText("auto"), node.path("conv").asText("auto"))
                        .with(measured(node.path("measured"))));
    }

    static SortedMap<String, Measured> measured(JsonNode node) {
        SortedMap<String, Measured> measured = new TreeMap<>();
        node.properties().forEach(shape -> {
            JsonNode times = shape.getValue();
            requireFields(times, MEASURED_FIELDS, "a measured shape");
            if (!times.path("library").isBoolean()) {
                throw new IllegalArgumentException(
                        "\"%s\" must say whether a library computes it: \"library\": true".formatted(shape.getKey()));
            }
            measured.put(
                    shape.getKey(),
                    new Measured(
                            times.path("library").asBoolean(),
                            times.path("kernels-us").asDouble(),
                            times.path("library-us").asDouble()));
        });
        return measured;
    }

    private static Map<String, List<?>> options(JsonNode node) {
        Map<String, List<?>> options = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> option : node.properties()) {
            JsonNode value = option.getValue();
            if (value.isArray()) {
                options.put(
                        option.getKey(),
                        value.valueStream().map(JsonNode::asText).toList());
            } else if (!value.isNull()) {
                options.put(option.getKey(), List.of(value.asText()));
            }
        }
        return options;
    }

    private static long whole(JsonNode node, String field, long otherwise) {
        JsonNode value = node.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return otherwise;
        }
        if (!value.canConvertToLong() || !value.isIntegralNumber()) {
            throw new IllegalArgumentException("%s must be a whole number, not %s".formatted(field, value));
        }
        return value.asLong();
    }

    private static void requireFields(JsonNode node, Set<String> known, String what) {
        if (!node.isObject()) {
            throw new IllegalArgumentException(what + " is a JSON object");
        }
        for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!known.contains(name)) {
                throw new IllegalArgumentException("%s has no '%s', but %s"
                        .formatted(
                                what,
                                name,
                                String.join(", ", known.stream().sorted().toList())));
            }
        }
    }
}
