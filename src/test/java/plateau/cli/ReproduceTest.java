package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.reference.Waiting;

/**
 * The report on a part of the paper small enough to be trained here: what is written, kept,
 * refused, and said of what failed.
 */
class ReproduceTest {
    @TempDir
    Path folder;

    @Test
    void writesThePageAndKeepsWhatIsThere() throws Exception {
        Path out = folder.resolve("r");
        Finished first = reproduce("--only", "parity", "--seeds", "1", "--out", out.toString());
        first.assertOk();
        String line = "plateau parity --d 5,10,30 --out " + out.resolve("parity") + " --device cpu";
        assertTrue(first.out().contains(line), first.out()::toString);
        assertTrue(
                first.out().contains("undecided      Parities of few bits are learnt. (section 2.1)"),
                "one run decides nothing");
        assertTrue(
                first.out().stream().anyMatch(text -> text.startsWith("0 hold, 0 do not hold, ")),
                first.out()::toString);
        assertEquals("wrote " + out.resolve("index.html"), first.out().getLast());
        for (String file :
                List.of("index.html", "figure-1.png", "figure-1.svg", "parity/metrics.csv", "parity/run.json")) {
            assertTrue(Files.size(out.resolve(file)) > 0, file);
        }
        String page = Files.readString(out.resolve("index.html"));
        assertTrue(page.contains("<code>" + line + "</code>") && page.contains("data-figure=\"figure-1\""));
        assertTrue(page.contains("<code>plateau step approximation forward-only --out " + out.resolve("step")
                + " --device cpu</code> – not run"));

        FileTime before = Files.getLastModifiedTime(out.resolve("parity/metrics.csv"));
        Finished again = reproduce("--only", "parity", "--seeds", "1", "--out", out.toString());
        again.assertOk();
        assertTrue(again.out().contains("kept what is there"), again.out()::toString);
        assertEquals(before, Files.getLastModifiedTime(out.resolve("parity/metrics.csv")));

        reproduce("--only", "parity", "--seeds", "2", "--out", out.toString())
                .assertError(
                        ExitCode.FAILED, "holds the results of other runs (plateau parity --d 5,10,30)", "--overwrite");
        assertEquals(page.length(), Files.readString(out.resolve("index.html")).length(), "nothing is touched");
    }

    /**
     * Ctrl-C ends it, and the same command then goes on within the one that was running, to what
     * that would have come to.
     */
    @Test
    void goesOnFromCheckpoints() throws Exception {
        String[] command = {
            "reproduce", "--full", "--only", "parity", "--seeds", "1", "--seed", "3", "--device", "cpu", "--out", "r"
        };
        Process process = Finished.start(folder, List.of(), Map.of(), command);
        Waiting.until(process, "a checkpoint", () -> hasCheckpoint(folder.resolve("r/parity/checkpoints")));
        assertEquals(
                0,
                new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                        .start()
                        .waitFor());
        Finished interrupted = Finished.await(folder, process);
        assertEquals(List.of(), interrupted.err());
        assertEquals(130, interrupted.code());
        assertTrue(
                interrupted.out().stream().anyMatch(line -> line.startsWith("interrupted; wrote ")),
                interrupted.out()::toString);
        assertTrue(Files.readString(folder.resolve("r/index.html"))
                .contains("--checkpoint-every 5000 --seed 3 --out r/parity --device cpu</code> – interrupted"));

        Finished again = Finished.await(folder, Finished.start(folder, List.of(), Map.of(), command));
        again.assertOk();
        assertTrue(again.out().contains("goes on from its checkpoints"), again.out()::toString);
        assertTrue(new ObjectMapper()
                        .readTree(folder.resolve("r/parity/run.json").toFile())
                        .at("/seconds")
                        .asDouble()
                > 0);
        Finished.here(
                        "parity",
                        "--d",
                        "5,30",
                        "--steps",
                        "50000",
                        "--seed",
                        "3",
                        "--device",
                        "cpu",
                        "--out",
                        folder.resolve("whole").toString())
                .assertOk();
        List<String> rows = Files.readAllLines(folder.resolve("r/parity/metrics.csv"));
        assertTrue(
                rows.containsAll(Files.readAllLines(folder.resolve("whole/metrics.csv"))),
                "other numbers than without the break");
    }

    private static boolean hasCheckpoint(Path checkpoints) throws IOException {
        if (!Files.exists(checkpoints)) {
            return false;
        }
        try (Stream<Path> files = Files.walk(checkpoints)) {
            return files.anyMatch(file -> file.toString().endsWith(".safetensors"));
        }
    }

    @Test
    void badUsageIsOneLine() throws Exception {
        String out = folder.resolve("r").toString();
        reproduce("--only", "parity,chess", "--out", out)
                .assertError(ExitCode.USAGE, "--only: 'chess' is none of parity,");
        reproduce("--seeds", "0", "--out", out).assertError(ExitCode.USAGE, "seeds must be at least 1, not 0");
        reproduce("--quick", "--full", "--out", out).assertError(ExitCode.USAGE, "mutually exclusive");
        Finished.here("reproduce", "--device", "tpu", "--out", out).assertError(ExitCode.USAGE, "unknown device 'tpu'");
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void aCommandThatFailsIsNamedOnThePage() throws Exception {
        Process process = Finished.start(
                folder,
                List.of(),
                Map.of("PLATEAU_FAULT", "cuMemAlloc:1:2"),
                "reproduce",
                "--only",
                "parity",
                "--seeds",
                "1",
                "--device",
                "cpu",
                "--out",
                "r");
        Finished finished = Finished.await(folder, process);
        finished.assertError(ExitCode.FAILED, "CUDA_ERROR_OUT_OF_MEMORY");
        String page = Files.readString(folder.resolve("r/index.html"));
        assertTrue(
                page.contains("--out r/parity --device cpu</code> – failed"),
                page.substring(page.indexOf("<header>"), page.indexOf("</header>")));
        assertFalse(page.contains("data-figure=\""));
    }

    private static Finished reproduce(String... arguments) {
        return Finished.here(Stream.concat(Stream.of("reproduce", "--device", "cpu"), Stream.of(arguments))
                .toArray(String[]::new));
    }
}
