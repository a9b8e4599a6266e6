package plateau.results;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Scalars over steps as TensorBoard reads them: a file of records, each a protocol buffer of type
 * {@code Event} between its length and checksums. The file grows by whole records; a reader waits
 * for the rest of one that is not whole.
 *
 * <p>Of protocol buffers four kinds of field are needed, which are simpler to write than a library
 * is to bring along.
 */
public final class EventFile {
    /** What TensorBoard looks for in a file's name. */
    private static final String NAME = "events.out.tfevents.plateau";

    private static final String VERSION = "brain.Event:2";

    /** Of a record, around its content: the length and two checksums. */
    private static final int FRAME_BYTES = Long.BYTES + 2 * Integer.BYTES;

    // Fields of Event, Summary and Summary.Value, in tensorflow's event.proto and summary.proto.
    private static final int EVENT_WALL_TIME = 1;
    private static final int EVENT_STEP = 2;
    private static final int EVENT_FILE_VERSION = 3;
    private static final int EVENT_SUMMARY = 5;
    private static final int SUMMARY_VALUE = 1;
    private static final int VALUE_TAG = 1;
    private static final int VALUE_SIMPLE = 2;

    private static final long NOTHING = Long.MIN_VALUE;

    private final Path file;
    private long lastStep;

    private EventFile(Path file, long lastStep) {
        this.file = file;
        this.lastStep = lastStep;
    }

    /** The name of the file in its folder. */
    public static String name() {
        return NAME;
    }

    /**
     * Starts a file in a folder, in place of one that is there.
     *
     * @param wallSeconds since 1970
     * @throws FileException if it cannot be written
     */
    public static EventFile create(Path folder, double wallSeconds) throws IOException {
        Path file = folder.resolve(NAME);
        ResultFolder.createParent(file);
        byte[] version = new Message()
                .fixed64(EVENT_WALL_TIME, Double.doubleToLongBits(wallSeconds))
                .bytes(EVENT_FILE_VERSION, VERSION.getBytes(StandardCharsets.UTF_8))
                .toBytes();
        AtomicFiles.write(file, temporary -> Files.write(temporary, framed(version)));
        return new EventFile(file, NOTHING);
    }

    /**
     * Goes on with the file in a folder, so that a TensorBoard that is open goes on showing it: a
     * record that is not whole is cut off, and events up to the last step in the file are not added
     * again. Starts one where there is none.
     *
     * @param wallSeconds since 1970
     * @throws FileException if it cannot be read or written
     */
    public static EventFile open(Path folder, double wallSeconds) throws IOException {
        Path file = folder.resolve(NAME);
        if (Files.notExists(file)) {
            return create(folder, wallSeconds);
        }
        try (RandomAccessFile records = new RandomAccessFile(file.toFile(), "rw")) {
            long whole = 0;
            long last = NOTHING;
            for (byte[] event; (event = next(records, whole)) != null; whole += FRAME_BYTES + event.length) {
                last = Math.max(last, step(event));
            }
            records.setLength(whole);
            if (whole > 0) {
                return new EventFile(file, last);
            }
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
        return create(folder, wallSeconds);
    }

    /** The content of the record at an offset; null if it is not whole. */
    private static byte[] next(RandomAccessFile records, long offset) throws IOException {
        long left = records.length() - offset;
        if (left < FRAME_BYTES) {
            return null;
        }
        byte[] head = new byte[Long.BYTES + Integer.BYTES];
        records.seek(offset);
        records.readFully(head);
        ByteBuffer numbers = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
        long length = numbers.getLong();
        if (numbers.getInt() != maskedChecksum(head, 0, Long.BYTES) || length < 0 || length > left - FRAME_BYTES) {
            return null;
        }
        byte[] content = new byte[Math.toIntExact(length)];
        records.readFully(content);
        int sum = Integer.reverseBytes(records.readInt());
        return sum == maskedChecksum(content, 0, content.length) ? content : null;
    }

    /**
     * The step of an event as it is written here: the wall time in 9 bytes, then a varint, if it is
     * not the version.
     */
    private static long step(byte[] event) {
        int at = 1 + Long.BYTES;
        if (event.length <= at || event[at] != (EVENT_STEP << 3 | Message.VARINT)) {
            return NOTHING;
        }
        long step = 0;
        for (int shift = 0; ++at < event.length; shift += 7) {
            step |= (event[at] & 0x7FL) << shift;
            if (event[at] >= 0) {
                break;
            }
        }
        return step;
    }

    /**
     * Adds the values of one step, unless the file goes as far already.
     *
     * @param wallSeconds since 1970
     * @param values by tag
     * @throws FileException if they cannot be written; the file ends with the event before
     */
    public void add(double wallSeconds, long step, Map<String, Double> values) throws IOException {
        if (step <= lastStep) {
            return;
        }
        Message summary = new Message();
        values.forEach((tag, value) -> summary.bytes(
                SUMMARY_VALUE,
                new Message()
                        .bytes(VALUE_TAG, tag.getBytes(StandardCharsets.UTF_8))
                        .fixed32(VALUE_SIMPLE, Float.floatToIntBits(value.floatValue()))
                        .toBytes()));
        byte[] event = new Message()
                .fixed64(EVENT_WALL_TIME, Double.doubleToLongBits(wallSeconds))
                .integer(EVENT_STEP, step)
                .bytes(EVENT_SUMMARY, summary.toBytes())
                .toBytes();
        append(framed(event));
        lastStep = step;
    }

    private void append(byte[] record) throws IOException {
        try (RandomAccessFile records = new RandomAccessFile(file.toFile(), "rw")) {
            long end = records.length();
            records.seek(end);
            try {
                records.write(record);
            } catch (IOException e) {
                records.setLength(end);
                throw e;
            }
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
    }

    /** A record: length, its checksum, content, its checksum. */
    private static byte[] framed(byte[] content) {
        ByteBuffer record = ByteBuffer.allocate(FRAME_BYTES + content.length).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(content.length);
        record.putInt(maskedChecksum(record.array(), 0, Long.BYTES));
        record.put(content);
        record.putInt(maskedChecksum(content, 0, content.length));
        return record.array();
    }

    /**
     * As the format asks for: rotated, plus a constant, since a checksum of checksums would say
     * little.
     */
    private static int maskedChecksum(byte[] bytes, int offset, int length) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, offset, length);
        return Integer.rotateRight((int) sum.getValue(), 15) + 0xA282EAD8;
    }

    /**
     * A protocol buffer that is being put together. A field is its number and wire type, then its
     * content.
     */
    private static final class Message {
        private static final int VARINT = 0;
        private static final int FIXED64 = 1;
        private static final int LENGTH_DELIMITED = 2;
        private static final int FIXED32 = 5;

        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message integer(int field, long value) {
            varint(field << 3 | VARINT);
            varint(value);
            return this;
        }

        Message fixed64(int field, long bits) {
            varint(field << 3 | FIXED64);
            out.writeBytes(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(bits)
                    .array());
            return this;
        }

        Message fixed32(int field, int bits) {
            varint(field << 3 | FIXED32);
            out.writeBytes(ByteBuffer.allocate(Integer.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(bits)
                    .array());
            return this;
        }

        Message bytes(int field, byte[] content) {
            varint(field << 3 | LENGTH_DELIMITED);
            varint(content.length);
            out.writeBytes(content);
            return this;
        }

        /** Seven bits at a time, the lowest first, the eighth set while more follow. */
        private void varint(long value) {
            long left = value;
            while ((left & ~0x7FL) != 0) {
                out.write((int) (left & 0x7F | 0x80));
                left >>>= 7;
            }
            out.write((int) left);
        }

        byte[] toBytes() {
            return out.toByteArray();
        }
    }
}
