package plateau.check;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Releases;
import plateau.cuda.Work;

/**
 * One launch with its inputs, and what a reference says comes out. The outputs' memory is NaN
 * before, and is surrounded by words that must not change.
 */
final class KernelCase implements AutoCloseable {
    /** Bytes before and behind each output. */
    private static final int GUARD = 256;

    /** Of no number, whether they are read as a float or a double. */
    private static final byte NOT_A_NUMBER = -1;

    /** Below which what a kernel should make 0 is 0. */
    private static final double NOTHING = 1e-6;

    private final Device device;
    private final List<DeviceBuffer> open = new ArrayList<>();
    private final List<Output> outputs = new ArrayList<>();
    private String shape = "";
    private String golden;
    private Work work;

    /** Memory with its guards, how much lies between them, and what judges it. */
    private record Output(String name, DeviceBuffer whole, int bytes, Function<ByteBuffer, Finding> judge) {}

    /** A case without anything, which whoever makes it closes, whether or not it comes to more. */
    KernelCase(Device device) {
        this.device = device;
    }

    Device device() {
        return device;
    }

    /** @param drawn what was drawn, for messages */
    void shape(String drawn) {
        shape = drawn;
    }

    DeviceBuffer input(float... values) {
        return keep(device.upload(values));
    }

    DeviceBuffer input(int... values) {
        return keep(device.upload(values));
    }

    DeviceBuffer input(long... values) {
        return keep(device.upload(values));
    }

    DeviceBuffer input(byte... values) {
        return keep(device.upload(words(Arrays.copyOf(values, Math.ceilDiv(values.length, 4) * 4))));
    }

    DeviceBuffer input(double... values) {
        return keep(device.upload(words(bytes(values))));
    }

    /** Memory that nobody looks at afterwards. */
    DeviceBuffer scratch(long bytes) {
        int[] words = new int[Math.toIntExact(Math.ceilDiv(bytes, Integer.BYTES))];
        Arrays.fill(words, NOT_A_NUMBER);
        return keep(device.upload(words));
    }

    /** An output of floats, right to a tolerance relative to the largest of them. */
    DeviceBuffer output(String what, double[] expected, double tolerance) {
        return output(what, expected, tolerance, NOTHING);
    }

    /** Likewise, of what is left of terms of that size, which may cancel. */
    DeviceBuffer output(String what, double[] expected, double tolerance, double largestTerm) {
        return floats(what, null, expected, alike(expected.length, tolerance * scale(expected, largestTerm)));
    }

    /** An output of sums, right to a tolerance relative to the magnitudes of their terms. */
    DeviceBuffer output(String what, Sums expected, double tolerance) {
        return outputOver(what, null, expected, tolerance);
    }

    /** Likewise, over what lies there before, which is one of the terms or is replaced. */
    DeviceBuffer outputOver(String what, float[] before, Sums expected, double tolerance) {
        return floats(what, before, expected.values(), expected.allowed(tolerance));
    }

    /**
     * An output that holds values before, which the kernel updates: what cancels leaves errors
     * relative to those.
     */
    DeviceBuffer outputOver(String what, float[] before, double[] expected, double tolerance) {
        double scale = scale(expected, scale(doubles(before), NOTHING));
        return floats(what, before, expected, alike(expected.length, tolerance * scale));
    }

    /**
     * An output of floats.
     *
     * @param before what lies there; null for NaN
     * @param allowed how far each may be from what is expected; 0 where the bits are known,
     *     infinity where any number will do
     */
    DeviceBuffer floats(String what, float[] before, double[] expected, double[] allowed) {
        return numbers(
                what, Float.BYTES, before == null ? null : bytes(before), expected, allowed, at -> at.getFloat());
    }

    /** Likewise, of doubles. */
    DeviceBuffer doubles(String what, double[] before, double[] expected, double[] allowed) {
        return numbers(
                what, Double.BYTES, before == null ? null : bytes(before), expected, allowed, at -> at.getDouble());
    }

    private DeviceBuffer numbers(
            String what,
            int size,
            byte[] before,
            double[] expected,
            double[] allowed,
            Function<ByteBuffer, ? extends Number> next) {
        return guarded(what, expected.length * size, before, got -> {
            Finding worst = Finding.NONE;
            for (int i = 0; i < expected.length; i++) {
                Number value = next.apply(got);
                double error = error(value.doubleValue(), expected[i], allowed[i]);
                if (error > worst.error()) {
                    worst = new Finding(error, "%s[%d] is %s, not %s".formatted(what, i, value, expected[i]));
                }
            }
            return worst;
        });
    }

    /** In units of what is allowed; infinite for what is no number. */
    private static double error(double got, double want, double allowed) {
        if (got == want) {
            return 0;
        }
        double error = Math.abs(got - want) / allowed;
        return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
    }

    /** An output that must hold exactly these bytes. */
    DeviceBuffer exactly(String what, byte... expected) {
        return guarded(what, expected.length, null, got -> {
            byte[] all = new byte[expected.length];
            got.get(all);
            int at = Arrays.mismatch(all, expected);
            return at < 0
                    ? Finding.NONE
                    : Finding.wrong("%s: byte %d is %02x, not %02x".formatted(what, at, all[at], expected[at]));
        });
    }

    /** An output that must hold exactly these 32-bit words. */
    DeviceBuffer exactly(String what, int... expected) {
        return exactly(what, null, expected);
    }

    /** Likewise, over what lies there before; null for none. */
    DeviceBuffer exactly(String what, int[] before, int[] expected) {
        return guarded(what, expected.length * Integer.BYTES, before == null ? null : bytes(before), got -> {
            int[] all = new int[expected.length];
            got.asIntBuffer().get(all);
            int at = Arrays.mismatch(all, expected);
            return at < 0
                    ? Finding.NONE
                    : Finding.wrong("%s[%d] is %d, not %d".formatted(what, at, all[at], expected[at]));
        });
    }

    /**
     * A ring of rows of metrics. The kernel writes row step mod slots of it, the step first, and
     * nothing else.
     *
     * @param allowed how far each metric may be from what is expected
     */
    DeviceBuffer ring(int slots, int step, double[] metrics, double[] allowed) {
        int words = metrics.length + 1, first = step % slots * words;
        float[] before = new float[slots * words];
        double[] after = new double[before.length], all = new double[before.length];
        for (int i = 0; i < before.length; i++) {
            before[i] = i + 0.5f;
            after[i] = before[i];
        }
        after[first] = Float.intBitsToFloat(step);
        System.arraycopy(metrics, 0, after, first + 1, metrics.length);
        System.arraycopy(allowed, 0, all, first + 1, metrics.length);
        return floats("ring", before, after, all);
    }

    /** Likewise, right to a tolerance relative to the largest of the metrics. */
    DeviceBuffer ring(int slots, int step, double[] metrics, double tolerance) {
        return ring(slots, step, metrics, alike(metrics.length, tolerance * scale(metrics, NOTHING)));
    }

    /** An output of which {@link #golden} knows the bits. */
    DeviceBuffer bits(String what, long bytes) {
        return guarded(what, Math.toIntExact(bytes), null, _ -> Finding.NONE);
    }

    /**
     * What the outputs must hold on every device.
     *
     * @param sha256 of all outputs' bytes, one after the other
     */
    void golden(String sha256) {
        golden = sha256;
    }

    void runs(Work launch) {
        work = launch;
    }

    Work work() {
        return work;
    }

    String shape() {
        return shape;
    }

    /** Looks at the outputs, once what is launched has run. */
    Finding judge() {
        MessageDigest digest = sha256();
        Finding worst = Finding.NONE;
        for (Output output : outputs) {
            byte[] all = bytes(output.whole.toInts());
            int end = GUARD + output.bytes;
            if (!isNotNumbers(all, 0, GUARD) || !isNotNumbers(all, end, all.length)) {
                return Finding.wrong(output.name + ": something was written outside of it");
            }
            worst = worst.or(output.judge.apply(
                    ByteBuffer.wrap(Arrays.copyOfRange(all, GUARD, end)).order(ByteOrder.LITTLE_ENDIAN)));
            digest.update(all, GUARD, output.bytes);
        }
        if (golden != null) {
            String got = HexFormat.of().formatHex(digest.digest());
            worst = worst.or(
                    got.equals(golden) ? Finding.NONE : Finding.wrong("the SHA-256 is " + got + ", not " + golden));
        }
        return worst;
    }

    private static boolean isNotNumbers(byte[] all, int from, int to) {
        for (int i = from; i < to; i++) {
            if (all[i] != NOT_A_NUMBER) {
                return false;
            }
        }
        return true;
    }

    /** @param before what lies there; null for no number */
    private DeviceBuffer guarded(String what, int bytes, byte[] before, Function<ByteBuffer, Finding> judge) {
        byte[] all = new byte[Math.ceilDiv(bytes, Integer.BYTES) * Integer.BYTES + 2 * GUARD];
        Arrays.fill(all, NOT_A_NUMBER);
        if (before != null) {
            System.arraycopy(before, 0, all, GUARD, before.length);
        }
        DeviceBuffer whole = keep(device.upload(words(all)));
        outputs.add(new Output(what, whole, bytes, judge));
        return whole.slice(GUARD, bytes);
    }

    private DeviceBuffer keep(DeviceBuffer buffer) {
        open.add(buffer);
        return buffer;
    }

    private static double scale(double[] values, double least) {
        return Math.max(least, DoubleStream.of(values).map(Math::abs).max().orElse(0));
    }

    private static double[] alike(int count, double value) {
        double[] values = new double[count];
        Arrays.fill(values, value);
        return values;
    }

    private static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    private static ByteBuffer room(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer all = room(values.length * Float.BYTES);
        all.asFloatBuffer().put(values);
        return all.array();
    }

    private static byte[] bytes(double[] values) {
        ByteBuffer all = room(values.length * Double.BYTES);
        all.asDoubleBuffer().put(values);
        return all.array();
    }

    private static byte[] bytes(int[] values) {
        ByteBuffer all = room(values.length * Integer.BYTES);
        all.asIntBuffer().put(values);
        return all.array();
    }

    /** Bytes as they lie in memory. */
    private static int[] words(byte[] bytes) {
        int[] words = new int[bytes.length / Integer.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(words);
        return words;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        Releases.all(open.stream().<Runnable>map(buffer -> buffer::close).toList());
    }
}
