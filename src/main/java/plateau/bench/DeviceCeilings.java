package plateau.bench;

import java.util.List;
import jcuda.driver.CUdevice_attribute;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Profiler;
import plateau.cuda.Work;
import plateau.kernel.Counter;
import plateau.kernel.Dense;

/**
 * What a device does at its best, measured: a large matrix product, copies of memory that lies where
 * a step's does, in a cache or not, and the smallest kernel that there is.
 *
 * @param operationsPerNanosecond of the product, on all of the device
 * @param bytesPerNanosecond that the copies read and write
 * @param nodeNanoseconds that a kernel of one thread takes in a graph
 */
public record DeviceCeilings(double operationsPerNanosecond, double bytesPerNanosecond, double nodeNanoseconds) {
    private static final int CPU_EDGE = 1024;
    private static final int GPU_EDGE = 4096;

    /** Bytes on a GPU that no cache holds. */
    private static final long LARGE = 256 << 20;
    private static final long LEAST_BYTES = 1 << 12;
    private static final int REPETITIONS = 5;
    private static final int NODES = 200;

    /** Measures for a step that touches so many bytes. */
    public static DeviceCeilings measure(Device device, double bytes) {
        return new DeviceCeilings(
                productRate(device, device.isCpu() ? CPU_EDGE : GPU_EDGE),
                copyRate(device, Math.max(LEAST_BYTES, copied(device, (long) bytes) / 8 * 4)),
                nodeTime(device));
    }

    /**
     * What a copy reads and writes: on a CPU, where it starts in no time, as much as a step. On a
     * GPU, where a copy of a step's bytes would be one of how long a node takes, half the cache
     * where these fit in there, and else what no cache holds.
     */
    private static long copied(Device device, long bytes) {
        if (device.isCpu()) {
            return bytes;
        }
        long cache = device.attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
        return bytes < cache / 2 ? cache / 2 : LARGE;
    }

    /** The time that arithmetic, memory and the launch itself cannot be faster than. */
    public double nanoseconds(Cost cost) {
        return Math.max(
                nodeNanoseconds,
                Math.max(cost.operations() / operationsPerNanosecond, cost.bytes() / bytesPerNanosecond));
    }

    private static double nodeTime(Device device) {
        try (DeviceBuffer step = device.upload(0)) {
            return Profiler.nanoseconds(device, new Counter(device).advance(step), NODES)[0];
        }
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
