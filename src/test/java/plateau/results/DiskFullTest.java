package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import plateau.results.ResultFolder.Purpose;

/**
 * A disk of 256 KB becomes full: what was logged stays, and run.json says what happened. Root alone
 * can make such a disk.
 */
@Timeout(60)
class DiskFullTest {
    private static final String FULL = ": No space left on device";
    private static final RunRecord.Speeds SPEEDS = new RunRecord.Speeds(1, 1, 1, 1);

    @TempDir
    Path temporary;

    private Path disk;
    private Path folder;
    private boolean isMounted;

    @BeforeEach
    void mount() throws Exception {
        disk = Files.createDirectory(temporary.resolve("disk"));
        folder = disk.resolve("p");
        isMounted = system("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk.toString());
        assumeTrue(isMounted, "this user cannot mount a disk");
    }

    @AfterEach
    void unmount() throws Exception {
        if (isMounted) {
            assertTrue(system("umount", disk.toString()));
        }
    }

    private static boolean system(String... command) throws Exception {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /** Takes all room but so many bytes. */
    private Path fill(int left) throws IOException {
        Path file = disk.resolve("filler");
        long room = Files.getFileStore(disk).getUsableSpace() - left;
        return Files.write(file, new byte[(int) room]);
    }

    private ResultStore store(ResultFolder claimed) throws IOException {
        Description description = new Description(
                "parity",
                "2026-11-27T02:20:23Z",
                MissingNode.getInstance(),
                MissingNode.getInstance(),
                "CPU",
                Map.of());
        RunPlan plan = new RunPlan(RunKey.of("d", 5, 1), List.of("loss"), Map.of(), 1_000_000, 1);
        return new ResultStore(claimed, description, List.of(plan), Duration.ofHours(1));
    }

    private static LogRow row(long step) {
        return LogRow.of(step, new double[] {0.5}, new double[0]);
    }

    private static Safetensors checkpoint(int bytes) {
        SequencedMap<String, Safetensors.Array> arrays = new LinkedHashMap<>();
        arrays.put("w", Safetensors.Array.of(List.of(bytes / Long.BYTES), new long[bytes / Long.BYTES]));
        return new Safetensors(new LinkedHashMap<>(), arrays);
    }

    private List<String> content() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    /** Its temporary file goes, so that the room does for the tables. */
    @Test
    void aCheckpointThatDoesNotFitFailsTheRunAlone() throws IOException {
        try (ResultFolder claimed = ResultFolder.claim(folder, Purpose.NEW, "a test")) {
            ResultStore store = store(claimed);
            store.begin();
            store.start(0, 0);
            for (long step = 1; step <= 1000; step++) {
                store.log(0, row(step));
            }
            store.checkpoint(0);
            Safetensors content = checkpoint(1 << 20);
            String message = assertThrows(
                            FileException.class, () -> claimed.write("checkpoints/d-5.safetensors", content::write))
                    .getMessage();
            assertEquals(folder.resolve("checkpoints/d-5.safetensors") + FULL, message);
            store.fail(0, message);
            store.end(Status.FAILED, Optional.of(message));
        }
        assertEquals(
                List.of(
                        ".plateau-files",
                        "metrics.csv",
                        "metrics.jsonl",
                        "run.json",
                        "runs/d-5-seed-1.csv",
                        "runs/d-5-seed-1.json"),
                content());
        Results results = Results.read(folder);
        assertEquals(Status.FAILED, results.description().status());
        assertEquals(
                Optional.of(folder.resolve("checkpoints/d-5.safetensors") + FULL),
                results.description().error());
        assertEquals(1000, results.histories().getFirst().logged());
    }

    @Test
    void aLogEndsWithAWholeLineAndGoesOnWhereThereIsRoomAgain() throws IOException {
        try (ResultFolder claimed = ResultFolder.claim(folder, Purpose.NEW, "a test");
                RunLog log = RunLog.open(claimed, "run", List.of("loss"), 0, 0)) {
            log.log(row(1));
            log.flush();
            Path filler = fill(8192);
            long[] step = {1};
            String message = assertThrows(FileException.class, () -> {
                        while (true) {
                            log.log(row(++step[0]));
                        }
                    })
                    .getMessage();
            Path file = folder.resolve("runs/run.csv");
            assertEquals(file + FULL, message);
            assertEquals(Files.size(file), LineFile.wholeLength(file));
            assertEquals(Files.size(file), log.rowBytes());
            assertTrue(log.rowBytes() > 1000);
            Files.delete(filler);
            log.flush();
            List<String> lines = Files.readAllLines(file);
            for (int i = 1; i < lines.size(); i++) {
                assertEquals(i + ",0.5", lines.get(i));
            }
            assertEquals(step[0], lines.size() - 1);
        }
    }

    @Test
    void tablesThatDoNotFitAreReported() throws IOException {
        try (ResultFolder claimed = ResultFolder.claim(folder, Purpose.NEW, "a test")) {
            ResultStore store = store(claimed);
            store.begin();
            store.start(0, 0);
            for (long step = 1; step <= 10_000; step++) {
                store.log(0, row(step));
            }
            store.checkpoint(0);
            fill(20_000);
            store.finish(0, SPEEDS);
            String message = assertThrows(FileException.class, () -> store.end(Status.FINISHED, Optional.empty()))
                    .getMessage();
            assertEquals(folder.resolve("metrics.csv") + FULL, message);
        }
        Description description = Description.read(folder);
        assertEquals(Status.FAILED, description.status());
        assertEquals(Optional.of(folder.resolve("metrics.csv") + FULL), description.error());
        assertEquals(Status.FINISHED, description.runs().getFirst().status());
        assertFalse(content().toString().contains(".tmp"), () -> "a temporary file is left");
        assertEquals(10_000, Results.read(folder).histories().getFirst().logged());
    }

    @Test
    void anEventFileEndsWithAWholeEvent() throws IOException {
        EventFile events = EventFile.create(folder, 1);
        fill(4096);
        long[] step = {0};
        String message = assertThrows(FileException.class, () -> {
                    while (true) {
                        events.add(2, ++step[0], Map.of("a long tag of a metric", 1.0));
                    }
                })
                .getMessage();
        Path file = folder.resolve(EventFile.name());
        assertEquals(file + FULL, message);
        long whole = Files.size(file);
        EventFile.open(folder, 3).add(3, step[0] - 1, Map.of("loss", 1.0));
        assertEquals(whole, Files.size(file), "nothing is cut off, and the last event is known");
    }

    /** The folder is had, or one line says why not; no half claim stays. */
    @Test
    void aFullDiskCannotBeClaimed() throws IOException {
        fill(0);
        String message = assertThrows(
                        FolderException.Unwritable.class, () -> ResultFolder.claim(folder, Purpose.NEW, "a test"))
                .getMessage();
        assertEquals(
                folder + ": cannot write there (No space left on device); name a folder that can be written", message);
        assertFalse(Files.exists(folder));
    }
}
