package plateau.kernel;

import java.lang.System.Logger;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import plateau.cuda.CudaException;
import plateau.cuda.Device;
import plateau.cuda.DeviceArena;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Profiler;
import plateau.cuda.Stream;
import plateau.cuda.Work;

/**
 * Whether a library or the hand-written kernels compute a shape faster: measured when it is planned
 * for the first time, or known from earlier. What is measured once holds for all runs that share
 * this, on whichever of their devices, since it decides the last bits of a result. Safe for use by
 * several threads, of which one measures at a time.
 */
public final class Measurements {
    private static final Logger LOG = System.getLogger(Measurements.class.getName());

    /** A library that does not take less than this share of the kernels' time is left alone. */
    private static final double CLEARLY_LESS = 0.9;

    /** In each graph that is timed. */
    private static final int REPETITIONS = 16;

    /** Each is timed so often, in turn. */
    private static final int ROUNDS = 3;

    private static final double NANOSECONDS_PER_MICROSECOND = 1e3;

    private final SortedMap<String, Measured> known;

    /**
     * A shape's times.
     *
     * @param byLibrary whether the library computes it
     * @param kernels microseconds that the kernels take
     * @param library microseconds that the library takes
     */
    public record Measured(boolean byLibrary, double kernels, double library) {
        static Measured of(double kernels, double library) {
            return new Measured(library < CLEARLY_LESS * kernels, kernels, library);
        }
    }

    /** Nothing is known yet. */
    public Measurements() {
        this(Map.of());
    }

    /** This is known, by shape. */
    public Measurements(Map<String, Measured> known) {
        this.known = new TreeMap<>(known);
    }

    /** All that is known now, by shape. */
    public synchronized SortedMap<String, Measured> all() {
        return Collections.unmodifiableSortedMap(new TreeMap<>(known));
    }

    /** Memory for a measurement, given back after it. */
    static final class Scratch {
        private final DeviceArena arena;
        private final Stream stream;

        private Scratch(DeviceArena arena, Stream stream) {
            this.arena = arena;
            this.stream = stream;
        }

        /** So many bytes, all 0. */
        DeviceBuffer zeros(long bytes) {
            DeviceBuffer buffer = arena.allocate(bytes);
            buffer.fill(0).enqueue(stream);
            stream.synchronize();
            return buffer;
        }

        /** As large as another, all 0; null for null. */
        DeviceBuffer like(DeviceBuffer buffer) {
            return buffer == null ? null : zeros(buffer.bytes());
        }
    }

    /**
     * A library, where it is to compute a shape; measures both where that is not known. Where there
     * is no memory for that, the kernels are to.
     *
     * @param shape in words, the same for all that takes the same time
     * @param name the library's
     * @param open opens the library where it may be the faster one; empty: it is not there
     * @param byKernels and
     * @param byLibrary prepare it on memory of their own
     */
    synchronized <L> Optional<L> faster(
            Device device,
            String shape,
            String name,
            Supplier<Optional<L>> open,
            Function<Scratch, Work> byKernels,
            BiFunction<L, Scratch, Work> byLibrary) {
        Measured earlier = known.get(shape);
        if (earlier != null) {
            return earlier.byLibrary ? open.get() : Optional.empty();
        }
        return open.get()
                .filter(library ->
                        libraryWins(device, shape, name, byKernels, scratch -> byLibrary.apply(library, scratch)));
    }

    private boolean libraryWins(
            Device device,
            String shape,
            String name,
            Function<Scratch, Work> byKernels,
            Function<Scratch, Work> byLibrary) {
        Measured measured;
        try {
            measured = device.within(() -> measure(device, byKernels, byLibrary));
        } catch (CudaException e) {
            if (!e.saysThatMemoryRanOut()) {
                throw e;
            }
            return false;
        }
        known.put(shape, measured);
        LOG.log(
                Logger.Level.INFO,
                "%s: the kernels take %.1f us, %s takes %.1f: %s"
                        .formatted(
                                shape,
                                measured.kernels,
                                name,
                                measured.library,
                                measured.byLibrary ? name + " computes it" : "the kernels do"));
        return measured.byLibrary;
    }

    private static Measured measure(
            Device device, Function<Scratch, Work> byKernels, Function<Scratch, Work> byLibrary) {
        try (DeviceArena arena = new DeviceArena(device);
                Stream stream = device.createStream()) {
            Scratch scratch = new Scratch(arena, stream);
            Work kernels = byKernels.apply(scratch);
            Work library = byLibrary.apply(scratch);
            double fastestKernels = Double.POSITIVE_INFINITY;
            double fastestLibrary = Double.POSITIVE_INFINITY;
            for (int round = 0; round < ROUNDS; round++) {
                fastestKernels = Math.min(fastestKernels, median(device, kernels));
                fastestLibrary = Math.min(fastestLibrary, median(device, library));
            }
            return Measured.of(fastestKernels, fastestLibrary);
        }
    }

    /** In microseconds. */
    private static double median(Device device, Work work) {
        double[] samples = Profiler.nanoseconds(device, work, REPETITIONS);
        return samples[samples.length / 2] / NANOSECONDS_PER_MICROSECOND;
    }
}
