package plateau.bench;

import java.util.List;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Profiler;
import plateau.cuda.Work;
import plateau.kernel.Dense;

/**
 * What a device does at its best, measured: a large matrix product, and copies of as much memory as
 * a step touches, which may well lie in a cache.
 *
 * @param operationsPerNanosecond of the product, on all of the device
 * @param bytesPerNanosecond that the copies read and write
 */
public record DeviceCeilings(double operationsPerNanosecond, double bytesPerNanosecond) {
    private static final int EDGE = 1024;
    private static final long LEAST_BYTES = 1 << 12;
    private static final int REPETITIONS = 5;

    /** Measures, with copies that touch so many bytes. */
    public static DeviceCeilings measure(Device device, double bytes) {
        return new DeviceCeilings(productRate(device), copyRate(device, Math.max(LEAST_BYTES, (long) bytes / 8 * 4)));
    }

    /** The time that neither arithmetic nor memory can be faster than. */
    public double nanoseconds(Cost cost) {
        return Math.max(cost.operations() / operationsPerNanosecond, cost.bytes() / bytesPerNanosecond);
    }

    /** The better of the hand-written kernels and, where it is there, cuBLAS. */
    private static double productRate(Device device) {
        List<Dense.Products> paths = device.blas().isPresent()
                ? List.of(Dense.Products.KERNELS, Dense.Products.CUBLAS)
                : List.of(Dense.Products.KERNELS);
        try (DeviceBuffer a = device.upload(new float[EDGE * EDGE]);
                DeviceBuffer b = device.upload(new float[EDGE * EDGE]);
                DeviceBuffer c = device.upload(new float[EDGE * EDGE])) {
            return paths.stream()
                    .map(path -> new Dense(device, path).forward(EDGE, EDGE, EDGE, a, b, null, false, c))
                    .mapToDouble(product -> product.cost().operations() / nanoseconds(device, product))
                    .max()
                    .orElseThrow();
        }
    }

    private static double copyRate(Device device, long half) {
        try (DeviceBuffer source = device.allocate(half);
                DeviceBuffer target = device.allocate(half)) {
            Work copy = target.copyFrom(source);
            return copy.cost().bytes() / nanoseconds(device, copy);
        }
    }

    /** The fastest: whatever else runs on the machine only slows. */
    private static double nanoseconds(Device device, Work work) {
        return Profiler.nanoseconds(device, work, REPETITIONS)[0];
    }
}
