package plateau.cuda.load;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which device to run on.
 *
 * @param kind auto, CPU or CUDA
 * @param ordinal index among the CUDA devices; 0 otherwise
 */
public record DeviceSelector(Kind kind, int ordinal) {
    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");

    /** The kinds of device. */
    public enum Kind {
        /** CUDA where a driver and a device are found, else the CPU. */
        AUTO,
        /** This project's CPU driver. */
        CPU,
        /** NVIDIA's driver. */
        CUDA
    }

    /**
     * Reads {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:i}.
     *
     * @throws IllegalArgumentException if the text is none of these
     */
    public static DeviceSelector parse(String text) {
        Matcher cuda = CUDA.matcher(text);
        if (cuda.matches()) {
            return new DeviceSelector(Kind.CUDA, cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
        }
        return switch (text) {
            case "auto" -> new DeviceSelector(Kind.AUTO, 0);
            case "cpu" -> new DeviceSelector(Kind.CPU, 0);
            default ->
                throw new IllegalArgumentException("unknown device '" + text + "': use auto, cpu, cuda or cuda:N");
        };
    }

    @Override
    public String toString() {
        return kind == Kind.CUDA ? "cuda:" + ordinal : kind.name().toLowerCase(Locale.ROOT);
    }
}
