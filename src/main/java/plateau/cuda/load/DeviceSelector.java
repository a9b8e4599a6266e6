package plateau.cuda.load;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which device to run on.
 *
 * @param kind auto, CPU or CUDA
 * @param ordinal index among the devices of that kind; 0 for auto
 */
public record DeviceSelector(Kind kind, int ordinal) {
    private static final Pattern NUMBERED = Pattern.compile("(cpu|cuda)(?::(\\d{1,4}))?");

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
     * Reads {@code auto}, {@code cpu}, {@code cpu:i}, {@code cuda} or {@code cuda:i}.
     *
     * @throws IllegalArgumentException if the text is none of these
     */
    public static DeviceSelector parse(String text) {
        if (text.equals("auto")) {
            return new DeviceSelector(Kind.AUTO, 0);
        }
        Matcher numbered = NUMBERED.matcher(text);
        if (!numbered.matches()) {
            throw new IllegalArgumentException("unknown device '" + text + "': use auto, cpu, cuda, cpu:N or cuda:N");
        }
        return new DeviceSelector(
                numbered.group(1).equals("cpu") ? Kind.CPU : Kind.CUDA,
                numbered.group(2) == null ? 0 : Integer.parseInt(numbered.group(2)));
    }

    @Override
    public String toString() {
        String name = kind.name().toLowerCase(Locale.ROOT);
        return kind == Kind.CUDA || ordinal > 0 ? name + ":" + ordinal : name;
    }
}
