package plateau.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * The results of one command, read back from its folder.
 *
 * @param folder that they lie in
 * @param description run.json
 * @param histories its runs, in the order of metrics.csv
 */
public record Recorded(Path folder, JsonNode description, List<History> histories) {
    private static final String SEED = "seed";
    private static final String STEP = "step";

    /**
     * Reads run.json, metrics.csv and, where there is one, curves.csv.
     *
     * @throws IOException with one line on what is not there or cannot be read
     */
    public static Recorded read(Path folder) throws IOException {
        Path description = folder.resolve("run.json");
        Path metrics = folder.resolve("metrics.csv");
        if (!Files.isRegularFile(description) || !Files.isRegularFile(metrics)) {
            throw new IOException(folder + " holds no results of a command (run.json and metrics.csv)");
        }
        Map<String, History> histories = new LinkedHashMap<>();
        try {
            JsonNode described = new ObjectMapper().readTree(description.toFile());
            readMetrics(metrics, described.path("runs"), histories);
            Path curves = folder.resolve("curves.csv");
            if (Files.isRegularFile(curves)) {
                readCurves(curves, described.path("runs"), histories);
            }
            return new Recorded(folder, described, List.copyOf(histories.values()));
        } catch (IllegalArgumentException e) {
            throw new IOException("the results in " + folder + " are damaged: " + e.getMessage(), e);
        }
    }

    /** The command that wrote them. */
    public String experiment() {
        return description.path("experiment").asText();
    }

    /** How far it came: running, finished or failed. */
    public String status() {
        return description.path("status").asText();
    }

    private static void readMetrics(Path file, JsonNode runs, Map<String, History> histories) throws IOException {
        try (Table table = Table.open(file, runs)) {
            for (CSVRecord row : table.csv) {
                History history = table.history(row, histories);
                history.steps().add(Long.parseLong(row.get(STEP)));
                table.values(row, STEP).forEach((name, value) -> history.metrics().computeIfAbsent(name, _ -> new ArrayList<>()).add(value));
            }
        }
    }

    private static void readCurves(Path file, JsonNode runs, Map<String, History> histories) throws IOException {
        try (Table table = Table.open(file, runs)) {
            for (CSVRecord row : table.csv) {
                Map<String, List<Double>> curves = table.history(row, histories).curves().computeIfAbsent(Long.parseLong(row.get(STEP)), _ -> new LinkedHashMap<>());
                table.values(row, "point").forEach((name, value) -> curves.computeIfAbsent(name, _ -> new ArrayList<>()).add(value));
            }
        }
    }

    /** A table whose columns are keys, the seed, the step, and values. */
    private record Table(CSVParser csv, JsonNode runs) implements AutoCloseable {

        static Table open(Path file, JsonNode runs) throws IOException {
            Reader reader = Files.newBufferedReader(file);
            return new Table(CSVParser.parse(reader, CSVFormat.RFC4180.builder().setHeader().setSkipHeaderRecord(true).get()), runs);
        }

        History history(CSVRecord row, Map<String, History> histories) {
            List<String> columns = csv.getHeaderNames();
            Map<String, String> key = new LinkedHashMap<>();
            columns.subList(0, columns.indexOf(SEED)).stream().filter(column -> !row.get(column).isEmpty()).forEach(column -> key.put(column, row.get(column)));
            long seed = Long.parseLong(row.get(SEED));
            return histories.computeIfAbsent(key + " " + seed, _ -> new History(key, seed, new ArrayList<>(), new LinkedHashMap<>(), new TreeMap<>(), description(key, seed)));
        }

        private JsonNode description(Map<String, String> key, long seed) {
            return runs.valueStream()
                    .filter(run -> run.path(SEED).asLong() == seed && key.entrySet().stream().allMatch(column -> run.path(column.getKey()).asText().equals(column.getValue())))
                    .findFirst()
                    .orElse(MissingNode.getInstance());
        }

        /** The numbers behind a column; a run leaves empty what it does not measure. */
        Map<String, Double> values(CSVRecord row, String after) {
            List<String> columns = csv.getHeaderNames();
            Map<String, Double> values = new LinkedHashMap<>();
            columns.subList(columns.indexOf(after) + 1, columns.size()).stream().filter(column -> !row.get(column).isEmpty()).forEach(column -> values.put(column, Double.valueOf(row.get(column))));
            return values;
        }

        @Override
        public void close() throws IOException {
            csv.close();
        }
    }
}
