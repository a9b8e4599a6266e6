package plateau.cuda;

import java.util.List;
import java.util.Optional;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

/** A kernel on a device, and the shapes it is launched in. */
public final class Kernel {
    /** Threads in a block of an elementwise kernel. */
    private static final int ELEMENTWISE_THREADS = 256;

    /** Makes the handle's value readable. */
    static final class Function extends CUfunction {
        long value() {
            return getNativePointer();
        }
    }

    private final Device device;
    private final String name;
    private final Function function;
    private final int maxThreads;
    private final Signature signature;
    private final boolean replicated;

    Kernel(Device device, String name, Function function, boolean replicated) {
        this.device = device;
        this.name = name;
        this.function = function;
        this.maxThreads = attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
        Signature all = Signature.read(name, function.value());
        this.signature = replicated ? all.withoutStride(name) : all;
        this.replicated = replicated;
    }

    /** The kernel's name. */
    public String name() {
        return name;
    }

    /** The largest block it can be launched with: 1 for a cooperative kernel of the CPU driver. */
    public int maxThreadsPerBlock() {
        return maxThreads;
    }

    /** Registers per thread; 0 on the CPU driver. */
    public int registers() {
        return attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_NUM_REGS);
    }

    /** Bytes of {@code __shared__} arrays per block; 0 on the CPU driver. */
    public int staticSharedBytes() {
        return attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
    }

    /**
     * Bytes of each parameter that a launch gives an argument for; empty where the driver does not
     * tell, before CUDA 12.4.
     */
    public Optional<List<Integer>> parameterBytes() {
        return signature.bytes();
    }

    private int attribute(int which) {
        int[] value = new int[1];
        device.within(() -> CudaException.check(
                "cuFuncGetAttribute(" + name + ")", JCudaDriver.cuFuncGetAttribute(value, which, function)));
        return value[0];
    }

    /**
     * A prepared launch.
     *
     * @param grid blocks
     * @param blockThreads threads in a block
     * @param arguments a {@link DeviceBuffer} or null for a pointer, Integer, Long, Float or Double
     *     for a value, in the kernel's order and types
     * @throws IllegalArgumentException if there are too many or too few, or one has not the bytes
     *     of the kernel's parameter; the driver does not tell an int from a float, nor a pointer
     *     from a long or a double
     */
    public Launch launch(Dim grid, int blockThreads, Object... arguments) {
        return new Launch(this, grid, blockThreads, arguments);
    }

    /** A launch with one thread per element. */
    public Launch elementwise(long elements, Object... arguments) {
        return launch(Dim.of(blocks(elements, ELEMENTWISE_THREADS)), ELEMENTWISE_THREADS, arguments);
    }

    /**
     * A launch of a cooperative kernel with the preferred block, or the largest the kernel allows.
     */
    public Launch cooperative(Dim grid, int preferredThreads, Object... arguments) {
        return launch(grid, Math.min(preferredThreads, maxThreads), arguments);
    }

    private static int blocks(long elements, int threads) {
        return Math.toIntExact(Math.max(1, (elements + threads - 1) / threads));
    }

    Signature signature() {
        return signature;
    }

    boolean replicated() {
        return replicated;
    }

    long handle() {
        return function.value();
    }

    Device device() {
        return device;
    }
}
