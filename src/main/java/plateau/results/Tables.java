package plateau.results;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.Set;
import org.apache.commons.csv.CSVFormat;

/**
 * The tables of all runs, put together from the files of each, a line at a time: however many rows
 * there are, they need no memory.
 */
final class Tables {
    /** Of every table: lines end as they do on Unix. */
    static final CSVFormat FORMAT =
            CSVFormat.RFC4180.builder().setRecordSeparator("\n").get();

    static final String SEED = "seed";
    private static final int BUFFER = 1 << 16;

    /**
     * The file of one run, the lines of which go into a table.
     *
     * @param key of the run
     * @param file with a header; there need not be one
     * @param bytes of whole lines to read
     */
    record Part(RunKey key, Path file, long bytes) {

        /** All that is there. */
        static Part of(RunKey key, Path file) throws IOException {
            return new Part(key, file, LineFile.wholeLength(file));
        }

        boolean isEmpty() {
            return bytes == 0;
        }

        /** The names in the header. */
        List<String> columns() throws IOException {
            try (Lines lines = new Lines(file)) {
                return lines.next() ? lines.cells() : List.of();
            }
        }
    }

    private final List<Part> parts;
    private final SequencedSet<String> keys = new LinkedHashSet<>();
    private final SequencedSet<String> values;

    /**
     * A table.
     *
     * @param keys of all runs, also of those without rows
     * @param parts in order
     * @param values the columns behind the key and the seed
     */
    Tables(List<RunKey> keys, List<Part> parts, Collection<String> values) {
        keys.forEach(key -> this.keys.addAll(key.columns().keySet()));
        this.parts = parts.stream().filter(part -> !part.isEmpty()).toList();
        this.values = new LinkedHashSet<>(values);
    }

    /**
     * Writes metrics.csv and metrics.jsonl, and curves.csv where there are curves.
     *
     * @param metrics of all runs
     * @param rows the files of all runs, in order, also of those without rows
     * @param curves likewise
     * @throws FileException if one cannot be read or written
     */
    static void write(ResultFolder folder, Collection<String> metrics, List<Part> rows, List<Part> curves)
            throws IOException {
        List<RunKey> keys = rows.stream().map(Part::key).toList();
        Set<String> columns = new LinkedHashSet<>(RunLog.ROW_COLUMNS);
        columns.addAll(metrics);
        Tables table = new Tables(keys, rows, columns);
        folder.write(ResultFolder.METRICS, table::writeCsv);
        folder.write(ResultFolder.METRIC_LINES, table::writeJsonLines);
        Set<String> learnt = new LinkedHashSet<>(RunLog.CURVE_COLUMNS);
        List<Part> some = curves.stream().filter(part -> !part.isEmpty()).toList();
        for (Part part : some) {
            learnt.addAll(part.columns());
        }
        if (!some.isEmpty()) {
            folder.write(ResultFolder.CURVES, new Tables(keys, some, learnt)::writeCsv);
        }
    }

    /** Writes what a run's line of cells becomes. */
    private interface Row {
        void write(OutputStream out, Lines line, Cells cells) throws IOException;
    }

    /** Comma-separated: key columns, seed, values. */
    void writeCsv(Path target) throws IOException {
        List<Object> header = new ArrayList<>(keys);
        header.add(SEED);
        header.addAll(values);
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(target), BUFFER)) {
            out.write(LineFile.bytes(FORMAT.format(header.toArray()) + "\n"));
            for (Part part : parts) {
                List<Object> key = new ArrayList<>(
                        keys.stream().map(part.key.columns()::get).toList());
                key.add(part.key.seed());
                byte[] prefix = LineFile.bytes(FORMAT.format(key.toArray()));
                copy(part, out, (sink, line, cells) -> writeCells(sink, prefix, line, cells));
            }
        }
    }

    private static void writeCells(OutputStream out, byte[] prefix, Lines line, Cells cells) throws IOException {
        out.write(prefix);
        if (cells.areInOrder) {
            out.write(',');
            out.write(line.buffer(), line.start(), line.end() - line.start());
        } else {
            for (int i = 0; i < cells.count; i++) {
                out.write(',');
                out.write(line.buffer(), cells.start[i], cells.end[i] - cells.start[i]);
            }
        }
        out.write('\n');
    }

    /** A JSON object per row, without what a run does not have. */
    void writeJsonLines(Path target) throws IOException {
        List<byte[]> names = new ArrayList<>();
        for (String value : values) {
            names.add(LineFile.bytes("," + Json.LINE.writeValueAsString(value) + ":"));
        }
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(target), BUFFER)) {
            for (Part part : parts) {
                Map<String, Object> key = new LinkedHashMap<>(part.key.columns());
                key.put(SEED, part.key.seed());
                String object = Json.LINE.writeValueAsString(key);
                byte[] prefix = LineFile.bytes(object.substring(0, object.length() - 1));
                copy(part, out, (sink, line, cells) -> writeObject(sink, prefix, names, line, cells));
            }
        }
    }

    private static void writeObject(OutputStream out, byte[] prefix, List<byte[]> names, Lines line, Cells cells)
            throws IOException {
        out.write(prefix);
        for (int i = 0; i < cells.count; i++) {
            int start = cells.start[i];
            int length = cells.end[i] - start;
            if (length == 0) {
                continue;
            }
            byte last = line.buffer()[cells.end[i] - 1];
            boolean isNumber = last >= '0' && last <= '9'; // neither NaN nor Infinity is, to JSON
            out.write(names.get(i));
            if (!isNumber) {
                out.write('"');
            }
            out.write(line.buffer(), start, length);
            if (!isNumber) {
                out.write('"');
            }
        }
        out.write('}');
        out.write('\n');
    }

    private void copy(Part part, OutputStream out, Row row) throws IOException {
        try (Lines lines = new Lines(part.file)) {
            if (!lines.next()) {
                return;
            }
            Cells cells = new Cells(List.copyOf(values), lines.cells());
            while (lines.offset() < part.bytes && lines.next()) {
                cells.find(lines);
                row.write(out, lines, cells);
            }
        }
    }

    /** Where the table's values are in a line of a run's file. */
    private static final class Cells {
        final int count;
        final boolean areInOrder;
        final int[] start;
        final int[] end;
        private final int[] target;

        Cells(List<String> values, List<String> columns) {
            count = values.size();
            areInOrder = values.equals(columns);
            start = new int[count];
            end = new int[count];
            target = columns.stream().mapToInt(values::indexOf).toArray();
        }

        void find(Lines line) throws IOException {
            byte[] buffer = line.buffer();
            int column = 0;
            int from = line.start();
            for (int i = line.start(); i <= line.end(); i++) {
                if (i == line.end() || buffer[i] == ',') {
                    if (column == target.length) {
                        throw line.damaged("it has too many cells");
                    }
                    if (target[column] >= 0) {
                        start[target[column]] = from;
                        end[target[column]] = i;
                    }
                    column++;
                    from = i + 1;
                }
            }
            if (column < target.length) {
                throw line.damaged("it has too few cells");
            }
        }
    }
}
