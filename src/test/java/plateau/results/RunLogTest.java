package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import plateau.reference.Seeds;
import plateau.results.ResultFolder.Purpose;

/** The log of a run loses no row that was there, and has no half ones, however its process ends. */
@Timeout(120)
class RunLogTest {
    @TempDir
    Path temporary;

    private Path folder;
    private ResultFolder claimed;

    @BeforeEach
    void claim() throws IOException {
        folder = temporary.resolve("p");
        claimed = ResultFolder.claim(folder, Purpose.NEW, "a test");
    }

    @AfterEach
    void close() throws IOException {
        claimed.close();
    }

    private RunLog open(long done, long expected) throws IOException {
        return RunLog.open(claimed, "run", List.of("loss", "accuracy"), done, expected);
    }

    private static LogRow row(long step) {
        return LogRow.of(step, new double[] {1.0 / step, 0.5}, new double[] {0, 0});
    }

    private List<String> rows() throws IOException {
        return Files.readAllLines(folder.resolve("runs/run.csv"));
    }

    private void write(long steps) throws IOException {
        try (RunLog log = open(0, 0)) {
            for (long step = 1; step <= steps; step++) {
                log.log(row(step));
                log.keep(step, Map.of("f", new float[] {step, step + 0.5f}));
            }
        }
    }

    @Test
    void rowsAreLinesOfTheirValues() throws IOException {
        write(2);
        assertEquals("step,loss,accuracy\n1,1.0,0.5\n2,0.5,0.5\n", Files.readString(folder.resolve("runs/run.csv")));
        assertEquals(
                "step,point,f\n1,0,1.0\n1,1,1.5\n2,0,2.0\n2,1,2.5\n",
                Files.readString(folder.resolve("runs/run.curves.csv")));
    }

    /**
     * The end that is torn, and what came after the checkpoint, go with the first new row, and not
     * before.
     */
    @Test
    void aLogGoesOnFromACheckpoint() throws IOException {
        write(5);
        String whole = Files.readString(folder.resolve("runs/run.csv"));
        Files.writeString(folder.resolve("runs/run.csv"), whole + "6,0.1");
        try (RunLog log = open(3, 3)) {
            assertEquals(3, log.last().orElseThrow().step());
            assertEquals(1.0 / 3, log.last().orElseThrow().metrics().get("loss"));
            log.flush();
            assertEquals(whole + "6,0.1", Files.readString(folder.resolve("runs/run.csv")));
            assertEquals(whole.length(), log.rowBytes());
            log.log(row(3));
            log.log(row(40));
            log.keep(40, Map.of("f", new float[] {7}));
        }
        assertEquals(
                List.of("step,loss,accuracy", "1,1.0,0.5", "2,0.5,0.5", "3,0.3333333333333333,0.5", "40,0.025,0.5"),
                rows());
        assertTrue(Files.readString(folder.resolve("runs/run.curves.csv")).endsWith("3,0,3.0\n3,1,3.5\n40,0,7.0\n"));
    }

    /** A process that ends before its first row takes nothing from the one before. */
    @Test
    void rowsStayUntilThereAreOthers() throws IOException {
        write(5);
        String whole = Files.readString(folder.resolve("runs/run.csv"));
        open(0, 0).close();
        assertEquals(whole, Files.readString(folder.resolve("runs/run.csv")));
        try (RunLog log = open(0, 0)) {
            log.log(row(4));
        }
        assertEquals(List.of("step,loss,accuracy", "4,0.25,0.5"), rows());
    }

    @Test
    void aLogThatIsNotWholeIsRefusedAndStays() throws IOException {
        write(5);
        Path file = folder.resolve("runs/run.csv");
        String whole = Files.readString(file);
        assertEquals(
                file
                        + ": 5 of the 7 rows up to step 7 are there, and without them the checkpoint of that step"
                        + " cannot be used; start the run again",
                assertThrows(FileException.class, () -> open(7, 7)).getMessage());
        Map<String, String> damages = new LinkedHashMap<>();
        damages.put(whole.replace("2,0.5,0.5\n", ""), ": 2 of the 3 rows");
        damages.put(whole.replace("loss", "mse"), " line 1: its columns are step,mse,accuracy, not step,loss,accuracy");
        damages.put(whole.replace("2,0.5,0.5", "2,0.5"), " line 3: it is no row of this run");
        damages.put(whole.replace("2,0.5,0.5", "x,0.5,0.5"), " line 3: it is no row of this run");
        damages.put(whole.replace("2,0.5,0.5", "1,0.5,0.5"), " line 3: it is no row of this run");
        for (Map.Entry<String, String> damage : damages.entrySet()) {
            Files.writeString(file, damage.getKey());
            String message = assertThrows(FileException.class, () -> open(3, 3)).getMessage();
            assertTrue(message.startsWith(file + damage.getValue()), message);
            assertEquals(damage.getKey(), Files.readString(file));
        }
        Files.delete(file);
        assertThrows(FileException.class, () -> open(3, 3));
    }

    @Test
    void manyRowsNeedNoMemory() throws IOException {
        long rows = 300_000;
        try (RunLog log = open(0, 0)) {
            for (long step = 1; step <= rows; step++) {
                log.log(row(step));
                assertTrue(log.rowBytes() <= 60 * step);
            }
            assertTrue(Files.size(folder.resolve("runs/run.csv")) > 200_000 * 10, "it is written while it grows");
        }
        assertEquals(rows + 1, rows().size());
    }

    /**
     * At random moments; every line but the last is whole then, and those that were flushed are
     * there.
     */
    @Test
    void aKilledProcessLeavesWholeLines() throws Exception {
        Seeds seeds = Seeds.next();
        for (int i = 0; i < 5; i++) {
            Path killed = temporary.resolve("killed" + i);
            Path file = killed.resolve("runs/run.csv");
            try (Child child = Child.logging(killed)) {
                assertEquals("claimed", child.line());
                for (long start = System.nanoTime(); !Files.exists(file) && System.nanoTime() - start < 60e9; ) {
                    Thread.sleep(1);
                }
                Thread.sleep(seeds.random().nextInt(200));
                child.kill();
            }
            long whole = LineFile.wholeLength(file);
            assertTrue(Files.size(file) - whole < 100, seeds.message("more than one line is torn"));
            long step = 0;
            try (Lines lines = new Lines(file)) {
                lines.next();
                assertEquals("step,loss,half", lines.text());
                for (step = 1; lines.next(); step++) {
                    assertEquals(
                            "%d,%s,%s".formatted(step, Decimals.text(step), Decimals.text(step / 2.0)), lines.text());
                }
            }
            ResultFolder.claim(killed, Purpose.NEW, "a test").close();
        }
    }

    @Test
    void namesOfRunsAreDistinct() {
        SequencedMap<String, Object> longest = new LinkedHashMap<>(Map.of("name", "x".repeat(300)));
        List<RunKey> keys = List.of(
                RunKey.of("d", 5, 1),
                RunKey.of("way", "a/b", 1),
                RunKey.of("way", "a_b", 1),
                RunKey.of("way", "A b", 1),
                new RunKey(longest, 1),
                new RunKey(longest, 2),
                RunKey.of("way", "a_b-seed-1-2", 1));
        List<String> names = RunKey.fileNames(keys);
        assertEquals(
                List.of(
                        "d-5-seed-1",
                        "a_b-seed-1",
                        "a_b-seed-1-2",
                        "A_b-seed-1-3",
                        "x".repeat(200),
                        "x".repeat(200) + "-2",
                        "a_b-seed-1-2-seed-1"),
                names);
    }
}
