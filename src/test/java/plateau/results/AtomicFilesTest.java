package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file is there whole, or as it was before. */
class AtomicFilesTest {
    @TempDir
    Path folder;

    @Test
    void replacesAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("a"), "before");
        AtomicFiles.write(file, temporary -> Files.writeString(temporary, "after"));
        assertEquals("after", Files.readString(file));
        assertEquals(List.of(file), content());
    }

    @Test
    void keepsTheOldFileWhereWritingFails() throws IOException {
        Path file = Files.writeString(folder.resolve("a"), "before");
        assertThrows(
                IOException.class,
                () -> AtomicFiles.write(file, temporary -> {
                    Files.writeString(temporary, "half");
                    throw new IOException("the disk is full");
                }));
        assertEquals("before", Files.readString(file));
        assertEquals(List.of(file), content());
    }

    /** A name that begins with a dot and digits was taken for that of a killed process once. */
    @Test
    void filesOfOthersAreNoRemains() throws IOException {
        for (String name : List.of(
                ".2024.backup.tar",
                ".a.plateau-0123456789abcdef",
                "a.plateau-0123456789abcdef.tmp",
                ".a.plateau-0123456789ABCDEF.tmp",
                ".a.plateau-0123456789abcde.tmp",
                ".a.tmp",
                "..plateau-0123456789abcdef.tmp")) {
            Files.writeString(folder.resolve(name), "x");
        }
        List<Path> before = content();
        Files.writeString(folder.resolve(".a.plateau-0123456789abcdef.tmp"), "half");
        AtomicFiles.removeRemains(folder);
        assertEquals(before, content());
    }

    @Test
    void errorsNameTheFileAndNotTheTemporary() {
        Path file = folder.resolve("missing/a");
        String message = assertThrows(
                        FileException.class,
                        () -> AtomicFiles.write(file, temporary -> Files.writeString(temporary, "a")))
                .getMessage();
        assertEquals(file + ": there is no such file or folder", message);
    }

    private List<Path> content() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }
}
