package plateau.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What asks the program to end: Ctrl-C, SIGTERM, SIGHUP, and SIGUSR1, which batch systems send some
 * time before a job's time is over. All end it alike, with 128 and the signal's number; one more
 * ends it at once.
 */
final class Signals {
    private static final List<String> NAMES = List.of("INT", "TERM", "HUP", "USR1");
    private static final int BASE = 128;
    private static final AtomicInteger FIRST = new AtomicInteger();

    private Signals() {}

    /** Takes the place of what Java does on these signals. */
    static void handle() {
        // System.exit asks this logger. Where one thread makes it while another logs for the first
        // time, Java fails in it, says so, and may end with 1.
        System.getLogger(Runtime.class.getName()).isLoggable(System.Logger.Level.DEBUG);
        for (String name : NAMES) {
            try {
                handle(name);
            } catch (ReflectiveOperationException e) {
                return; // Java without module jdk.unsupported: Ctrl-C and SIGTERM work as it has them
            }
        }
    }

    /**
     * Through reflection: Java has nothing else for it than sun.misc.Signal, and its compiler does
     * not let that pass without a warning.
     */
    private static void handle(String name) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        Object ours = Proxy.newProxyInstance(
                Signals.class.getClassLoader(), new Class<?>[] {handler}, (self, method, arguments) -> {
                    if (method.getName().equals("handle")) {
                        end((int) signal.getMethod("getNumber").invoke(arguments[0]));
                    }
                    return null;
                });
        try {
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), ours);
        } catch (InvocationTargetException e) {
            // It is taken already: by nohup, or as Java was told to leave it alone (-Xrs).
        }
    }

    /** On a thread of its own, so that the next signal is seen. */
    private static void end(int signal) {
        if (FIRST.compareAndSet(0, signal)) {
            Thread.ofPlatform().start(() -> System.exit(BASE + signal));
        } else {
            Runtime.getRuntime().halt(BASE + signal);
        }
    }

    /** What the process ends with after the signal. */
    static int exitCode() {
        return BASE + FIRST.get();
    }
}
