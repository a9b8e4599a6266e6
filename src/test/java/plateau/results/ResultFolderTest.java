package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import plateau.results.ResultFolder.Purpose;

/** What is replaced and deleted in a folder of results is what was made there, and nothing else. */
@Timeout(60)
class ResultFolderTest {
    @TempDir
    Path temporary;

    private Path folder;

    @BeforeEach
    void name() {
        folder = temporary.resolve("out/parity");
    }

    private ResultFolder claim(Purpose purpose) throws IOException {
        return ResultFolder.claim(folder, purpose, "a test");
    }

    private static void write(ResultFolder claimed, String name) throws IOException {
        claimed.write(name, file -> Files.writeString(file, name));
    }

    private void user(String name) throws IOException {
        Files.createDirectories(folder.resolve(name).getParent());
        Files.writeString(folder.resolve(name), "the user's");
    }

    /** Files and folders below the folder, relative to it. */
    private List<String> content() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.skip(1)
                    .map(file -> folder.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void aFolderMadeForNothingGoes() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            claimed.file("checkpoints/d-5.safetensors");
            assertTrue(Files.exists(folder));
        }
        assertFalse(Files.exists(temporary.resolve("out")));
        Files.createDirectories(folder);
        claim(Purpose.NEW).close();
        assertEquals(List.of(), content());
    }

    @Test
    void whatIsWrittenIsToldToUsers() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            for (String name : List.of("metrics.csv", "run.json", "runs/d-5.csv", "parity.png", "metrics.csv")) {
                write(claimed, name);
            }
            assertEquals(List.of("metrics.csv", "run.json", "parity.png"), claimed.written());
        }
        assertEquals(
                List.of(".plateau-files", "metrics.csv", "parity.png", "run.json", "runs", "runs/d-5.csv"), content());
        assertEquals(
                "metrics.csv\nrun.json\nruns/\nruns/d-5.csv\nparity.png\n",
                Files.readString(folder.resolve(".plateau-files")));
    }

    @Test
    void earlierResultsAreReplacedFileByFileAndNotBefore() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            for (String name :
                    List.of("run.json", "metrics.csv", "runs/a.csv", "checkpoints/a.safetensors", "own/b.csv")) {
                write(claimed, name);
            }
        }
        user("notes.txt");
        user("own/notes.txt");
        user(".2024.backup.tar");
        List<String> before = content();
        assertThrows(FolderException.Occupied.class, () -> claim(Purpose.NEW));
        claim(Purpose.REPLACE).close();
        assertEquals(before, content());
        try (ResultFolder claimed = claim(Purpose.REPLACE)) {
            claimed.file("runs/b.csv");
            assertTrue(Files.exists(folder.resolve("metrics.csv")));
            claimed.begin();
            claimed.begin();
            write(claimed, "run.json");
        }
        assertEquals(
                List.of(".2024.backup.tar", ".plateau-files", "notes.txt", "own", "own/notes.txt", "run.json"),
                content());
        assertEquals("runs/\nruns/b.csv\nrun.json\n", Files.readString(folder.resolve(".plateau-files")));
    }

    @Test
    void filesOfOthersAreNeitherReplacedNorFoundTooLate() throws IOException {
        user("metrics.csv");
        for (Purpose purpose : List.of(Purpose.NEW, Purpose.REPLACE)) {
            assertEquals(
                    folder
                            + "/metrics.csv: it was not made here, and is not replaced; move it away, or name another"
                            + " folder",
                    assertThrows(FolderException.Occupied.class, () -> claim(purpose))
                            .getMessage());
        }
        Files.delete(folder.resolve("metrics.csv"));
        user("runs");
        assertThrows(FolderException.Occupied.class, () -> claim(Purpose.NEW));
        Files.delete(folder.resolve("runs"));
        user("parity.png");
        user("runs/mine.csv");
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            assertThrows(FolderException.Occupied.class, () -> claimed.require(List.of("parity.svg", "parity.png")));
            assertThrows(FolderException.Occupied.class, () -> write(claimed, "parity.png"));
            assertThrows(FolderException.Occupied.class, () -> write(claimed, "parity.png/a"));
            write(claimed, "runs/a.csv");
        }
        assertEquals("the user's", Files.readString(folder.resolve("parity.png")));
        assertEquals("the user's", Files.readString(folder.resolve("runs/mine.csv")));
    }

    @Test
    void aFolderOfAnEarlierVersionHasFourFilesOfItsOwn() throws IOException {
        for (String name :
                List.of("run.json", "metrics.csv", "metrics.jsonl", "curves.csv", "parity.png", "checkpoints/a")) {
            user(name);
        }
        try (ResultFolder claimed = claim(Purpose.REPLACE)) {
            claimed.begin();
        }
        assertEquals(List.of(".plateau-files", "checkpoints", "checkpoints/a", "parity.png"), content());
    }

    @Test
    void whatIsContinuedStays() throws IOException {
        assertTrue(assertThrows(FolderException.Empty.class, () -> claim(Purpose.CONTINUE))
                .getMessage()
                .startsWith(folder + ": "));
        assertFalse(Files.exists(folder));
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            write(claimed, "run.json");
            write(claimed, "parity.png");
        }
        try (ResultFolder claimed = claim(Purpose.CONTINUE)) {
            write(claimed, "parity.png");
            write(claimed, "curves.csv");
        }
        assertEquals(List.of(".plateau-files", "curves.csv", "parity.png", "run.json"), content());
        assertEquals("run.json\nparity.png\ncurves.csv\n", Files.readString(folder.resolve(".plateau-files")));
    }

    /** A killed process leaves half a name on the list, and half a file. */
    @Test
    void remainsOfKilledProcessesGo() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            write(claimed, "run.json");
            write(claimed, "runs/a.csv");
        }
        user("own/.a.plateau-0123456789abcdef.tmp");
        user("runs/.a.csv.plateau-0123456789abcdef.tmp");
        user(".run.json.plateau-0123456789abcdef.tmp");
        Files.writeString(folder.resolve(".plateau-files"), "run.json\nruns/\nruns/a.csv\nnotes.tx");
        user("notes.tx");
        try (ResultFolder claimed = claim(Purpose.REPLACE)) {
            claimed.begin();
        }
        assertEquals(List.of(".plateau-files", "notes.tx", "own", "own/.a.plateau-0123456789abcdef.tmp"), content());
    }

    @Test
    void namesOnTheListThatLeadOutsideAreIgnored() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            write(claimed, "run.json");
        }
        Path outside = Files.writeString(temporary.resolve("outside"), "x");
        Files.writeString(folder.resolve(".plateau-files"), "run.json\n../../outside\n" + outside + "\n\n\u0001\n");
        try (ResultFolder claimed = claim(Purpose.REPLACE)) {
            claimed.begin();
        }
        assertTrue(Files.exists(outside));
    }

    @Test
    void namesAreThoseOfFilesInside() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            for (String name : List.of("", "../a", "/a", "a/../../b", "a\nb")) {
                assertThrows(IllegalArgumentException.class, () -> claimed.file(name), name);
            }
        }
    }

    @Test
    void aFolderThatCannotBeHadSaysWhy() throws IOException {
        Files.createDirectories(folder.getParent());
        Files.writeString(folder, "a file");
        String message = assertThrows(FolderException.Unwritable.class, () -> claim(Purpose.NEW))
                .getMessage();
        assertTrue(message.startsWith(folder + ": cannot write there ("), message);
        folder = folder.resolve("below");
        assertThrows(FolderException.Unwritable.class, () -> claim(Purpose.NEW));
        assertEquals("a file", Files.readString(folder.getParent()));
    }

    @Test
    void aFolderWithoutPermissionSaysSo() throws IOException {
        assumeFalse(System.getProperty("user.name").equals("root"), "root may write everywhere");
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-xr-xr-x"));
        assertEquals(
                folder + ": cannot write there (permission denied); name a folder that can be written",
                assertThrows(FolderException.Unwritable.class, () -> claim(Purpose.NEW))
                        .getMessage());
    }

    @Test
    void oneThatLostItsClaimWritesNothingMore() throws IOException {
        Claim.Pace fast = new Claim.Pace(Duration.ofMillis(1), Duration.ofSeconds(1));
        try (ResultFolder claimed = ResultFolder.claim(folder, Purpose.NEW, "a test", fast)) {
            write(claimed, "run.json");
            Files.delete(folder.resolve(".plateau-claim"));
            long start = System.nanoTime();
            while (true) {
                try {
                    write(claimed, "metrics.csv");
                    assertTrue(System.nanoTime() - start < 30e9, "it goes on writing");
                } catch (FileException e) {
                    assertTrue(
                            e.getMessage().startsWith(folder + ": its claim .plateau-claim is gone"), e.getMessage());
                    return;
                }
            }
        }
    }
}
