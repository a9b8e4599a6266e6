package plateau.cuda;

import java.util.Collection;

/** How several things are given back. */
public final class Releases {
    private Releases() {}

    /** For try-with-resources: a failure of it does not hide one of the block's. */
    @FunctionalInterface
    public interface Release extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Runs all of them, in order; one that fails does not keep the others from it. The first
     * failure is thrown, later ones are suppressed by it.
     */
    public static void all(Collection<? extends Runnable> releases) {
        RuntimeException failure = null;
        for (Runnable release : releases) {
            try {
                release.run();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /**
     * Runs what gives back what a failed action has left; the action's failure stays the one that
     * is told.
     */
    public static void after(Throwable failure, Runnable release) {
        try {
            release.run();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
