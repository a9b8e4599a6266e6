package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** Data of the parity experiment, section 2.1 ({@code kernels/data/parity.cu}). */
public final class ParityData {
    private static final int SAMPLES_PER_BLOCK = 64;
    private static final int THREADS = 256;

    private final KernelModule module;

    /** Loads the kernels. */
    public ParityData(Device device) {
        module = device.module("data/parity");
    }

    /** Words of bits that a subset of d coordinates takes. */
    public static int subsetWords(int d) {
        return Math.ceilDiv(d, Integer.SIZE);
    }

    /**
     * A batch: x(n, d) uniform in {−1, +1} and y(n), the product of x over the subset.
     *
     * @param step one uint32: batches of different steps are independent
     * @param subset {@link #subsetWords} words, bit i of word j for coordinate 32 j + i
     */
    public Work batch(
            int n,
            int d,
            DeviceBuffer seed,
            int stream,
            DeviceBuffer step,
            DeviceBuffer subset,
            DeviceBuffer x,
            DeviceBuffer y) {
        Buffers.of("ParityData.batch")
                .longs("seed", seed, 1)
                .ints("step", step, 1)
                .ints("subset", subset, subsetWords(d))
                .floats("x", x, n, d)
                .floats("y", y, n);
        return module.replicated("parity_batch")
                .cooperative(
                        Dim.of(Math.ceilDiv(n, SAMPLES_PER_BLOCK)), THREADS, n, d, seed, stream, step, subset, x, y);
    }

    /**
     * The hidden subset.
     *
     * @param size how many coordinates it has; negative: each with probability ½
     */
    public Work subset(int d, int size, DeviceBuffer seed, int stream, DeviceBuffer subset) {
        Buffers.of("ParityData.subset").longs("seed", seed, 1).ints("subset", subset, subsetWords(d));
        return module.replicated("parity_subset").elementwise(1, d, size, seed, stream, subset);
    }
}
