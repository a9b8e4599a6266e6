package plateau.cuda;

import java.util.Map;
import java.util.regex.Pattern;

/**
 * The environment variables that the CPU driver reads. It cannot say what is wrong with one, so
 * they are looked at here, before it is called.
 */
public final class Environment {
    /** As in native/driver/limits.h. */
    static final int MOST_THREADS = 1024;

    private static final Pattern THREADS = Pattern.compile("[0-9]{1,9}");
    private static final Pattern FAULT = Pattern.compile("[^:,]{1,127}:[0-9]{1,9}:-?[0-9]{1,9}");

    private Environment() {}

    /**
     * Refuses what the CPU driver would not understand.
     *
     * @throws IllegalArgumentException with one line that names the variable, its value and what
     *     is allowed
     */
    public static void check() {
        check(System.getenv());
    }

    static void check(Map<String, String> variables) {
        String threads = variables.getOrDefault("PLATEAU_CPU_THREADS", "");
        if (!threads.isEmpty()
                && !(THREADS.matcher(threads).matches()
                        && Integer.parseInt(threads) >= 1
                        && Integer.parseInt(threads) <= MOST_THREADS)) {
            throw new IllegalArgumentException("PLATEAU_CPU_THREADS is '%s': it must be a whole number from 1 to %d"
                    .formatted(printable(threads), MOST_THREADS));
        }
        String faults = variables.getOrDefault("PLATEAU_FAULT", "");
        for (String fault : faults.isEmpty() ? new String[0] : faults.split(",", -1)) {
            if (!FAULT.matcher(fault).matches() || Integer.parseInt(fault.split(":")[1]) < 1) {
                throw new IllegalArgumentException(
                        "PLATEAU_FAULT: '%s' is not function:n:code, as in cuMemAlloc:3:2 for the third call"
                                .formatted(printable(fault)));
            }
        }
    }

    /** One line, whatever the value holds. */
    private static String printable(String value) {
        return value.replaceAll("\\p{Cntrl}", "?");
    }
}
