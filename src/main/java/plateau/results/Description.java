package plateau.results;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A campaign as run.json tells of it.
 *
 * @param experiment its name
 * @param status how far all runs together came
 * @param error what ended it early, in one line
 * @param started when its first process began: {@code 2026-11-27T02:20:23Z}
 * @param seconds that all its processes have spent until now
 * @param campaign what repeats it; missing in files of versions that had {@code arguments}
 * @param settings where and how it is computed, which does not decide what
 * @param device on which it was computed last
 * @param versions of what it was computed with, by name
 * @param runs in the order of the tables
 * @param others the fields of the file that this version does not write
 */
public record Description(
        String experiment,
        Status status,
        Optional<String> error,
        String started,
        double seconds,
        JsonNode campaign,
        JsonNode settings,
        String device,
        SortedMap<String, String> versions,
        List<RunRecord> runs,
        ObjectNode others) {
    private static final String EXPERIMENT = "experiment";
    private static final String STATUS = "status";
    private static final String ERROR = "error";
    private static final String STARTED = "started";
    private static final String SECONDS = "seconds";
    private static final String CAMPAIGN = "campaign";
    private static final String SETTINGS = "settings";
    private static final String DEVICE = "device";
    private static final String VERSIONS = "versions";
    private static final String RUNS = "runs";

    private static final Set<String> NAMES =
            Set.of(EXPERIMENT, STATUS, ERROR, STARTED, SECONDS, CAMPAIGN, SETTINGS, DEVICE, VERSIONS, RUNS);

    /** Copies the collections. */
    public Description {
        versions = Collections.unmodifiableSortedMap(new TreeMap<>(versions));
        runs = List.copyOf(runs);
    }

    /** Of a campaign that begins now; its runs are added by whoever keeps the results. */
    public Description(
            String experiment,
            String started,
            JsonNode campaign,
            JsonNode settings,
            String device,
            Map<String, String> versions) {
        this(
                experiment,
                Status.RUNNING,
                Optional.empty(),
                started,
                0,
                campaign,
                settings,
                device,
                new TreeMap<>(versions),
                List.of(),
                Json.LINE.createObjectNode());
    }

    /** The same with another state. */
    Description as(Status newStatus, Optional<String> newError, double newSeconds, List<RunRecord> newRuns) {
        return new Description(
                experiment,
                newStatus,
                newError,
                started,
                newSeconds,
                campaign,
                settings,
                device,
                versions,
                newRuns,
                others);
    }

    /** The same with more known of the campaign. */
    Description with(JsonNode newCampaign) {
        return new Description(
                experiment, status, error, started, seconds, newCampaign, settings, device, versions, runs, others);
    }

    /** The same of a campaign whose earlier processes began at that time and spent so much. */
    Description after(String earlierStart, double earlierSeconds) {
        return new Description(
                experiment,
                status,
                error,
                earlierStart,
                earlierSeconds,
                campaign,
                settings,
                device,
                versions,
                runs,
                others);
    }

    /** The runs by their keys as they are written. */
    Map<RunKey, RunRecord> runsByKey() {
        Map<RunKey, RunRecord> byKey = new HashMap<>();
        runs.forEach(run -> byKey.putIfAbsent(run.key().asWritten(), run));
        return byKey;
    }

    /**
     * Reads a folder's run.json.
     *
     * @throws FileException with one line, if it is not there, cannot be read, or is damaged
     */
    public static Description read(Path folder) throws IOException {
        Path file = folder.resolve(ResultFolder.DESCRIPTION);
        ObjectNode json = Json.read(file);
        try {
            List<RunRecord> runs = new ArrayList<>();
            for (JsonNode run : json.path(RUNS)) {
                runs.add(RunRecord.of(run));
            }
            SortedMap<String, String> versions = new TreeMap<>();
            json.path(VERSIONS)
                    .properties()
                    .forEach(field ->
                            versions.put(field.getKey(), field.getValue().asText()));
            ObjectNode others = json.deepCopy();
            others.remove(NAMES);
            return new Description(
                    json.path(EXPERIMENT).asText(),
                    RunRecord.status(json.path(STATUS)),
                    RunRecord.text(json.path(ERROR)),
                    json.path(STARTED).asText(),
                    json.path(SECONDS).asDouble(),
                    json.path(CAMPAIGN),
                    json.path(SETTINGS),
                    json.path(DEVICE).asText(),
                    versions,
                    runs,
                    others);
        } catch (IllegalArgumentException e) {
            throw new FileException(file, "it is damaged: " + e.getMessage());
        }
    }

    /**
     * Of a campaign whose parts were carried out in folders of their own: it began with the first
     * and has spent what all have.
     *
     * @param campaign all of it
     * @param parts what their folders say; at least one
     */
    public static Description joined(JsonNode campaign, List<Description> parts) {
        SortedMap<String, Set<String>> versions = new TreeMap<>();
        for (Description part : parts) {
            part.versions.forEach((name, version) ->
                    versions.computeIfAbsent(name, _ -> new TreeSet<>()).add(version));
        }
        Map<String, String> texts = new TreeMap<>();
        versions.forEach((name, all) -> texts.put(name, String.join(", ", all)));
        Description first = parts.getFirst();
        return new Description(
                        first.experiment,
                        first.started,
                        campaign,
                        first.settings,
                        parts.stream()
                                .map(Description::device)
                                .distinct()
                                .sorted()
                                .collect(Collectors.joining("; ")),
                        texts)
                .after(
                        parts.stream()
                                .map(Description::started)
                                .min(Comparator.naturalOrder())
                                .orElseThrow(),
                        parts.stream().mapToDouble(Description::seconds).sum());
    }

    /**
     * Writes the results of a campaign that was carried out in parts: its tables and run.json, with
     * the bytes that one process would have written, but for what clocks and machines decide.
     *
     * @param campaign without runs
     * @param metrics the names of a row's values, of all runs
     * @param runs in the campaign's order
     * @throws FileException if something cannot be read or written
     */
    public static void writeMerged(
            ResultFolder folder,
            Description campaign,
            Status status,
            Optional<String> error,
            Collection<String> metrics,
            List<RunFiles> runs)
            throws IOException {
        Tables.write(
                folder,
                metrics,
                runs.stream().map(RunFiles::rows).toList(),
                runs.stream().map(RunFiles::curves).toList());
        Description now = campaign.as(
                status,
                error,
                campaign.seconds,
                runs.stream().map(RunFiles::record).toList());
        folder.write(ResultFolder.DESCRIPTION, now::write);
    }

    /** Writes it to a file. */
    void write(Path file) throws IOException {
        ObjectNode json = Json.LINE.createObjectNode();
        json.put(EXPERIMENT, experiment);
        json.put(STATUS, status.text());
        error.ifPresent(text -> json.put(ERROR, text));
        json.put(STARTED, started);
        json.put(SECONDS, RunRecord.milliseconds(seconds));
        putUnlessMissing(json, CAMPAIGN, campaign);
        putUnlessMissing(json, SETTINGS, settings);
        json.setAll(others);
        json.put(DEVICE, device);
        versions.forEach(json.putObject(VERSIONS)::put);
        runs.forEach(run -> json.withArray("/" + RUNS).add(run.toJson()));
        Json.write(file, json);
    }

    private static void putUnlessMissing(ObjectNode json, String name, JsonNode value) {
        if (value != null && !(value instanceof MissingNode)) {
            json.set(name, value);
        }
    }
}
