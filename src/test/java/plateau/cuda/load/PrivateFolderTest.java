package plateau.cuda.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateFolderTest {
    /** The user of no files: of every system, and root's to give files to. */
    private static final int NOBODY = 65534;

    @TempDir
    Path temporary;

    private Path base;

    @BeforeEach
    void resolveLinks() throws IOException {
        base = temporary.toRealPath();
    }

    private static int mode(Path path) throws IOException {
        return (int) Files.getAttribute(path, "unix:mode") & 07777;
    }

    private static void refused(Path folder, String... words) {
        NativeFileException refused = assertThrows(NativeFileException.class, () -> PrivateFolder.require(folder));
        for (String word : words) {
            assertTrue(refused.getMessage().contains(word), refused::getMessage);
        }
        assertTrue(refused.getMessage().contains("set XDG_CACHE_HOME"), refused::getMessage);
    }

    @Test
    void whatIsMadeIsForThisUserAlone() throws Exception {
        assertEquals(base.resolve("a/b"), PrivateFolder.require(base.resolve("a/b")));
        assertEquals(0700, mode(base.resolve("a")));
        assertEquals(0700, mode(base.resolve("a/b")));
    }

    @Test
    void aFolderThatOthersCanReadIsFine() throws Exception {
        Files.setAttribute(base, "unix:mode", 0755);
        assertEquals(base, PrivateFolder.require(base));
    }

    @Test
    void aFolderThatOthersCanWriteIsRefusedWhereverItLies() throws Exception {
        Path shared = Files.createDirectory(base.resolve("shared"));
        for (int mode : new int[] {0777, 0770, 0702, 01777}) {
            Files.setAttribute(shared, "unix:mode", mode);
            refused(shared, "the folder " + shared + " (mode " + Integer.toOctalString(mode) + ")");
        }
        Files.setAttribute(shared, "unix:mode", 0777);
        refused(shared.resolve("a/b"), "the folder " + shared + " (mode 777)");
        assertFalse(Files.exists(shared.resolve("a")), "nothing is made there");
    }

    @Test
    void inAStickyFolderNobodyMovesWhatIsOurs() throws Exception {
        Path sticky = Files.createDirectory(base.resolve("sticky"));
        Files.setAttribute(sticky, "unix:mode", 01777);
        assertEquals(sticky.resolve("a"), PrivateFolder.require(sticky.resolve("a")));
    }

    private static boolean isGivenAway(Path folder) {
        try {
            Files.setAttribute(folder, "unix:uid", NOBODY);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void aForeignFolderIsRefusedWhereverItLies() throws Exception {
        Path foreign = Files.createDirectory(base.resolve("foreign"));
        Path below = Files.createDirectory(foreign.resolve("below"));
        assumeTrue(isGivenAway(foreign), "only root gives folders away");
        refused(foreign, "the folder " + foreign + " belongs to user " + NOBODY);
        refused(below, "the folder " + foreign + " belongs to user " + NOBODY);
        refused(foreign.resolve("new"), "the folder " + foreign + " belongs to user " + NOBODY);
        assertFalse(Files.exists(foreign.resolve("new")), "nothing is made there");
    }

    @Test
    void aLinkIsJudgedByWhereItLeads() throws Exception {
        Path shared = Files.createDirectory(base.resolve("shared"));
        Files.setAttribute(shared, "unix:mode", 0777);
        refused(Files.createSymbolicLink(base.resolve("bad"), shared), "the folder " + shared + " (mode 777)");
        Path own = Files.createDirectory(base.resolve("own"));
        Path link = Files.createSymbolicLink(base.resolve("good"), own);
        assertEquals(own.resolve("a"), PrivateFolder.require(link.resolve("a")), "the path to open has no links");
        Path nowhere = Files.createSymbolicLink(base.resolve("nowhere"), base.resolve("missing"));
        assertThrows(IOException.class, () -> PrivateFolder.require(nowhere));
    }

    @Test
    void onlyAFileOfOursCounts() throws Exception {
        Path file = Files.writeString(base.resolve("file"), "text");
        Files.setAttribute(file, "unix:mode", 0644);
        assertTrue(PrivateFolder.isOnlyOurs(file));
        assertFalse(PrivateFolder.isOnlyOurs(Files.createSymbolicLink(base.resolve("link"), file)));
        assertFalse(PrivateFolder.isOnlyOurs(base.resolve("missing")));
        assertFalse(PrivateFolder.isOnlyOurs(base));
        Files.setAttribute(file, "unix:mode", 0666);
        assertFalse(PrivateFolder.isOnlyOurs(file));
    }
}
