package plateau.cuda;

import java.math.BigInteger;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The environment variables that the CPU driver reads. It cannot say what is wrong with one, so
 * they are looked at here, before it is called.
 */
public final class Environment {
    /** As in native/driver/limits.h. */
    static final int MOST_THREADS = 1024;

    /** As in native/driver/settings.h. */
    static final int MOST_DEVICES = 16;

    /** As in native/driver/settings.h. */
    static final int MOST_LATE_MICROSECONDS = 1_000_000;

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,20}");
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
        requireNumber(variables, "PLATEAU_CPU_THREADS", 1, BigInteger.valueOf(MOST_THREADS));
        requireNumber(variables, "PLATEAU_CPU_DEVICES", 1, BigInteger.valueOf(MOST_DEVICES));
        requireNumber(variables, "PLATEAU_CPU_LATE_COPIES", 0, BigInteger.valueOf(MOST_LATE_MICROSECONDS));
        requireNumber(
                variables, "PLATEAU_CPU_FRESH_MEMORY", 0, BigInteger.TWO.pow(64).subtract(BigInteger.ONE));
        String faults = variables.getOrDefault("PLATEAU_FAULT", "");
        for (String fault : faults.isEmpty() ? new String[0] : faults.split(",", -1)) {
            if (!FAULT.matcher(fault).matches() || Integer.parseInt(fault.split(":")[1]) < 1) {
                throw new IllegalArgumentException(
                        "PLATEAU_FAULT: '%s' is not function:n:code, as in cuMemAlloc:3:2 for the third call"
                                .formatted(printable(fault)));
            }
        }
    }

    private static void requireNumber(Map<String, String> variables, String name, int least, BigInteger most) {
        String value = variables.getOrDefault(name, "");
        if (!value.isEmpty()
                && !(NUMBER.matcher(value).matches()
                        && new BigInteger(value).compareTo(BigInteger.valueOf(least)) >= 0
                        && new BigInteger(value).compareTo(most) <= 0)) {
            throw new IllegalArgumentException("%s is '%s': it must be a whole number from %d to %d"
                    .formatted(name, printable(value), least, most));
        }
    }

    /** One line, whatever the value holds. */
    private static String printable(String value) {
        return value.replaceAll("\\p{Cntrl}", "?");
    }
}
