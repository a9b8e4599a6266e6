package plateau.results;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The results in a folder. Where its runs have come to an end, they are read from metrics.csv and
 * curves.csv, in which a user may have changed or left out rows. Where run.json says that they go
 * on (or they were killed), or there is no metrics.csv, they are read from the files of the runs.
 *
 * @param folder that they lie in
 * @param description run.json
 * @param histories of the runs that have logged something, in the order of the tables; of many rows
 *     some are left out, so that all together need little memory
 */
public record Results(Path folder, Description description, List<History> histories) {
    /** Rows of all runs together that are held. */
    private static final int MOST_ROWS = 1 << 20;

    /**
     * Reads a folder.
     *
     * @throws FileException with one line, which names the file and, where there is one, the line:
     *     if something is not there, cannot be read, is damaged, or does not belong together
     */
    public static Results read(Path folder) throws IOException {
        return read(folder, MOST_ROWS);
    }

    static Results read(Path folder, int mostRowsOfAll) throws IOException {
        if (Files.notExists(folder.resolve(ResultFolder.DESCRIPTION))) {
            throw new FileException(folder, "there are no results in it (no run.json)");
        }
        Description description = Description.read(folder);
        int mostRows =
                Math.max(2, mostRowsOfAll / Math.max(1, description.runs().size()));
        boolean hasTables =
                description.status() != Status.RUNNING && Files.exists(folder.resolve(ResultFolder.METRICS));
        List<History> histories = !hasTables && Files.isDirectory(folder.resolve(ResultFolder.RUNS))
                ? ofRuns(folder, description, mostRows)
                : ofTables(folder, description, mostRows);
        return new Results(folder, description, histories);
    }

    private static List<History> ofTables(Path folder, Description description, int mostRows) throws IOException {
        Map<RunKey, RunRecord> runs = description.runsByKey();
        Map<RunKey, History> histories = new LinkedHashMap<>();
        Path metrics = folder.resolve(ResultFolder.METRICS);
        try (TableReader table = TableReader.ofCampaign(metrics, runs.keySet(), RunLog.ROW_COLUMNS)) {
            table.requireMetrics(description.runs());
            table.readRows(table.among(runs), histories, mostRows);
        }
        Path curves = folder.resolve(ResultFolder.CURVES);
        if (Files.exists(curves)) {
            try (TableReader table = TableReader.ofCampaign(curves, runs.keySet(), RunLog.CURVE_COLUMNS)) {
                table.readCurves(table.among(runs), histories);
            }
        }
        return List.copyOf(histories.values());
    }

    private static List<History> ofRuns(Path folder, Description description, int mostRows) throws IOException {
        Map<RunKey, History> histories = new LinkedHashMap<>();
        List<String> names =
                RunKey.fileNames(description.runs().stream().map(RunRecord::key).toList());
        for (int i = 0; i < names.size(); i++) {
            RunRecord run = description.runs().get(i);
            Path rows = folder.resolve(RunLog.rowsName(names.get(i)));
            long bytes = LineFile.wholeLength(rows);
            if (bytes > 0) {
                try (TableReader table = TableReader.ofRun(rows, bytes, RunLog.ROW_COLUMNS)) {
                    table.readRows(_ -> run, histories, mostRows);
                }
            }
            Path curves = folder.resolve(RunLog.curvesName(names.get(i)));
            bytes = LineFile.wholeLength(curves);
            if (bytes > 0) {
                try (TableReader table = TableReader.ofRun(curves, bytes, RunLog.CURVE_COLUMNS)) {
                    table.readCurves(_ -> run, histories);
                }
            }
        }
        return List.copyOf(histories.values());
    }
}
