package plateau.reference;

import static org.junit.jupiter.api.Assertions.fail;

import java.time.Duration;

/** Waits that end. */
public final class Waiting {
    private static final Duration LONGEST = Duration.ofMinutes(3);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(10);

    /** What is waited for. */
    @FunctionalInterface
    public interface Condition {
        /** Whether it is so by now. */
        boolean holds() throws Exception;
    }

    private Waiting() {}

    /**
     * Waits until something that a process does can be seen, or the process has ended. After three
     * minutes it kills the process and fails.
     *
     * @param what is waited for, for the message
     */
    public static void until(Process process, String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        while (process.isAlive() && !condition.holds()) {
            if (System.nanoTime() > deadline) {
                process.destroyForcibly();
                fail("waited " + LONGEST.toMinutes() + " minutes for " + what);
            }
            Thread.sleep(BETWEEN_LOOKS);
        }
    }
}
