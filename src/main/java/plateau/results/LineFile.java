package plateau.results;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A text file that grows by whole lines. They are gathered and written about 64 KB at a time, so
 * that a process that is killed leaves at most one torn line, the last, and whoever opens the file
 * again cuts it off.
 *
 * <p>A RandomAccessFile, since a FileChannel would be closed under a thread that is interrupted.
 * Not safe for use by several threads.
 */
final class LineFile implements AutoCloseable {
    private static final int ENOUGH = 1 << 16;

    private final ResultFolder folder;
    private final Path path;
    private final long kept;
    private RandomAccessFile file;
    private byte[] buffer = new byte[1 << 10];
    private int filled;
    private int whole;
    private long length;

    /**
     * A file that keeps its beginning. The rest stays too until the first line is written.
     *
     * @param folder that it lies in; nothing is written once that is another's
     * @param kept bytes of whole lines
     * @param length bytes of whole lines that are there now
     */
    LineFile(ResultFolder folder, Path path, long kept, long length) {
        this.folder = folder;
        this.path = path;
        this.kept = kept;
        this.length = length;
    }

    /** A file that keeps all its whole lines, or is new. */
    static LineFile append(ResultFolder folder, Path path) throws IOException {
        long length = wholeLength(path);
        return new LineFile(folder, path, length, length);
    }

    /** Bytes of a file's whole lines; 0 where there is none. */
    static long wholeLength(Path path) throws IOException {
        if (Files.notExists(path)) {
            return 0;
        }
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            byte[] block = new byte[1 << 12];
            for (long end = file.length(); end > 0; ) {
                long start = Math.max(0, end - block.length);
                file.seek(start);
                file.readFully(block, 0, (int) (end - start));
                for (int i = (int) (end - start) - 1; i >= 0; i--) {
                    if (block[i] == '\n') {
                        return start + i + 1;
                    }
                }
                end = start;
            }
            return 0;
        } catch (IOException e) {
            throw FileException.of(path, e);
        }
    }

    /** Adds to the line. */
    void put(String ascii) {
        int count = ascii.length();
        reserve(count);
        for (int i = 0; i < count; i++) {
            buffer[filled + i] = (byte) ascii.charAt(i);
        }
        filled += count;
    }

    /** Adds to the line. */
    void put(byte[] bytes) {
        reserve(bytes.length);
        System.arraycopy(bytes, 0, buffer, filled, bytes.length);
        filled += bytes.length;
    }

    /** Adds a comma to the line. */
    void comma() {
        reserve(1);
        buffer[filled++] = ',';
    }

    private void reserve(int count) {
        if (buffer.length - filled < count) {
            buffer = Arrays.copyOf(buffer, Math.max(2 * buffer.length, filled + count));
        }
    }

    /** Ends the line; writes what there is, once it is enough. */
    void endLine() throws IOException {
        reserve(1);
        buffer[filled++] = '\n';
        whole = filled;
        if (whole >= ENOUGH) {
            flush();
        }
    }

    /**
     * Writes all lines that have ended.
     *
     * @throws FileException if that fails; the file then ends with a whole line, and the next call
     *     goes on behind it
     */
    void flush() throws IOException {
        if (whole == 0) {
            return;
        }
        folder.requireClaim();
        try {
            if (file == null) {
                open();
            }
            file.write(buffer, 0, whole);
            consume(whole);
        } catch (IOException e) {
            cut();
            throw FileException.of(path, e);
        }
    }

    private void open() throws IOException {
        ResultFolder.createParent(path);
        file = new RandomAccessFile(path.toFile(), "rw");
        file.setLength(kept);
        file.seek(kept);
        length = kept;
    }

    private void consume(int count) {
        length += count;
        System.arraycopy(buffer, count, buffer, 0, filled - count);
        filled -= count;
        whole -= count;
    }

    /** Finds out how much was written, and leaves the whole lines of it. */
    private void cut() {
        try {
            int count = file == null ? 0 : (int) Math.max(0, file.getFilePointer() - length);
            while (count > 0 && buffer[count - 1] != '\n') {
                count--;
            }
            if (file != null) {
                file.setLength(length + count);
                file.seek(length + count);
            }
            consume(count);
        } catch (IOException e) {
            // The disk is gone; what was written of it is cut when the file is opened again.
        }
    }

    /** Writes all lines that have ended, and waits until they are on the disk. */
    void force() throws IOException {
        flush();
        try {
            if (file != null) {
                file.getFD().sync();
            }
        } catch (IOException e) {
            throw FileException.of(path, e);
        }
    }

    /** Bytes of whole lines that the file has now. */
    long length() {
        return length;
    }

    @Override
    public void close() throws IOException {
        try {
            flush();
        } finally {
            buffer = new byte[0];
            filled = 0;
            whole = 0;
            if (file != null) {
                file.close();
            }
        }
    }

    /** A text as bytes. */
    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
