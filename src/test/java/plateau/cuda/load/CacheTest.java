package plateau.cuda.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheTest {
    private static final NativeFile DRIVER =
            NativeIndex.OWN.find("native/libcuda.so.1").orElseThrow();

    @TempDir
    Path temporary;

    private Path library;

    @BeforeEach
    void resolveLinks() throws IOException {
        library = temporary.toRealPath().resolve("build/libcuda.so.1");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(library.getParent())) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aLibraryIsExtractedOnceAndRepaired() throws Exception {
        byte[] whole = DRIVER.read();
        assertEquals(library, Cache.extracted(library, DRIVER));
        assertArrayEquals(whole, Files.readAllBytes(library));
        Object first = Files.getAttribute(library, "unix:ino");
        Cache.extracted(library, DRIVER);
        assertEquals(first, Files.getAttribute(library, "unix:ino"), "what is whole is left alone");

        byte[] damaged = whole.clone();
        damaged[damaged.length / 2] ^= 1;
        Files.write(library, damaged);
        Cache.extracted(library, DRIVER);
        assertArrayEquals(whole, Files.readAllBytes(library), "a damaged file is replaced");
        Files.write(library, Arrays.copyOf(whole, 100));
        Cache.extracted(library, DRIVER);
        assertArrayEquals(whole, Files.readAllBytes(library), "a truncated file is replaced");
        assertEquals(List.of("libcuda.so.1"), names());
    }

    @Test
    void aFileThatOthersCanWriteAndALinkAreReplaced() throws Exception {
        Cache.extracted(library, DRIVER);
        Files.setAttribute(library, "unix:mode", 0666);
        Cache.extracted(library, DRIVER);
        assertEquals(0600, (int) Files.getAttribute(library, "unix:mode") & 0777);
        Path elsewhere = Files.move(library, temporary.resolve("elsewhere"));
        Files.createSymbolicLink(library, elsewhere);
        Cache.extracted(library, DRIVER);
        assertFalse(Files.isSymbolicLink(library));
    }

    @Test
    void whatKilledProcessesLeftGoesAndWhatOthersWriteStays() throws Exception {
        Files.createDirectories(library.getParent());
        Path abandoned = Files.writeString(library.resolveSibling("libcuda.so.11.part"), "old");
        Files.setLastModifiedTime(abandoned, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        Files.writeString(library.resolveSibling("libcuda.so.12.part"), "new");
        Cache.extracted(library, DRIVER);
        assertEquals(List.of("libcuda.so.1", "libcuda.so.12.part"), names());
    }

    @Test
    void whatTheBuildDidNotMakeIsNotExtracted() throws Exception {
        NativeFile other = new NativeFile(DRIVER.resource(), "0".repeat(64), DRIVER.size());
        NativeFileException refused = assertThrows(NativeFileException.class, () -> Cache.extracted(library, other));
        assertTrue(refused.getMessage().contains("libcuda.so.1 is damaged"), refused::getMessage);
        assertEquals(List.of(), names());
    }

    @Test
    void aFolderThatCannotBeMadeIsNamed() {
        NativeFileException refused = assertThrows(
                NativeFileException.class, () -> Cache.extracted(Path.of("/proc/plateau/libcuda.so.1"), DRIVER));
        assertTrue(
                refused.getMessage().contains("/proc/plateau")
                        && refused.getMessage().contains("XDG_CACHE_HOME"),
                refused::getMessage);
    }

    /** As the XDG specification has it, and $HOME before the system's list of users. */
    @Test
    void theFolderIsThatOfTheSpecification() {
        assertEquals(Path.of("/c/plateau"), Cache.folder(Map.of("XDG_CACHE_HOME", "/c", "HOME", "/h"), "/account"));
        assertEquals(
                Path.of("/h/.cache/plateau"), Cache.folder(Map.of("XDG_CACHE_HOME", "c", "HOME", "/h"), "/account"));
        assertEquals(
                Path.of("/h/.cache/plateau"), Cache.folder(Map.of("XDG_CACHE_HOME", "", "HOME", "/h"), "/account"));
        assertEquals(Path.of("/account/.cache/plateau"), Cache.folder(Map.of("HOME", "h"), "/account"));
        assertEquals(Path.of("/account/.cache/plateau"), Cache.folder(Map.of(), "/account"));
        NativeFileException none =
                assertThrows(NativeFileException.class, () -> Cache.folder(Map.of("XDG_CACHE_HOME", "here"), "?"));
        assertTrue(none.getMessage().contains("set XDG_CACHE_HOME"), none::getMessage);
    }
}
