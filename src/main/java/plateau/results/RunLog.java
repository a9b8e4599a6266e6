package plateau.results;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The rows and curves of one run as they come, in files that only grow: {@code runs/NAME.csv} with
 * the columns step and metrics, and {@code runs/NAME.curves.csv} with step, point and the names of
 * what was learnt. A run that goes on from a checkpoint keeps what was logged up to it. For use by
 * several threads.
 */
final class RunLog implements AutoCloseable {
    static final List<String> ROW_COLUMNS = List.of("step");
    static final List<String> CURVE_COLUMNS = List.of("step", "point");

    private final ResultFolder folder;
    private final List<String> metrics;
    private final long done;
    private final Beginning curvesBefore;
    private final Path curvesFile;
    private final LineFile rows;
    private final Optional<RunRecord.Last> last;
    private List<String> learnt = List.of();
    private LineFile curves;
    private boolean hasHeader;
    private LogRow newest;

    private RunLog(ResultFolder folder, String name, List<String> metrics, long done, Beginning before)
            throws IOException {
        this.folder = folder;
        this.metrics = metrics;
        this.done = done;
        Path file = folder.file(rowsName(name));
        this.last = before.last(file, metrics);
        this.hasHeader = before.kept > 0;
        this.rows = new LineFile(folder, file, before.kept, before.length);
        this.curvesFile = folder.file(curvesName(name));
        this.curvesBefore = Beginning.read(curvesFile, Optional.empty(), done);
    }

    /** Where a run's rows are, relative to the folder. */
    static String rowsName(String run) {
        return ResultFolder.RUNS + "/" + run + ".csv";
    }

    /** Where a run's curves are, relative to the folder. */
    static String curvesName(String run) {
        return ResultFolder.RUNS + "/" + run + ".curves.csv";
    }

    /**
     * Opens the log of a run that is about to train.
     *
     * @param name of the run's files
     * @param done training steps of the checkpoint that it goes on from; later rows go when the
     *     first new one is written
     * @param expected rows that were logged up to there
     * @throws FileException if they are not there; the files are as they were
     */
    static RunLog open(ResultFolder folder, String name, List<String> metrics, long done, long expected)
            throws IOException {
        folder.begin();
        Path file = folder.file(rowsName(name));
        Beginning before = Beginning.read(file, Optional.of(header(ROW_COLUMNS, metrics)), done);
        if (before.rows != expected) {
            throw new FileException(
                    file,
                    ("%d of the %d rows up to step %d are there, and without them the checkpoint of that "
                                    + "step cannot be used; start the run again")
                            .formatted(before.rows, expected, done));
        }
        return new RunLog(folder, name, metrics, done, before);
    }

    /**
     * The last row in a run's file; empty where there is none.
     *
     * @throws FileException if the file is not that of a run with these metrics
     */
    static Optional<RunRecord.Last> last(Path file, List<String> metrics) throws IOException {
        return Beginning.read(file, Optional.of(header(ROW_COLUMNS, metrics)), Long.MAX_VALUE)
                .last(file, metrics);
    }

    /** Takes down a row. One that was kept from before is not taken down again. */
    synchronized void log(LogRow row) throws IOException {
        if (row.step() <= done) {
            return;
        }
        if (!hasHeader) { // not before: until there is a row, those of an earlier process stay
            rows.put(LineFile.bytes(header(ROW_COLUMNS, metrics)));
            rows.endLine();
            hasHeader = true;
        }
        rows.put(Long.toString(row.step()));
        for (int i = 0; i < metrics.size(); i++) {
            rows.comma();
            rows.put(Decimals.text(row.test().get(i)));
        }
        newest = row;
        rows.endLine();
    }

    /** Takes down what was learnt, a line per point. */
    synchronized void keep(long step, Map<String, float[]> values) throws IOException {
        if (step <= done || values.isEmpty()) {
            return;
        }
        if (curves == null) {
            openCurves(List.copyOf(values.keySet()));
        }
        int points =
                values.values().stream().mapToInt(curve -> curve.length).max().orElse(0);
        for (int point = 0; point < points; point++) {
            curves.put(Long.toString(step));
            curves.comma();
            curves.put(Integer.toString(point));
            for (String name : learnt) {
                float[] curve = values.getOrDefault(name, new float[0]);
                curves.comma();
                curves.put(point < curve.length ? Float.toString(curve[point]) : "");
            }
            curves.endLine();
        }
    }

    private void openCurves(List<String> names) throws IOException {
        learnt = names;
        String header = header(CURVE_COLUMNS, names);
        if (curvesBefore.kept > 0 && !curvesBefore.header.equals(header)) {
            throw FileException.at(curvesFile, 1, "its columns are %s, not %s".formatted(curvesBefore.header, header));
        }
        curves = new LineFile(folder, curvesFile, curvesBefore.kept, curvesBefore.length);
        if (curvesBefore.kept == 0) {
            curves.put(LineFile.bytes(header));
            curves.endLine();
        }
    }

    /** Lets readers of the files see everything. */
    synchronized void flush() throws IOException {
        rows.flush();
        if (curves != null) {
            curves.flush();
        }
    }

    /** Waits until everything is on the disk, so that a checkpoint may rely on it. */
    synchronized void force() throws IOException {
        rows.force();
        if (curves != null) {
            curves.force();
        }
    }

    /** The last row, kept or logged. */
    synchronized Optional<RunRecord.Last> last() {
        return newest == null ? last : Optional.of(RunRecord.Last.of(metrics, newest));
    }

    /** Bytes of rows in the file, header included. */
    synchronized long rowBytes() {
        return rows.length();
    }

    /** Bytes of curves in the file, header included. */
    synchronized long curveBytes() {
        return curves == null ? curvesBefore.length : curves.length();
    }

    @Override
    public synchronized void close() throws IOException {
        try (LineFile _ = curves) {
            rows.close();
        }
    }

    static String header(List<String> fixed, List<String> names) {
        List<String> columns = new ArrayList<>(fixed);
        columns.addAll(names);
        return Tables.FORMAT.format(columns.toArray());
    }

    /**
     * What a file begins with that a run keeps.
     *
     * @param header the first line; empty where there is none
     * @param rows lines up to the step, without the header
     * @param kept their bytes, header included
     * @param length bytes of all whole lines
     * @param end the last line of those that are kept
     */
    private record Beginning(String header, long rows, long kept, long length, String end) {
        private static final Beginning NOTHING = new Beginning("", 0, 0, 0, "");

        static Beginning read(Path file, Optional<String> header, long done) throws IOException {
            if (Files.notExists(file)) {
                return NOTHING;
            }
            try (Lines lines = new Lines(file)) {
                if (done == 0 || !lines.next()) {
                    return new Beginning("", 0, 0, LineFile.wholeLength(file), "");
                }
                String found = lines.text();
                if (header.isPresent() && !found.equals(header.get())) {
                    throw lines.damaged("its columns are %s, not %s".formatted(found, header.get()));
                }
                int commas = lines.cells().size() - 1;
                long rows = 0;
                long kept = lines.offset();
                String end = "";
                for (long before = 0; lines.next(); rows++) {
                    long step = lines.step();
                    boolean isInOrder = header.isPresent() ? step > before : step >= before; // curves have many points
                    if (!isInOrder || lines.commas() != commas) {
                        throw lines.damaged("it is no row of this run");
                    }
                    if (step > done) {
                        break;
                    }
                    before = step;
                    kept = lines.offset();
                    end = lines.text();
                }
                return new Beginning(found, rows, kept, LineFile.wholeLength(file), end);
            }
        }

        /** @throws FileException if the last row has something else than numbers */
        Optional<RunRecord.Last> last(Path file, List<String> metrics) throws IOException {
            if (end.isEmpty()) {
                return Optional.empty();
            }
            String[] cells = end.split(",", -1);
            SequencedMap<String, Double> values = new LinkedHashMap<>();
            try {
                for (int i = 0; i < metrics.size(); i++) {
                    values.put(metrics.get(i), Double.valueOf(cells[i + 1]));
                }
            } catch (NumberFormatException e) {
                throw FileException.at(file, rows + 1, "it has something else than numbers");
            }
            return Optional.of(new RunRecord.Last(Long.parseLong(cells[0]), values));
        }
    }
}
