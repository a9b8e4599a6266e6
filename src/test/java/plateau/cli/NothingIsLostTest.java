package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.reference.Waiting;

/**
 * What a user has made, or an earlier command has measured, survives whatever a command does or
 * runs into.
 */
class NothingIsLostTest {
    private static final String OWN = ".2024.backup.tar";

    @TempDir
    Path folder;

    private static Finished parity(Path out, String... arguments) {
        Stream<String> usual = Stream.of(
                "parity", "--device", "cpu", "--d", "5", "--steps", "20", "--batch", "4", "--out", out.toString());
        return Finished.here(Stream.concat(usual, Stream.of(arguments)).toArray(String[]::new));
    }

    /** All files below a folder with their contents, but for the folder's own list. */
    private static Map<String, String> content(Path folder) throws IOException {
        Map<String, String> content = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                content.put(
                        folder.relativize(file).toString(),
                        new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
            }
        }
        return content;
    }

    @Test
    void hiddenFilesOfOthersStay() throws IOException {
        Path out = Files.createDirectory(folder.resolve("a"));
        Files.writeString(out.resolve(OWN), "x");
        Files.writeString(out.resolve(".12345.metrics.csv"), "y");
        parity(out).assertOk();
        parity(out, "--overwrite").assertOk();
        Finished.here("compare", out.toString(), out.toString(), "--out", out.toString())
                .assertOk();
        assertEquals("x", Files.readString(out.resolve(OWN)));
        assertEquals("y", Files.readString(out.resolve(".12345.metrics.csv")));
    }

    @Test
    void checkpointsOfOthersStay() throws IOException {
        Path out = folder.resolve("a");
        Path other = Files.writeString(
                Files.createDirectories(out.resolve("checkpoints")).resolve("model.safetensors"), "mine");
        parity(out, "--checkpoint-every", "10").assertOk();
        parity(out, "--checkpoint-every", "10", "--overwrite").assertOk();
        Finished.here("parity", "--device", "cuda:7", "--out", out.toString(), "--overwrite");
        assertEquals("mine", Files.readString(other));
        assertTrue(Files.exists(out.resolve("checkpoints/d-5-seed-1.safetensors")));
    }

    /** A name that a command needs is never taken from others: it says so before it works. */
    @Test
    void filesOfOthersAreNotReplaced() throws IOException {
        for (String name : List.of("metrics.csv", "curves.csv", "checkpoints/d-5-seed-1.safetensors", "parity.png")) {
            Path out = folder.resolve(name.replaceAll("\\W", "-"));
            Path own = out.resolve(name);
            Files.createDirectories(own.getParent());
            Files.writeString(own, "mine");
            Finished refused = parity(out, "--checkpoint-every", "10", "--overwrite");
            refused.assertError(ExitCode.FAILED, own + ": it was not made here, and is not replaced");
            assertEquals("mine", Files.readString(own));
        }
    }

    @Test
    void oldResultsStayUntilNewOnesHaveBegun() throws IOException {
        Path out = folder.resolve("a");
        parity(out).assertOk();
        Map<String, String> before = content(out);
        Finished.here("parity", "--device", "cuda:7", "--out", out.toString(), "--overwrite")
                .assertError(ExitCode.FAILED);
        assertEquals(before, content(out));
        parity(out, "--lr", "1e30", "--overwrite").assertError(ExitCode.FAILED, "training diverged");
        assertEquals(before, content(out), "it ended before it had logged anything");
    }

    @Test
    void nothingOfTheOldResultsIsLeftAmongTheNew() throws IOException {
        Path out = folder.resolve("d");
        Finished.here(
                        "step",
                        "e2e",
                        "forward-only",
                        "--device",
                        "cpu",
                        "--steps",
                        "20",
                        "--log-every",
                        "10",
                        "--checkpoint-every",
                        "10",
                        "--tensorboard",
                        "--out",
                        out.toString())
                .assertOk();
        parity(out, "--overwrite").assertOk();
        parity(folder.resolve("fresh")).assertOk();
        assertEquals(content(folder.resolve("fresh")).keySet(), content(out).keySet());
        Finished compare = Finished.here(
                "compare",
                out.toString(),
                folder.resolve("fresh").toString(),
                "--out",
                folder.resolve("c").toString());
        compare.assertOk();
        assertTrue(compare.out().stream().noneMatch(line -> line.contains("e2e")), compare.out()::toString);
    }

    @Test
    void theSecondCommandInAFolderIsRefused() throws Exception {
        Process first = Finished.start(
                folder,
                List.of(),
                Map.of(),
                "parity",
                "--device",
                "cpu",
                "--d",
                "5",
                "--steps",
                "1000000000",
                "--out",
                "p");
        try {
            Waiting.until(first, "the first command to begin", () -> Files.exists(folder.resolve("p/run.json")));
            parity(folder.resolve("p"), "--overwrite")
                    .assertError(ExitCode.FAILED, "p: plateau parity", "writes to this folder");
            assertTrue(first.isAlive());
        } finally {
            first.destroyForcibly().waitFor(1, TimeUnit.MINUTES);
        }
        parity(folder.resolve("p"), "--overwrite").assertOk(); // what the killed one has left keeps nobody out
    }

    @Test
    void aResumeThatFailsKeepsTheTables() throws IOException {
        Path out = folder.resolve("a");
        parity(out, "--seeds", "2", "--log-every", "5", "--checkpoint-every", "10")
                .assertOk();
        byte[] before = Files.readAllBytes(out.resolve("metrics.csv"));
        for (String name : List.of("d-5-seed-1.safetensors", "d-5-seed-1.previous.safetensors")) {
            Files.writeString(out.resolve("checkpoints").resolve(name), "nonsense of more than eight bytes");
        }
        Finished.here("parity", "--resume", out.toString())
                .assertError(ExitCode.FAILED, "d = 5, seed 1: checkpoint ", "cannot be used");
        assertArrayEquals(before, Files.readAllBytes(out.resolve("metrics.csv")));
    }

    /**
     * Whatever does not fit on the disk, what was logged is in the tables, and run.json says why it
     * ended.
     */
    @Test
    void aFullDiskLeavesTheNumbers() throws Exception {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        Process mount = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=800k", "tmpfs", disk.toString())
                .redirectErrorStream(true)
                .start();
        mount.getInputStream().readAllBytes();
        assumeTrue(mount.waitFor() == 0, "needs the right to mount a small file system");
        try {
            // The parameters of d = 60 with their gradients take 300 KB; two checkpoints of them do
            // not fit beside each other.
            Finished full = Finished.here(
                    "parity",
                    "--device",
                    "cpu",
                    "--d",
                    "60",
                    "--steps",
                    "400",
                    "--batch",
                    "4",
                    "--log-every",
                    "10",
                    "--checkpoint-every",
                    "100",
                    "--out",
                    disk.resolve("p").toString());
            full.assertError(
                    ExitCode.FAILED,
                    disk.resolve("p/checkpoints/d-60-seed-1.safetensors") + ": No space left on device");
            var run = new ObjectMapper().readTree(disk.resolve("p/run.json").toFile());
            assertEquals("failed", run.at("/status").asText());
            assertTrue(run.at("/error").asText().contains("No space left on device"), run::toString);
            List<String> rows = Files.readAllLines(disk.resolve("p/metrics.csv"));
            assertEquals(1 + 10 * (rows.size() / 10), rows.size(), "whole intervals of checkpoints");
            assertTrue(rows.size() > 10 && rows.getLast().startsWith("60,1,"), rows::toString);
        } finally {
            new ProcessBuilder("umount", disk.toString()).start().waitFor();
        }
        assertFalse(Files.exists(disk.resolve("p")));
    }
}
