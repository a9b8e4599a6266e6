package plateau.results;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Reads a table: the columns of the key and the seed in the tables of a campaign, neither in the
 * files of a run, then the step, in curves the point, and values. Whatever is wrong with it is told
 * with its line.
 */
final class TableReader implements AutoCloseable {
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private final Path file;
    private final CSVParser parser;
    private final Iterator<CSVRecord> records;
    private final List<String> header;
    /** Index of the column step; those before it are the key. */
    private final int step;
    /** Index of the first column of values. */
    private final int values;

    private List<String> lastKey = List.of();
    private RunRecord lastRun;

    private TableReader(Path file, InputStream in, Set<String> keys, List<String> fixed) throws IOException {
        this.file = file;
        this.parser =
                CSVParser.parse(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()), CSVFormat.RFC4180);
        this.records = parser.iterator();
        CSVRecord first = next();
        if (first == null) {
            throw new FileException(file, "it is empty");
        }
        header = new ArrayList<>(first.toList());
        header.set(0, header.getFirst().replace(BYTE_ORDER_MARK, "")); // spreadsheets put one there
        step = keys.size();
        values = step + fixed.size();
        if (header.size() < values
                || !header.subList(step, values).equals(fixed)
                || !Set.copyOf(header.subList(0, step)).equals(keys)) {
            throw at(
                    1,
                    "its first columns are not "
                            + Stream.of(keys, fixed).flatMap(Collection::stream).collect(Collectors.joining(", ")));
        }
        if (new HashSet<>(header).size() < header.size()) {
            throw at(1, "two columns have the same name");
        }
    }

    /** The table of a campaign with these runs. */
    static TableReader ofCampaign(Path file, Set<RunKey> runs, List<String> fixed) throws IOException {
        Set<String> keys = new LinkedHashSet<>();
        runs.forEach(run -> keys.addAll(run.columns().keySet()));
        keys.add(Tables.SEED);
        return open(file, Long.MAX_VALUE, keys, fixed);
    }

    /** The file of a run, which may end in a torn line; {@code bytes} are whole ones. */
    static TableReader ofRun(Path file, long bytes, List<String> fixed) throws IOException {
        return open(file, bytes, Set.of(), fixed);
    }

    private static TableReader open(Path file, long bytes, Set<String> keys, List<String> fixed) throws IOException {
        Json.requireFile(file);
        try {
            InputStream in = limited(Files.newInputStream(file), bytes);
            try {
                return new TableReader(file, in, keys, fixed);
            } catch (IOException e) {
                in.close();
                throw e;
            }
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
    }

    private static InputStream limited(InputStream in, long bytes) {
        return new FilterInputStream(in) {
            private long left = bytes;

            @Override
            public int read() {
                throw new UnsupportedOperationException("readers take many bytes at a time");
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                int read = left == 0 ? -1 : super.read(target, offset, (int) Math.min(length, left));
                left -= Math.max(read, 0);
                return read;
            }
        };
    }

    /** The next row that is not blank; null behind the last. */
    private CSVRecord next() throws IOException {
        try {
            while (records.hasNext()) {
                CSVRecord row = records.next();
                if (row.size() > 1 || !row.get(0).isEmpty()) {
                    return row;
                }
            }
            return null;
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof CSVException) {
                throw at(parser.getRecordNumber() + 1, "a quotation mark is out of place");
            }
            throw FileException.of(file, e.getCause());
        }
    }

    private FileException at(long line, String what) {
        return FileException.at(file, line, what);
    }

    private FileException damaged(CSVRecord row, String what) {
        return at(row.getRecordNumber(), what);
    }

    /**
     * Makes sure that the columns of values are those of the runs, as far as these tell.
     *
     * @throws FileException with the first that is not
     */
    void requireMetrics(List<RunRecord> runs) throws IOException {
        Set<String> known = new HashSet<>();
        runs.forEach(
                run -> run.last().ifPresent(last -> known.addAll(last.metrics().keySet())));
        for (String column : header.subList(values, header.size())) {
            if (!known.isEmpty() && !known.contains(column)) {
                throw at(1, "no run in run.json has a metric '%s'".formatted(column));
            }
        }
    }

    /** Whose a row is. */
    interface Owners {
        /** @throws FileException if there is no such run */
        RunRecord of(CSVRecord row) throws IOException;
    }

    /** Rows of the tables of a campaign. */
    Owners among(Map<RunKey, RunRecord> runs) {
        return row -> {
            if (!isOfLastKey(row)) {
                lastKey = IntStream.range(0, step).mapToObj(row::get).toList();
                lastRun = runs.get(key(row));
            }
            if (lastRun == null) {
                throw damaged(row, "run.json has no run of that key and seed");
            }
            return lastRun;
        };
    }

    private boolean isOfLastKey(CSVRecord row) {
        for (int i = 0; i < step; i++) {
            if (lastKey.isEmpty() || !lastKey.get(i).equals(row.get(i))) {
                return false;
            }
        }
        return true;
    }

    private RunKey key(CSVRecord row) throws IOException {
        SequencedMap<String, Object> columns = new LinkedHashMap<>();
        long seed = 0;
        for (int i = 0; i < step; i++) {
            if (header.get(i).equals(Tables.SEED)) {
                seed = whole(row, i);
            } else if (!row.get(i).isEmpty()) {
                columns.put(header.get(i), row.get(i));
            }
        }
        return new RunKey(columns, seed);
    }

    private long whole(CSVRecord row, int column) throws IOException {
        try {
            return Long.parseLong(row.get(column));
        } catch (NumberFormatException e) {
            throw damaged(
                    row, "its %s is '%s', which is no whole number".formatted(header.get(column), shown(row, column)));
        }
    }

    private double number(CSVRecord row, int column) throws IOException {
        try {
            return Double.parseDouble(row.get(column));
        } catch (NumberFormatException e) {
            throw damaged(row, "its %s is '%s', which is no number".formatted(header.get(column), shown(row, column)));
        }
    }

    /** A cell for a message of one line. */
    private static String shown(CSVRecord row, int column) {
        String cell = row.get(column).replaceAll("\\p{Cntrl}", "?");
        return cell.length() > 30 ? cell.substring(0, 30) + "…" : cell;
    }

    private void requireSize(CSVRecord row) throws IOException {
        if (row.size() != header.size()) {
            throw damaged(row, "it has %d cells, the header %d".formatted(row.size(), header.size()));
        }
    }

    /**
     * Reads metrics to the end.
     *
     * @param histories by key as it is written; runs that are new to it are added
     * @param mostRows that a history holds
     */
    void readRows(Owners owners, Map<RunKey, History> histories, int mostRows) throws IOException {
        History history = null;
        RunRecord of = null;
        for (CSVRecord row; (row = next()) != null; ) {
            requireSize(row);
            RunRecord run = owners.of(row);
            if (run != of) {
                List<String> measured = measured(row);
                history = histories.computeIfAbsent(
                        run.key(), key -> new History(key, measured, mostRows).withFacts(run.facts()));
                of = run;
            }
            requireValues(row, history.metrics());
            long done = whole(row, step);
            if (done < 0 || !history.isEmpty() && done <= history.lastStep()) {
                throw damaged(row, "step %d is out of order".formatted(done));
            }
            history.add(done, numbers(row));
        }
    }

    /** Of all columns, a run has values in the same ones in all its rows. */
    private void requireValues(CSVRecord row, List<String> metrics) throws IOException {
        int count = 0;
        for (int i = values; i < header.size(); i++) {
            boolean isThere = !row.get(i).isEmpty();
            if (isThere != (count < metrics.size() && metrics.get(count).equals(header.get(i)))) {
                throw damaged(
                        row,
                        isThere
                                ? "the run's rows before have no %s".formatted(header.get(i))
                                : "it has no %s, which the run's rows before have".formatted(header.get(i)));
            }
            count += isThere ? 1 : 0;
        }
    }

    private List<String> measured(CSVRecord row) {
        return IntStream.range(values, header.size())
                .filter(i -> !row.get(i).isEmpty())
                .mapToObj(header::get)
                .toList();
    }

    private List<Double> numbers(CSVRecord row) throws IOException {
        List<Double> numbers = new ArrayList<>(header.size() - values);
        for (int i = values; i < header.size(); i++) {
            if (!row.get(i).isEmpty()) {
                numbers.add(number(row, i));
            }
        }
        return numbers;
    }

    /**
     * Reads curves to the end.
     *
     * @param histories to which they are added; those of other runs are left out
     */
    void readCurves(Owners owners, Map<RunKey, History> histories) throws IOException {
        Snapshot open = null;
        for (CSVRecord row; (row = next()) != null; ) {
            requireSize(row);
            RunRecord run = owners.of(row);
            long done = whole(row, step);
            if (open == null || open.run != run || open.step != done) {
                keep(open, histories);
                open = new Snapshot(run, done, new float[header.size() - values][0]);
            }
            if (whole(row, step + 1) != open.points++) {
                throw damaged(row, "point %s is out of order".formatted(shown(row, step + 1)));
            }
            for (int i = values; i < header.size(); i++) {
                if (!row.get(i).isEmpty()) {
                    open.add(i - values, (float) number(row, i));
                }
            }
        }
        keep(open, histories);
    }

    private void keep(Snapshot snapshot, Map<RunKey, History> histories) {
        if (snapshot == null || !histories.containsKey(snapshot.run.key())) {
            return;
        }
        SequencedMap<String, float[]> curves = new LinkedHashMap<>();
        for (int i = 0; i < snapshot.curves.length; i++) {
            if (snapshot.lengths[i] > 0) {
                curves.put(header.get(values + i), Arrays.copyOf(snapshot.curves[i], snapshot.lengths[i]));
            }
        }
        histories.get(snapshot.run.key()).keep(snapshot.step, curves);
    }

    /** What a run had learnt at one step, while its points are read. */
    private static final class Snapshot {
        final RunRecord run;
        final long step;
        final float[][] curves;
        final int[] lengths;
        int points;

        Snapshot(RunRecord run, long step, float[][] curves) {
            this.run = run;
            this.step = step;
            this.curves = curves;
            this.lengths = new int[curves.length];
        }

        void add(int curve, float value) {
            if (lengths[curve] == curves[curve].length) {
                curves[curve] = Arrays.copyOf(curves[curve], Math.max(16, 2 * lengths[curve]));
            }
            curves[curve][lengths[curve]++] = value;
        }
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }
}
