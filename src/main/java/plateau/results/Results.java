package plateau.results;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

    /** Whether a folder holds results at all. */
    public static boolean areIn(Path folder) {
        return Files.exists(folder.resolve(ResultFolder.DESCRIPTION));
    }

    /** @throws FileException with one line, if a folder holds none */
    public static void requireIn(Path folder) throws IOException {
        if (Files.notExists(folder.resolve(ResultFolder.DESCRIPTION))) {
            throw new FileException(folder, "there are no results in it (no run.json)");
        }
    }

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
        requireIn(folder);
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

    /**
     * Writes what a run has logged, and learnt, into another folder: NAME.csv with a row for each
     * step, and NAME-curves.csv where there are curves of it.
     *
     * @param folder with the results
     * @param run the name of its files; see {@link RunKey#fileNames}
     * @throws FileException if it cannot be read or written
     */
    public static void export(Path folder, String run, ResultFolder target) throws IOException {
        copy(folder.resolve(RunLog.rowsName(run)), run + ".csv", target);
        copy(folder.resolve(RunLog.curvesName(run)), run + "-curves.csv", target);
    }

    /** Only whole lines. */
    private static void copy(Path file, String name, ResultFolder target) throws IOException {
        long bytes = LineFile.wholeLength(file);
        if (bytes > 0) {
            target.write(name, copy -> {
                try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ);
                        FileChannel out = FileChannel.open(copy, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                    for (long from = 0; from < bytes; ) {
                        from += in.transferTo(from, bytes - from, out);
                    }
                }
            });
        }
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
