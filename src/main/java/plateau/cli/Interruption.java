package plateau.cli;

import java.util.concurrent.CountDownLatch;

/**
 * Lets a command end cleanly on Ctrl-C or SIGTERM. Java then runs its shutdown hooks; this one asks
 * the command to stop and waits until it has written what there is. Java ends the process itself,
 * with 128 and the signal's number: 130 or 143.
 */
final class Interruption implements AutoCloseable {
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook;
    private volatile boolean happened;
    private volatile Runnable stop = () -> {};

    Interruption() {
        hook = new Thread(() -> {
            happened = true;
            stop.run();
            try {
                ended.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * Names what makes the command end soon. It is called from another thread, and perhaps twice.
     */
    void calls(Runnable action) {
        stop = action;
        if (happened) {
            action.run();
        }
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
