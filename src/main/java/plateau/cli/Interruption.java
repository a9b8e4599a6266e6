package plateau.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets a command end cleanly on a signal. Java then runs its shutdown hooks; this one asks the
 * command to stop and waits until it has written what there is. A command that does not stop within
 * two seconds, as it waits for a lock or for a long kernel, is not waited for.
 */
final class Interruption implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofMillis(1000);
    private static final Duration LEAVING = Duration.ofMillis(300);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(50);

    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicInteger saving = new AtomicInteger();
    private final Thread hook;
    private volatile boolean happened;
    private volatile Runnable stop = () -> {};
    private volatile Runnable leave = () -> {};

    Interruption() {
        hook = new Thread(this::end);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void end() {
        happened = true;
        beside(stop); // which may wait for what has to be stopped
        long deadline = System.nanoTime() + LIMIT.toNanos();
        try {
            while (!ended.await(BETWEEN_LOOKS.toMillis(), TimeUnit.MILLISECONDS)) {
                if (saving.get() == 0 && System.nanoTime() > deadline) {
                    beside(leave).join(LEAVING);
                    Runtime.getRuntime().halt(Signals.exitCode());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Thread beside(Runnable action) {
        return Thread.ofPlatform().daemon().start(action);
    }

    /**
     * The command begins something new, and this makes it end soon. It is called from another
     * thread, and perhaps twice.
     */
    void calls(Runnable action) {
        saving.set(0);
        leave = () -> {};
        stop = action;
        if (happened) {
            action.run();
        }
    }

    /** Names what is left to do, in a moment, where the command does not end. */
    void leaves(Runnable action) {
        leave = action;
    }

    /** Something is being written until {@link #saved}, or the next begins; that is waited for. */
    void saving() {
        saving.incrementAndGet();
    }

    /** It is written. */
    void saved() {
        saving.decrementAndGet();
    }

    boolean happened() {
        return happened;
    }

    /** All is written. */
    @Override
    public void close() {
        ended.countDown();
        if (!happened) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The process ends at this moment, and the hook no longer waits.
            }
        }
    }
}
