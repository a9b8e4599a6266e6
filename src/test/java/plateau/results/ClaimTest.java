package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A folder has one writer at a time, wherever the others run, and no dead one keeps it. */
@Timeout(120)
class ClaimTest {
    private static final Claim.Pace FAST = new Claim.Pace(Duration.ofMillis(20), Duration.ofMillis(300));

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve(".plateau-claim");
    }

    private Claim take() throws IOException {
        return Claim.take(folder, "plateau test", FAST);
    }

    /** What a process of another host would have written. */
    private static String ofAnotherHost(String token, long beat) {
        return """
            holder=plateau parity
            host=node7
            pid=4711
            start=12345
            boot=of another kernel
            namespace=pid:[1]
            token=%s
            beat=%019d
            """.formatted(token, beat);
    }

    @Test
    void aSecondClaimIsRefusedAndSaysWhoHoldsIt() throws IOException {
        try (Claim _ = take()) {
            String message =
                    assertThrows(FolderException.InUse.class, this::take).getMessage();
            assertTrue(
                    message.startsWith(folder + ": plateau test (process "
                            + ProcessHandle.current().pid() + " on "),
                    message);
            assertEquals(1, message.lines().count());
        }
        take().close();
        assertEquals(List.of(), content());
    }

    @Test
    void ofManyAtOnceOneSucceeds() throws Exception {
        for (String before : List.of("", "torn", ofAnotherHost("0123456789abcdef", 5))) {
            if (!before.isEmpty()) {
                Files.writeString(file, before);
            }
            try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
                List<Future<Claim>> claims = threads.invokeAll(Stream.generate(() -> (Callable<Claim>) this::take)
                        .limit(8)
                        .toList());
                List<Future<Claim>> taken = claims.stream()
                        .filter(claim -> claim.state() == Future.State.SUCCESS)
                        .toList();
                for (Future<Claim> claim : claims) {
                    if (claim.state() == Future.State.FAILED) {
                        assertEquals(
                                FolderException.InUse.class,
                                claim.exceptionNow().getClass(),
                                claim.exceptionNow()::toString);
                    }
                }
                assertEquals(1, taken.size(), "after '" + before + "'");
                taken.getFirst().resultNow().require();
                taken.getFirst().resultNow().close();
            }
            assertEquals(List.of(), content());
        }
    }

    @Test
    void ofTwoProcessesOneSucceeds() throws Exception {
        try (Child first = Child.claiming(folder);
                Child second = Child.claiming(folder)) {
            List<String> lines = Stream.of(first.line(), second.line()).sorted().toList();
            assertTrue(lines.getFirst().startsWith("InUse " + folder + ": the child (process "), lines::toString);
            assertEquals("claimed", lines.getLast());
            assertThrows(FolderException.InUse.class, this::take);
            first.finish();
            second.finish();
        }
        assertEquals(List.of(), content());
    }

    /** A wait would run into the test's limit. */
    @Test
    void theClaimOfAKilledProcessIsTakenAtOnce() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/1/stat")), "where this process sees others");
        try (Child child = Child.claiming(folder)) {
            assertEquals("claimed", child.line());
            child.kill();
        }
        assertTrue(Files.exists(file));
        Claim.take(folder, "plateau test", new Claim.Pace(Duration.ofMillis(20), Duration.ofHours(1)))
                .close();
        assertEquals(List.of(), content());
    }

    /** The process's number has another process now. */
    @Test
    void theNumberOfAProcessAloneDoesNotKeepAFolder() throws IOException {
        assumeTrue(Files.exists(Path.of("/proc/1/stat")), "where this process sees others");
        String own;
        try (Claim _ = take()) {
            own = Files.readString(file);
        }
        Files.writeString(file, own.replaceAll("start=\\d+", "start=1"));
        Claim.take(folder, "plateau test", new Claim.Pace(Duration.ofMillis(20), Duration.ofHours(1)))
                .close();
    }

    @Test
    void aClaimOfAnotherHostIsTakenOnceItStandsStill() throws IOException {
        Files.writeString(file, ofAnotherHost("0123456789abcdef", 5));
        long start = System.nanoTime();
        try (Claim claim = take()) {
            assertTrue(System.nanoTime() - start >= FAST.patience().toNanos());
            claim.require();
            assertEquals(List.of(file), content());
        }
    }

    @Test
    void aClaimOfAnotherHostThatAdvancesIsRespected() throws Exception {
        Files.writeString(file, ofAnotherHost("0123456789abcdef", 5));
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                for (long beat = 6; !Thread.interrupted(); beat++) {
                    Path next = Files.writeString(folder.resolve("next"), ofAnotherHost("0123456789abcdef", beat));
                    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        try {
            String message =
                    assertThrows(FolderException.InUse.class, this::take).getMessage();
            assertTrue(message.startsWith(folder + ": plateau parity (process 4711 on node7) writes"), message);
        } finally {
            other.interrupt();
            other.join();
        }
    }

    /** As after a long halt, in which another process has taken the folder over. */
    @Test
    void aHolderNoticesThatItsClaimHasGone() throws Exception {
        for (String other : List.of("", ofAnotherHost("fedcba9876543210", 1))) {
            try (Claim claim = take()) {
                Files.delete(file);
                if (!other.isEmpty()) {
                    Files.writeString(file, other);
                }
                String message = "";
                for (long start = System.nanoTime(); message.isEmpty() && System.nanoTime() - start < 30e9; ) {
                    try {
                        claim.require();
                        Thread.sleep(5);
                    } catch (FileException e) {
                        message = e.getMessage();
                    }
                }
                assertTrue(message.startsWith(folder + ": its claim .plateau-claim is gone"), message);
            }
            assertEquals(!other.isEmpty(), Files.exists(file), "what is another's stays when the old holder ends");
        }
    }

    @Test
    void theCounterAdvances() throws Exception {
        try (Claim _ = take()) {
            String before = Files.readString(file);
            for (long start = System.nanoTime();
                    Files.readString(file).equals(before) && System.nanoTime() - start < 30e9; ) {
                Thread.sleep(5);
            }
            assertFalse(Files.readString(file).equals(before));
            assertEquals(before.length(), Files.size(file));
        }
    }

    /** A process was killed while it took over. */
    @Test
    void aTakeOverThatWasNotFinishedIsNoHindrance() throws IOException {
        Files.writeString(file, ofAnotherHost("0123456789abcdef", 5));
        Files.writeString(folder.resolve(".plateau-claim.0123456789abcdef"), ofAnotherHost("1111111111111111", 0));
        take().close();
        assertEquals(List.of(), content());
    }

    private List<Path> content() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
