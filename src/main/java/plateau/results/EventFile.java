package plateau.results;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Scalars over steps as TensorBoard reads them: a file of records, each a protocol buffer of type {@code Event} between its length and checksums. The file grows by
 * whole records; a reader waits for the rest of one that is not whole.
 *
 * <p>Of protocol buffers four kinds of field are needed, which are simpler to write than a library is to bring along.
 */
public final class EventFile {
    /** What TensorBoard looks for in a file's name. */
    private static final String NAME = "events.out.tfevents.plateau";

    private static final String VERSION = "brain.Event:2";

    // Fields of Event, Summary and Summary.Value, in tensorflow's event.proto and summary.proto.
    private static final int EVENT_WALL_TIME = 1;
    private static final int EVENT_STEP = 2;
    private static final int EVENT_FILE_VERSION = 3;
    private static final int EVENT_SUMMARY = 5;
    private static final int SUMMARY_VALUE = 1;
    private static final int VALUE_TAG = 1;
    private static final int VALUE_SIMPLE = 2;

    private final Path file;

    private EventFile(Path file) {
        this.file = file;
    }

    /**
     * Starts a file in a folder, in place of one that is there.
     *
     * @throws IOException if it cannot be written
     */
    public static EventFile create(Path folder, double wallSeconds) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve(NAME);
        byte[] version = new Message().fixed64(EVENT_WALL_TIME, Double.doubleToLongBits(wallSeconds)).bytes(EVENT_FILE_VERSION, VERSION.getBytes(StandardCharsets.UTF_8)).toBytes();
        AtomicFiles.write(file, temporary -> Files.write(temporary, framed(version)));
        return new EventFile(file);
    }

    /**
     * Adds the values of one step.
     *
     * @param wallSeconds since 1970
     * @param values by tag
     * @throws IOException if they cannot be written
     */
    public void add(double wallSeconds, long step, Map<String, Double> values) throws IOException {
        Message summary = new Message();
        values.forEach((tag, value) -> summary.bytes(SUMMARY_VALUE, new Message().bytes(VALUE_TAG, tag.getBytes(StandardCharsets.UTF_8)).fixed32(VALUE_SIMPLE, Float.floatToIntBits(value.floatValue())).toBytes()));
        byte[] event = new Message().fixed64(EVENT_WALL_TIME, Double.doubleToLongBits(wallSeconds)).integer(EVENT_STEP, step).bytes(EVENT_SUMMARY, summary.toBytes()).toBytes();
        Files.write(file, framed(event), StandardOpenOption.APPEND);
    }

    /** A record: length, its checksum, content, its checksum. */
    private static byte[] framed(byte[] content) {
        ByteBuffer record = ByteBuffer.allocate(Long.BYTES + Integer.BYTES + content.length + Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(content.length);
        record.putInt(maskedChecksum(record.array(), 0, Long.BYTES));
        record.put(content);
        record.putInt(maskedChecksum(content, 0, content.length));
        return record.array();
    }

    /** As the format asks for: rotated, plus a constant, since a checksum of checksums would say little. */
    private static int maskedChecksum(byte[] bytes, int offset, int length) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, offset, length);
        return Integer.rotateRight((int) sum.getValue(), 15) + 0xA282EAD8;
    }

    /** A protocol buffer that is being put together. A field is its number and wire type, then its content. */
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
            out.writeBytes(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(bits).array());
            return this;
        }

        Message fixed32(int field, int bits) {
            varint(field << 3 | FIXED32);
            out.writeBytes(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(bits).array());
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
