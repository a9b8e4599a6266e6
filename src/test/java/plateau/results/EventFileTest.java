package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
                    + "2c00000000000000f4aecc4509000000000000004010ac022a1e0a0b0a046c6f7373150000803e0a0f0a086163637572616379150000803fc471a657";

    @TempDir Path folder;

    @Test
    void recordsAreThoseOfTensorBoard() throws IOException {
        EventFile events = EventFile.create(folder.resolve("run"), 1.5);
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("loss", 0.25);
        values.put("accuracy", 1.0);
        events.add(2.0, 300, values);
        assertEquals(EXPECTED, HexFormat.of().formatHex(Files.readAllBytes(folder.resolve("run/events.out.tfevents.plateau"))));
    }

    @Test
    void aFileIsStartedAnew() throws IOException {
        EventFile.create(folder, 1).add(2, 1, Map.of("loss", 1.0));
        long once = Files.size(folder.resolve("events.out.tfevents.plateau"));
        EventFile.create(folder, 1).add(2, 1, Map.of("loss", 1.0));
        assertEquals(once, Files.size(folder.resolve("events.out.tfevents.plateau")));
    }
}
