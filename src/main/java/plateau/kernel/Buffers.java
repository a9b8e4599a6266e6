package plateau.kernel;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.stream.Collectors;
import plateau.cuda.DeviceBuffer;

/**
 * Compares the buffers that a launcher is given with the shapes it needs, when a launch is
 * prepared: a kernel does not know how large its buffers are, and writes past the end of one that
 * is too small. Each check throws an IllegalArgumentException that names launcher, argument, needed
 * and given bytes.
 */
final class Buffers {
    private final String launcher;

    private Buffers(String launcher) {
        this.launcher = launcher;
    }

    /** Begins the checks of a launcher, for example {@code Dense.forward}. */
    static Buffers of(String launcher) {
        return new Buffers(launcher);
    }

    /** A buffer of at least shape[0] × shape[1] × … float32. */
    Buffers floats(String argument, DeviceBuffer buffer, long... shape) {
        return need(argument, buffer, Float.BYTES, shape);
    }

    /** Likewise, where null stands for none. */
    Buffers floatsOrNull(String argument, DeviceBuffer buffer, long... shape) {
        return buffer == null ? this : floats(argument, buffer, shape);
    }

    /** A buffer of int32 or uint32. */
    Buffers ints(String argument, DeviceBuffer buffer, long... shape) {
        return need(argument, buffer, Integer.BYTES, shape);
    }

    /** Likewise, where null stands for none. */
    Buffers intsOrNull(String argument, DeviceBuffer buffer, long... shape) {
        return buffer == null ? this : ints(argument, buffer, shape);
    }

    /** A buffer of int64 or uint64. */
    Buffers longs(String argument, DeviceBuffer buffer, long... shape) {
        return need(argument, buffer, Long.BYTES, shape);
    }

    /** A buffer of float64. */
    Buffers doubles(String argument, DeviceBuffer buffer, long... shape) {
        return need(argument, buffer, Double.BYTES, shape);
    }

    /** A buffer of bytes. */
    Buffers bytes(String argument, DeviceBuffer buffer, long... shape) {
        return need(argument, buffer, Byte.BYTES, shape);
    }

    /** The ring of a run's metrics: slots rows of 32-bit words, at least one. */
    Buffers ring(DeviceBuffer ring, int slots, int words) {
        if (slots < 1) {
            throw refused("ring", new long[] {slots, words}, "has no row");
        }
        return ints("ring", ring, slots, words);
    }

    private Buffers need(String argument, DeviceBuffer buffer, int elementBytes, long... shape) {
        if (Arrays.stream(shape).anyMatch(size -> size < 0)) {
            throw refused(argument, shape, "has a negative size");
        }
        if (buffer == null) {
            throw refused(argument, shape, "is null");
        }
        BigInteger needed = Arrays.stream(shape)
                .mapToObj(BigInteger::valueOf)
                .reduce(BigInteger.valueOf(elementBytes), BigInteger::multiply); // sizes may pass 2⁶³
        if (BigInteger.valueOf(buffer.bytes()).compareTo(needed) < 0) {
            throw refused(argument, shape, "needs " + needed + " bytes, the buffer has " + buffer.bytes());
        }
        return this;
    }

    private IllegalArgumentException refused(String argument, long[] shape, String why) {
        String sizes = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
        return new IllegalArgumentException(launcher + ": " + argument + "(" + sizes + ") " + why);
    }
}
