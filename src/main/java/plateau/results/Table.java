package plateau.results;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A small table: names of columns, and rows of numbers and texts.
 *
 * @param columns their names
 * @param rows each with a value for every column: a Number, a String or, where there is none, null
 */
public record Table(List<String> columns, List<List<Object>> rows) {

    /** Copies the lists. */
    public Table {
        columns = List.copyOf(columns);
        rows = List.copyOf(rows);
    }

    /** A table that is being filled. */
    public static final class Builder {
        private final List<String> columns;
        private final List<List<Object>> rows = new ArrayList<>();

        /** With these columns. */
        public Builder(String... columns) {
            this.columns = List.of(columns);
        }

        /**
         * Adds a row.
         *
         * @throws IllegalArgumentException if it has not a value for every column
         */
        public void add(Object... values) {
            if (values.length != columns.size()) {
                throw new IllegalArgumentException(
                        "%d values for the %d columns %s".formatted(values.length, columns.size(), columns));
            }
            rows.add(new ArrayList<>(Arrays.asList(values)));
        }

        /** What has been added. */
        public Table table() {
            return new Table(columns, rows);
        }
    }

    /** Writes it as all tables here are written: RFC 4180, the shortest decimals, a header. */
    public void writeCsv(Path file) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            out.write(Tables.FORMAT.format(columns.toArray()) + "\n");
            for (List<Object> row : rows) {
                out.write(Tables.FORMAT.format(row.stream().map(Table::cell).toArray()) + "\n");
            }
        }
    }

    private static Object cell(Object value) {
        return value instanceof Double || value instanceof Float
                ? Decimals.text(((Number) value).doubleValue())
                : value;
    }
}
