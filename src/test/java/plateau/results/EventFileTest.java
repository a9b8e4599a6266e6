package plateau.results;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Records of a file for TensorBoard, byte by byte. */
class EventFileTest {
    /** What TensorBoard 2.21's own RecordWriter writes of these events. */
    private static final String EXPECTED =
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c"
                    + "2c00000000000000f4aecc4509000000000000004010ac022a1e0a0b0a046c6f7373150000803e"
                    + "0a0f0a086163637572616379150000803fc471a657";

    @TempDir
    Path folder;

    @Test
    void recordsAreThoseOfTensorBoard() throws IOException {
        EventFile events = EventFile.create(folder.resolve("run"), 1.5);
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("loss", 0.25);
        values.put("accuracy", 1.0);
        events.add(2.0, 300, values);
        assertEquals(
                EXPECTED,
                HexFormat.of().formatHex(Files.readAllBytes(folder.resolve("run/events.out.tfevents.plateau"))));
    }

    @Test
    void aFileIsStartedAnew() throws IOException {
        EventFile.create(folder, 1).add(2, 1, Map.of("loss", 1.0));
        long once = Files.size(folder.resolve("events.out.tfevents.plateau"));
        EventFile.create(folder, 1).add(2, 1, Map.of("loss", 1.0));
        assertEquals(once, Files.size(folder.resolve("events.out.tfevents.plateau")));
    }

    /** What a run logs again when it goes on from a checkpoint is there already. */
    @Test
    void aFileIsGoneOnWith() throws IOException {
        EventFile events = EventFile.create(folder, 1);
        events.add(2, 100, Map.of("loss", 1.0));
        events.add(3, 200, Map.of("loss", 0.5));
        byte[] whole = Files.readAllBytes(file());
        EventFile.open(folder, 4).add(5, 200, Map.of("loss", 0.5));
        assertArrayEquals(whole, Files.readAllBytes(file()));
        EventFile.open(folder, 4).add(5, 300, Map.of("loss", 0.25));
        events.add(5, 300, Map.of("loss", 0.25));
        byte[] twice = Files.readAllBytes(file());
        assertArrayEquals(whole, Arrays.copyOf(twice, whole.length));
        int record = (twice.length - whole.length) / 2;
        assertArrayEquals(
                Arrays.copyOfRange(twice, whole.length, whole.length + record),
                Arrays.copyOfRange(twice, whole.length + record, twice.length));
    }

    /** However much of the last record is missing or wrong. */
    @Test
    void aTornRecordIsCutOff() throws IOException {
        EventFile events = EventFile.create(folder, 1);
        events.add(2, 100, Map.of("loss", 1.0));
        int kept = (int) Files.size(file());
        events.add(3, 1L << 40, Map.of("loss", 0.5));
        byte[] whole = Files.readAllBytes(file());
        for (int length = kept; length < whole.length; length++) {
            Files.write(file(), Arrays.copyOf(whole, length));
            EventFile.open(folder, 4).add(3, 1L << 40, Map.of("loss", 0.5));
            assertArrayEquals(whole, Files.readAllBytes(file()), "cut to " + length);
        }
        for (int i = kept; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 0x10;
            Files.write(file(), damaged);
            EventFile.open(folder, 4);
            assertEquals(kept, Files.size(file()), "byte " + i);
        }
    }

    @Test
    void errorsNameTheFile() throws IOException {
        Files.createDirectory(file());
        String message = assertThrows(FileException.class, () -> EventFile.open(folder, 1))
                .getMessage();
        assertEquals(file() + ": Is a directory", message);
    }

    private Path file() {
        return folder.resolve(EventFile.name());
    }
}
