package plateau.results;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.results.Safetensors.Array;
import plateau.results.Safetensors.Type;

/**
 * Files in the safetensors format: what other programs find in them, and that a damaged one is
 * never taken for a whole one.
 */
class SafetensorsTest {
    private static final int SIGNALLING_NAN = 0x7FA0_0001;

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void write() throws IOException {
        file = folder.resolve("a.safetensors");
        LinkedHashMap<String, Array> arrays = new LinkedHashMap<>();
        arrays.put("hidden.weights", Array.floats(List.of(2, 3), new int[] {
            0x3F80_0000, 0x4000_0000, 0x4040_0000, SIGNALLING_NAN, 0x8000_0000, 1
        }));
        arrays.put("steps", Array.of(List.of(2), 1L << 40, -1L));
        arrays.put("empty", Array.of(List.of(0, 2), new double[0]));
        arrays.put("losses", Array.of(List.of(1), 0.1));
        arrays.put("rest", Array.of(List.of(1), -7));
        new Safetensors(Map.of("step", "20", "name", "\"é\""), arrays).write(file);
    }

    /** By the format's description, byte by byte. */
    @Test
    void theFileIsWhatTheFormatSays() throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int length = Math.toIntExact(bytes.getLong(0));
        assertEquals(0, length % 8);
        JsonNode header = new ObjectMapper().readTree(new String(bytes.array(), 8, length, StandardCharsets.UTF_8));
        assertEquals("20", header.at("/__metadata__/step").textValue());
        assertEquals("\"é\"", header.at("/__metadata__/name").textValue());
        assertEquals(
                new ObjectMapper().readTree("{\"dtype\": \"F32\", \"shape\": [2, 3], \"data_offsets\": [0, 24]}"),
                header.get("hidden.weights"));
        assertEquals(
                new ObjectMapper().readTree("{\"dtype\": \"I64\", \"shape\": [2], \"data_offsets\": [24, 40]}"),
                header.get("steps"));
        assertEquals(
                new ObjectMapper().readTree("{\"dtype\": \"F64\", \"shape\": [0, 2], \"data_offsets\": [40, 40]}"),
                header.get("empty"));
        assertEquals(
                new ObjectMapper().readTree("{\"dtype\": \"I32\", \"shape\": [1], \"data_offsets\": [48, 52]}"),
                header.get("rest"));
        assertEquals(8 + length + 52, bytes.capacity());
        ByteBuffer data = bytes.slice(8 + length, 52).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(2f, data.getFloat(4));
        assertEquals(SIGNALLING_NAN, data.getInt(12));
        assertEquals(1L << 40, data.getLong(24));
        assertEquals(0.1, data.getDouble(40));
        assertEquals(-7, data.getInt(48));
    }

    @Test
    void whatIsReadIsWhatWasWritten() throws IOException {
        Safetensors read = Safetensors.read(file);
        assertEquals(Map.of("step", "20", "name", "\"é\""), read.metadata());
        assertEquals(
                List.of("hidden.weights", "steps", "empty", "losses", "rest"),
                List.copyOf(read.arrays().keySet()));
        assertEquals(List.of(2, 3), read.arrays().get("hidden.weights").shape());
        assertArrayEquals(
                new int[] {0x3F80_0000, 0x4000_0000, 0x4040_0000, SIGNALLING_NAN, 0x8000_0000, 1},
                read.arrays().get("hidden.weights").toInts());
        assertEquals(3f, read.arrays().get("hidden.weights").toFloats()[2]);
        assertArrayEquals(new long[] {1L << 40, -1}, read.arrays().get("steps").toLongs());
        assertEquals(0, read.arrays().get("empty").toDoubles().length);
        assertArrayEquals(new double[] {0.1}, read.arrays().get("losses").toDoubles());
    }

    @Test
    void everyShorterFileIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThrows(
                    Safetensors.MalformedException.class,
                    () -> Safetensors.read(file),
                    "the first " + length + " bytes");
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertEquals(
                "it has 1 bytes too many",
                assertThrows(Safetensors.MalformedException.class, () -> Safetensors.read(file))
                        .getMessage());
    }

    /** But for the spaces behind the header, which say nothing. */
    @Test
    void everyChangedBitIsSeen() throws IOException {
        byte[] whole = Files.readAllBytes(file);
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= (byte) (1 << i % 8);
            if (whole[i] == ' ' && Character.isWhitespace(damaged[i])) {
                continue;
            }
            Files.write(file, damaged);
            assertThrows(Safetensors.MalformedException.class, () -> Safetensors.read(file), "bit of byte " + i);
        }
    }

    @Test
    void filesOfOthersAreRefused() throws IOException {
        Files.writeString(file, "d,seed,step,loss,accuracy\r\n5,1,100,0.5,0.5\r\n");
        assertEquals(
                "it does not begin as a safetensors file does",
                assertThrows(Safetensors.MalformedException.class, () -> Safetensors.read(file))
                        .getMessage());
        byte[] header = "{\"w\": {\"dtype\": \"BF16\", \"shape\": [0], \"data_offsets\": [0, 0]}}".getBytes();
        Files.write(
                file,
                ByteBuffer.allocate(8 + header.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .put(header)
                        .array());
        assertTrue(assertThrows(Safetensors.MalformedException.class, () -> Safetensors.read(file))
                .getMessage()
                .startsWith("it has no checksum"));
    }

    @Test
    void anArrayHasTheBytesOfItsShape() {
        assertEquals(
                "12 bytes are no F32 array of shape [2, 2]",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> new Array(Type.F32, List.of(2, 2), ByteBuffer.allocate(12)))
                        .getMessage());
    }

    /** Sizes and offsets that a header only claims are not believed. */
    @Test
    void aForgedHeaderCostsNoMemory() throws IOException {
        for (String array : List.of(
                "[1000000000], \"data_offsets\": [0, 2000000000]",
                "[-1, -1], \"data_offsets\": [0, 4]",
                "[1], \"data_offsets\": [-4, 0]",
                "[1], \"data_offsets\": [0, 9223372036854775807]",
                "null, \"data_offsets\": 4")) {
            byte[] header = "{\"__metadata__\": {\"crc32c\": \"00000000\"}, \"w\": {\"dtype\": \"F32\", \"shape\": %s}}"
                    .formatted(array)
                    .getBytes(StandardCharsets.UTF_8);
            Files.write(
                    file,
                    ByteBuffer.allocate(8 + header.length + 4)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(header.length)
                            .put(header)
                            .array());
            String message = assertThrows(Safetensors.MalformedException.class, () -> Safetensors.read(file), array)
                    .getMessage();
            assertTrue(List.of("its header is damaged", "it is cut short").contains(message), array + ": " + message);
        }
    }

    @Test
    void errorsNameTheFileAndNothingIsLeft() {
        Path missing = folder.resolve("missing/a.safetensors");
        Safetensors content = new Safetensors(new LinkedHashMap<>(), new LinkedHashMap<>());
        assertEquals(
                missing + ": there is no such file or folder",
                assertThrows(FileException.class, () -> content.write(missing)).getMessage());
        assertEquals(
                missing + ": there is no such file or folder",
                assertThrows(FileException.class, () -> Safetensors.read(missing))
                        .getMessage());
    }
}
