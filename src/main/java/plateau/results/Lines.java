package plateau.results;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * The whole lines of a file, one at a time, as bytes; what follows the last line feed is no line.
 */
final class Lines implements AutoCloseable {
    private static final int LONGEST = 1 << 24;
    private static final int ENOUGH = 1 << 16;

    private final Path file;
    private final InputStream in;
    private byte[] buffer;
    private int start;
    private int end = -1;
    private int filled;
    private long offset;
    private long number;

    /** @throws FileException if it cannot be read */
    Lines(Path file) throws IOException {
        this.file = file;
        try {
            buffer = new byte[Math.clamp(Files.size(file) + 1, 1, ENOUGH)]; // there are many small files
            in = Files.newInputStream(file);
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
    }

    /** Goes to the next line, the first at first; false where there is none. */
    boolean next() throws IOException {
        start = end + 1;
        int search = start;
        while (true) {
            for (int i = search; i < filled; i++) {
                if (buffer[i] == '\n') {
                    end = i;
                    offset += end + 1 - start;
                    number++;
                    return true;
                }
            }
            search = filled - start;
            if (!fill()) {
                return false;
            }
        }
    }

    /** Moves the line that has begun to the front and reads on. */
    private boolean fill() throws IOException {
        System.arraycopy(buffer, start, buffer, 0, filled - start);
        filled -= start;
        start = 0;
        if (filled == buffer.length) {
            if (filled >= LONGEST) {
                throw FileException.at(file, number + 1, "it is longer than lines here are");
            }
            buffer = Arrays.copyOf(buffer, 2 * filled);
        }
        try {
            int read = in.read(buffer, filled, buffer.length - filled);
            filled += Math.max(read, 0);
            return read > 0;
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
    }

    /** Holds the line from {@link #start} to {@link #end}, until the next one. */
    byte[] buffer() {
        return buffer;
    }

    int start() {
        return start;
    }

    /** Behind the line's last byte. */
    int end() {
        return end;
    }

    String text() {
        return new String(buffer, start, end - start, StandardCharsets.UTF_8);
    }

    /** Bytes of the file up to the end of this line, its line feed included. */
    long offset() {
        return offset;
    }

    /** Counted from 1. */
    long number() {
        return number;
    }

    /** The whole number before the first comma; -1 where there is none. */
    long step() {
        long step = 0;
        int i = start;
        for (; i < end && buffer[i] != ','; i++) {
            if (buffer[i] < '0' || buffer[i] > '9' || i - start > 17) {
                return -1;
            }
            step = 10 * step + buffer[i] - '0';
        }
        return i > start ? step : -1;
    }

    /** The cells of the line, where it may have quotation marks, as a header may. */
    List<String> cells() throws IOException {
        try (CSVParser parser = Tables.FORMAT.parse(new StringReader(text()))) {
            List<CSVRecord> records = parser.getRecords();
            return records.isEmpty() ? List.of("") : records.getFirst().toList();
        } catch (IOException | UncheckedIOException e) {
            throw damaged("a quotation mark is out of place");
        }
    }

    /** Something is wrong with the line. */
    FileException damaged(String what) {
        return FileException.at(file, number, what);
    }

    /** Commas in the line; there are no quotation marks in the files that are read so. */
    int commas() {
        int commas = 0;
        for (int i = start; i < end; i++) {
            commas += buffer[i] == ',' ? 1 : 0;
        }
        return commas;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
