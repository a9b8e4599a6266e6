package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.reference.Waiting;

/** The command that computes theorems, and the part of the page that they become. */
class TheoryTest {
    @TempDir
    Path folder;

    private Finished theory(String... arguments) {
        return Finished.here(Stream.concat(
                        Stream.of(
                                "theory",
                                "--device",
                                "cpu",
                                "--out",
                                folder.resolve("t").toString()),
                        Stream.of(arguments))
                .toArray(String[]::new));
    }

    @Test
    void writesTablesAndFiguresAndKeepsWhatIsThere() throws Exception {
        Finished first = theory("--only", "figure-7");
        first.assertOk();
        assertTrue(
                first.out().stream().anyMatch(line -> line.startsWith("does not hold  and no saddle points (talk")),
                first.out()::toString);
        for (String file : List.of("figure-7.csv", "figure-7.png", "figure-7.svg", "theory.json")) {
            assertTrue(Files.size(folder.resolve("t").resolve(file)) > 0, file);
        }
        FileTime before = Files.getLastModifiedTime(folder.resolve("t/figure-7.csv"));
        Finished again = theory("--only", "figure-7,theorem-3");
        again.assertOk();
        assertTrue(again.out().contains("figure-7: kept what is there"), again.out()::toString);
        assertEquals(before, Files.getLastModifiedTime(folder.resolve("t/figure-7.csv")));
        assertTrue(Files.exists(folder.resolve("t/theorem-3.csv")));

        theory("--only", "figure-7", "--seed", "2")
                .assertError(ExitCode.FAILED, "holds figure-7 as computed with --quick --seed 1", "--overwrite");
        assertEquals(before, Files.getLastModifiedTime(folder.resolve("t/figure-7.csv")));
        theory("--only", "figure-7", "--seed", "2", "--overwrite").assertOk();
    }

    /** Ctrl-C leaves what has been computed, and the same command goes on. */
    @Test
    void whatIsComputedStaysWhereItIsInterrupted() throws Exception {
        String[] command = {"theory", "--only", "figure-7,forward-only", "--device", "cpu", "--out", "t"};
        Process process = Finished.start(folder, List.of(), Map.of(), command);
        Waiting.until(process, "the first statement", () -> Files.exists(folder.resolve("t/theory.json")));
        assertEquals(
                0,
                new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                        .start()
                        .waitFor());
        Finished interrupted = Finished.await(folder, process);
        assertEquals(130, interrupted.code());
        assertEquals(List.of(), interrupted.err());
        assertFalse(Files.exists(folder.resolve("t/.plateau-claim")), "the folder is free");
        Finished again = theory("--only", "figure-7");
        again.assertOk();
        assertEquals(List.of("figure-7: kept what is there"), again.out());
    }

    @Test
    void badUsageIsOneLine() throws Exception {
        theory("--only", "theorem-5").assertError(ExitCode.USAGE, "--only: 'theorem-5' is none of theorem-1, ");
        theory("--quick", "--full").assertError(ExitCode.USAGE, "mutually exclusive");
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void aFileOfOthersIsNotReplaced() throws Exception {
        Path table = folder.resolve("t/figure-7.csv");
        Files.createDirectories(table.getParent());
        Files.writeString(table, "mine");
        theory("--only", "figure-7").assertError(ExitCode.FAILED, table.toString());
        assertEquals("mine", Files.readString(table));
    }
}
