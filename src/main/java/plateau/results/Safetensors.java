package plateau.results;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.zip.CRC32C;

/**
 * Arrays by name and texts about them, as a file in the safetensors format: the length of a JSON
 * header in 8 bytes, the header, and the arrays' values one behind the other, little-endian. The
 * header also holds a checksum of everything, which other programs ignore.
 *
 * @param metadata texts by name
 * @param arrays in the order of the file
 */
public record Safetensors(Map<String, String> metadata, SequencedMap<String, Array> arrays) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final String METADATA = "__metadata__";
    private static final String CHECKSUM = "crc32c";
    private static final int LENGTH_BYTES = Long.BYTES;

    /** The format's own limit. */
    private static final int LONGEST_HEADER = 100_000_000;

    /** The types of elements that are used here, by the format's names. */
    public enum Type {
        /** 32-bit floating point. */
        F32(Float.BYTES),
        /** 64-bit floating point. */
        F64(Double.BYTES),
        /** 32-bit integers. */
        I32(Integer.BYTES),
        /** 64-bit integers. */
        I64(Long.BYTES);

        private final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }
    }

    /**
     * One array.
     *
     * @param type of its elements
     * @param shape its sizes, the last one contiguous
     * @param bytes its elements, little-endian
     */
    public record Array(Type type, List<Integer> shape, ByteBuffer bytes) {

        /** @throws IllegalArgumentException if the shape does not have as many bytes */
        public Array {
            shape = List.copyOf(shape);
            boolean isShape = shape.stream().allMatch(size -> size >= 0);
            if (!isShape
                    || shape.stream().mapToLong(Integer::longValue).reduce(type.bytes, Math::multiplyExact)
                            != bytes.capacity()) {
                throw new IllegalArgumentException(
                        "%d bytes are no %s array of shape %s".formatted(bytes.capacity(), type, shape));
            }
        }

        private static ByteBuffer room(Type type, int elements) {
            return ByteBuffer.allocate(Math.multiplyExact(type.bytes, elements)).order(ByteOrder.LITTLE_ENDIAN);
        }

        /** Floats given by their bits, so that every NaN stays what it is. */
        public static Array floats(List<Integer> shape, int[] bits) {
            ByteBuffer room = room(Type.F32, bits.length);
            room.asIntBuffer().put(bits);
            return new Array(Type.F32, shape, room);
        }

        /** Floats. */
        public static Array of(List<Integer> shape, float... values) {
            ByteBuffer room = room(Type.F32, values.length);
            room.asFloatBuffer().put(values);
            return new Array(Type.F32, shape, room);
        }

        /** Doubles. */
        public static Array of(List<Integer> shape, double... values) {
            ByteBuffer room = room(Type.F64, values.length);
            room.asDoubleBuffer().put(values);
            return new Array(Type.F64, shape, room);
        }

        /** Ints. */
        public static Array of(List<Integer> shape, int... values) {
            ByteBuffer room = room(Type.I32, values.length);
            room.asIntBuffer().put(values);
            return new Array(Type.I32, shape, room);
        }

        /** Longs. */
        public static Array of(List<Integer> shape, long... values) {
            ByteBuffer room = room(Type.I64, values.length);
            room.asLongBuffer().put(values);
            return new Array(Type.I64, shape, room);
        }

        /** The elements of an I32 array, or the bits of an F32 one. */
        public int[] toInts() {
            int[] values = new int[bytes.capacity() / Integer.BYTES];
            bytes.asIntBuffer().get(values);
            return values;
        }

        /** The elements of an F32 array. */
        public float[] toFloats() {
            float[] values = new float[bytes.capacity() / Float.BYTES];
            bytes.asFloatBuffer().get(values);
            return values;
        }

        /** The elements of an F64 array. */
        public double[] toDoubles() {
            double[] values = new double[bytes.capacity() / Double.BYTES];
            bytes.asDoubleBuffer().get(values);
            return values;
        }

        /** The elements of an I64 array. */
        public long[] toLongs() {
            long[] values = new long[bytes.capacity() / Long.BYTES];
            bytes.asLongBuffer().get(values);
            return values;
        }
    }

    /** A file is none of these, or not whole. The message says what is wrong with it. */
    public static final class MalformedException extends IOException {
        private static final long serialVersionUID = 1;

        /** A file that is not what it should be. */
        public MalformedException(String message) {
            super(message);
        }
    }

    /**
     * Writes the file and waits until it is on the disk. What stands at that path before is lost,
     * so the caller names a new one and renames it.
     *
     * @throws FileException if it cannot be written; then nothing stands there
     */
    public void write(Path file) throws IOException {
        ObjectNode header = JSON.createObjectNode();
        ObjectNode texts = header.putObject(METADATA);
        metadata.forEach(texts::put);
        long end = 0;
        for (Map.Entry<String, Array> entry : arrays.entrySet()) {
            Array array = entry.getValue();
            ObjectNode description = header.putObject(entry.getKey()).put("dtype", array.type.name());
            array.shape.forEach(description.putArray("shape")::add);
            description.putArray("data_offsets").add(end).add(end += array.bytes.capacity());
        }
        texts.put(CHECKSUM, checksum(header, arrays));
        byte[] text = JSON.writeValueAsBytes(header);
        int padding = -text.length & (LENGTH_BYTES - 1); // spaces, so that the values are aligned
        ByteBuffer start = ByteBuffer.allocate(LENGTH_BYTES + text.length + padding)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length + padding)
                .put(text)
                .put(" ".repeat(padding).getBytes(StandardCharsets.US_ASCII));
        try {
            write(file, start.flip());
        } catch (IOException e) {
            Files.deleteIfExists(file); // half a file is of no use, and takes room
            throw FileException.of(file, e);
        }
    }

    private void write(Path file, ByteBuffer start) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            writeAll(channel, start);
            for (Array array : arrays.values()) {
                writeAll(channel, array.bytes.duplicate().clear());
            }
            channel.force(true);
        }
    }

    /**
     * Reads a file.
     *
     * @throws MalformedException if it is not whole, or was not written here
     * @throws FileException if it cannot be read
     */
    public static Safetensors read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() < LENGTH_BYTES) {
                throw new MalformedException("it has only %d bytes".formatted(channel.size()));
            }
            long length = readAll(channel, LENGTH_BYTES).getLong();
            if (length < 2 || length > LONGEST_HEADER) {
                throw new MalformedException("it does not begin as a safetensors file does");
            }
            if (channel.size() < LENGTH_BYTES + length) {
                throw new MalformedException("it is cut short");
            }
            return read(channel, header(readAll(channel, (int) length)));
        } catch (MalformedException e) {
            throw e;
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
    }

    private static JsonNode header(ByteBuffer text) throws MalformedException {
        try {
            return JSON.readTree(text.array());
        } catch (IOException e) {
            throw new MalformedException("its header is damaged");
        }
    }

    private static Safetensors read(FileChannel channel, JsonNode header) throws IOException {
        if (!(header instanceof ObjectNode object
                && object.get(METADATA) instanceof ObjectNode texts
                && texts.get(CHECKSUM) instanceof JsonNode checksum)) {
            throw new MalformedException("it has no checksum: another program wrote it");
        }
        Map<String, Array> arrays = new LinkedHashMap<>();
        long end = 0;
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            if (entry.getKey().equals(METADATA)) {
                continue;
            }
            JsonNode description = entry.getValue();
            try {
                List<Integer> shape = JSON.convertValue(
                        description.get("shape"),
                        JSON.getTypeFactory().constructCollectionType(List.class, Integer.class));
                Type type = Type.valueOf(description.get("dtype").asText());
                ArrayNode offsets = (ArrayNode) description.get("data_offsets");
                int bytes =
                        Math.toIntExact(offsets.get(1).asLong() - offsets.get(0).asLong());
                if (offsets.get(0).asLong() != end || bytes < 0) {
                    throw new MalformedException("its header is damaged");
                }
                end += bytes;
                if (channel.size() - channel.position() < bytes) {
                    throw new MalformedException("it is cut short");
                }
                arrays.put(entry.getKey(), new Array(type, shape, readAll(channel, bytes)));
            } catch (IllegalArgumentException | ArithmeticException | NullPointerException | ClassCastException e) {
                throw new MalformedException("its header is damaged");
            }
        }
        if (channel.position() != channel.size()) {
            throw new MalformedException("it has %d bytes too many".formatted(channel.size() - channel.position()));
        }
        texts.remove(CHECKSUM);
        if (!checksum(object, arrays).equals(checksum.asText())) {
            throw new MalformedException("its checksum is wrong: it is damaged");
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        texts.properties()
                .forEach(text -> metadata.put(text.getKey(), text.getValue().asText()));
        return new Safetensors(metadata, new LinkedHashMap<>(arrays));
    }

    /** Of the header without the checksum, and all values. */
    private static String checksum(ObjectNode header, Map<String, Array> arrays) throws IOException {
        CRC32C sum = new CRC32C();
        sum.update(JSON.writeValueAsBytes(header));
        arrays.values().forEach(array -> sum.update(array.bytes.duplicate().clear()));
        return "%08x".formatted(sum.getValue());
    }

    private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static ByteBuffer readAll(FileChannel channel, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes) < 0) {
                throw new EOFException("the file became shorter while it was read");
            }
        }
        return bytes.flip();
    }
}
