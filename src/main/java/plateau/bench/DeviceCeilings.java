package plateau.bench;

import java.util.List;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Profiler;
import plateau.cuda.Work;
import plateau.kernel.Counter;
import plateau.kernel.Dense;

/**
 * What a device does at its best, measured: a large matrix product; copies of as much memory as a
 * step touches, which may well lie in a cache; and a kernel that does next to nothing. On a GPU the
 * copies are so large that what is measured is memory, or, where what a step touches fits the L2
 * cache, that cache.
 *
 * @param operationsPerNanosecond of the product, on all of the device
 * @param bytesPerNanosecond that the copies read and write
 * @param copiedBytes that a copy reads and writes
 * @param launchNanoseconds of the kernel that does nothing, in a graph
 */
public record DeviceCeilings(
        double operationsPerNanosecond, double bytesPerNanosecond, long copiedBytes, double launchNanoseconds) {
    private static final int CPU_EDGE = 1024;
    private static final int GPU_EDGE = 4096;
    private static final long LEAST_BYTES = 1 << 12;
    private static final long BYTES_OF_GPU_MEMORY = 512L << 20;
    private static final int REPETITIONS = 5;
    private static final int LAUNCHES = 200;

    /** Measures, for steps that touch so many bytes. */
    public static DeviceCeilings measure(Device device, double bytes) {
        long copied = Math.max(LEAST_BYTES, copied(device, bytes)) / 8 * 8;
        return new DeviceCeilings(
                productRate(device, device.isCpu() ? CPU_EDGE : GPU_EDGE),
                copyRate(device, copied / 2),
                copied,
                launch(device));
    }

    private static long copied(Device device, double bytes) {
        if (device.isCpu()) {
            return (long) bytes;
        }
        long cache = device.level2CacheBytes();
        return bytes < cache / 2.0 ? cache / 2 : Math.min(BYTES_OF_GPU_MEMORY, device.freeMemory() / 2);
    }

    /** The time that neither arithmetic nor memory nor a launch can be faster than. */
    public double nanoseconds(Cost cost) {
        return Math.max(
                launchNanoseconds,
                Math.max(cost.operations() / operationsPerNanosecond, cost.bytes() / bytesPerNanosecond));
    }

    /** The better of the hand-written kernels and, where it is there, cuBLAS. */
    private static double productRate(Device device, int edge) {
        List<Dense.Products> paths = device.blas().isPresent()
                ? List.of(Dense.Products.KERNELS, Dense.Products.CUBLAS)
                : List.of(Dense.Products.KERNELS);
        try (DeviceBuffer a = device.upload(new float[edge * edge]);
                DeviceBuffer b = device.upload(new float[edge * edge]);
                DeviceBuffer c = device.upload(new float[edge * edge])) {
            return paths.stream()
                    .map(path -> new Dense(device, path).forward(edge, edge, edge, a, b, null, false, c))
                    .mapToDouble(product -> product.cost().operations() / nanoseconds(device, product, REPETITIONS))
                    .max()
                    .orElseThrow();
        }
    }

    private static double copyRate(Device device, long half) {
        try (DeviceBuffer source = device.allocate(half);
                DeviceBuffer target = device.allocate(half)) {
            Work copy = target.copyFrom(source);
            return copy.cost().bytes() / nanoseconds(device, copy, REPETITIONS);
        }
    }

    private static double launch(Device device) {
        try (DeviceBuffer step = device.upload(0)) {
            return nanoseconds(device, new Counter(device).advance(step), LAUNCHES);
        }
    }

    /** The fastest: whatever else runs on the machine only slows. */
    private static double nanoseconds(Device device, Work work, int repetitions) {
        return Profiler.nanoseconds(device, work, repetitions)[0];
    }
}
