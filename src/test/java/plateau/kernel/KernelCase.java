package plateau.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * One kernel with its inputs, and what a float64 reference says comes out. The outputs' memory is
 * NaN before, and is surrounded by words that must not change.
 */
final class KernelCase {
    /** Words before and behind each output. */
    static final int GUARD = 64;

    /** A NaN as a float, whose bytes are all alike. */
    private static final int NOT_A_NUMBER = -1;

    private final String name;
    private final List<Output> outputs = new ArrayList<>();
    private final List<Bytes> bytes = new ArrayList<>();
    private final List<DeviceBuffer> open = new ArrayList<>();
    private final Device device;
    private Work work;

    private record Output(
            String name,
            DeviceBuffer whole,
            DeviceBuffer view,
            double[] expected,
            double tolerance,
            double leastScale) {}

    private record Bytes(String name, DeviceBuffer memory, byte[] expected) {}

    KernelCase(Device device, String name) {
        this.device = device;
        this.name = name;
    }

    DeviceBuffer input(float... values) {
        return keep(device.upload(values));
    }

    DeviceBuffer input(int... values) {
        return keep(device.upload(values));
    }

    DeviceBuffer input(byte... values) {
        return keep(device.upload(words(values, 0)));
    }

    /** Memory that nobody looks at afterwards. */
    DeviceBuffer scratch(long bytes) {
        return notNumbers(Math.ceilDiv(bytes, Integer.BYTES));
    }

    /**
     * Memory of bits that are no number, so that what a kernel does not write, or reads too early,
     * is seen.
     */
    private DeviceBuffer notNumbers(long words) {
        int[] values = new int[Math.toIntExact(words)];
        Arrays.fill(values, NOT_A_NUMBER);
        return keep(device.upload(values));
    }

    /** An output that must hold exactly these bytes. */
    DeviceBuffer output(String what, byte[] expected) {
        DeviceBuffer memory = notNumbers(words(expected, GUARD).length);
        bytes.add(new Bytes(what, memory, expected));
        return memory;
    }

    /** Bytes as they lie in memory, then some of no number. */
    private static int[] words(byte[] values, int more) {
        byte[] all = Arrays.copyOf(values, Math.ceilDiv(values.length, Integer.BYTES) * Integer.BYTES + more);
        Arrays.fill(all, values.length, all.length, (byte) NOT_A_NUMBER);
        int[] words = new int[all.length / Integer.BYTES];
        ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(words);
        return words;
    }

    /** An output that must hold the expected values, to a tolerance relative to their size. */
    DeviceBuffer output(String what, double[] expected, double tolerance) {
        return outputOver(what, null, expected, tolerance);
    }

    /**
     * An output of sums of terms around 1, which may cancel: their rounding errors are relative to
     * the terms, not to what is left of them.
     */
    DeviceBuffer sums(String what, double[] expected, double tolerance) {
        return sums(what, expected, tolerance, 1);
    }

    /** As {@link #sums}, of terms of that size at most. */
    DeviceBuffer sums(String what, double[] expected, double tolerance, double largestTerm) {
        return add(what, null, expected, tolerance, largestTerm);
    }

    /**
     * An output that holds values before, which the kernel updates: what cancels leaves errors
     * relative to those.
     */
    DeviceBuffer outputOver(String what, float[] before, double[] expected, double tolerance) {
        double leastScale = 1e-6;
        for (int i = 0; before != null && i < before.length; i++) {
            leastScale = Math.max(leastScale, Math.abs(before[i]));
        }
        return add(what, before, expected, tolerance, leastScale);
    }

    private DeviceBuffer add(String what, float[] before, double[] expected, double tolerance, double leastScale) {
        DeviceBuffer whole = notNumbers(expected.length + 2L * GUARD);
        DeviceBuffer view = whole.slice((long) GUARD * Float.BYTES, (long) expected.length * Float.BYTES);
        if (before != null) {
            view.upload(before);
        }
        outputs.add(new Output(what, whole, view, expected, tolerance, leastScale));
        return view;
    }

    private DeviceBuffer keep(DeviceBuffer buffer) {
        open.add(buffer);
        return buffer;
    }

    void runs(Work launch) {
        work = launch;
    }

    Work work() {
        return work;
    }

    String name() {
        return name;
    }

    /** The first thing wrong with the outputs, or null. */
    String complaint() {
        for (Output output : outputs) {
            float[] all = output.whole.toFloats();
            for (int i = 0; i < GUARD; i++) {
                if (!Float.isNaN(all[i]) || !Float.isNaN(all[all.length - 1 - i])) {
                    return output.name + ": something was written outside of it";
                }
            }
            double scale = output.leastScale;
            for (double value : output.expected) {
                scale = Math.max(scale, Math.abs(value));
            }
            for (int i = 0; i < output.expected.length; i++) {
                double got = all[GUARD + i], want = output.expected[i];
                if (!(Math.abs(got - want) <= output.tolerance * scale)) {
                    return "%s[%d] is %s, not %s".formatted(output.name, i, got, want);
                }
            }
        }
        for (Bytes output : bytes) {
            int[] got = output.memory.toInts(), want = words(output.expected, GUARD);
            int at = Arrays.mismatch(got, want);
            if (at >= 0) {
                return "%s: bytes from %d on are %08x, not %08x"
                        .formatted(output.name, at * Integer.BYTES, got[at], want[at]);
            }
        }
        return null;
    }

    void close() {
        open.forEach(DeviceBuffer::close);
    }
}
