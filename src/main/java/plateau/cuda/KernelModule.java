package plateau.cuda;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/** The kernels of one file, loaded on a device. */
public final class KernelModule {
    /** Makes the pointer's value readable. */
    private static final class Address extends CUdeviceptr {
        long value() {
            return getNativePointer();
        }
    }

    private final Device device;
    private final String name;
    private final CUmodule module = new CUmodule();
    private final Map<String, Kernel> kernels = new HashMap<>();

    private KernelModule(Device device, String name) {
        this.device = device;
        this.name = name;
    }

    /** Loads an image: an ELF shared object for the CPU driver, a fatbin or PTX for NVIDIA's. */
    static KernelModule load(Device device, String name, byte[] image) {
        KernelModule loaded = new KernelModule(device, name);
        byte[] terminated = Arrays.copyOf(image, image.length + 1); // PTX ends with a zero byte
        device.within(() -> CudaException.check(
                "cuModuleLoadData(" + name + ")", JCudaDriver.cuModuleLoadData(loaded.module, terminated)));
        return loaded;
    }

    /**
     * A kernel by name.
     *
     * @throws CudaException if the module has none of that name
     */
    public Kernel kernel(String kernelName) {
        return kernel(kernelName, false);
    }

    /**
     * Likewise one whose last parameter is the distance between replicas, {@code long long
     * replica_stride}, which moves its pointers as {@code to_replica} in kernels/common.cuh does.
     * Launches add that argument, and work on all replicas of their buffers at once.
     */
    public Kernel replicated(String kernelName) {
        return kernel(kernelName, true);
    }

    private synchronized Kernel kernel(String kernelName, boolean replicated) {
        return kernels.computeIfAbsent(
                kernelName + (replicated ? " in replicas" : ""),
                _ -> device.within(() -> {
                    Kernel.Function function = new Kernel.Function();
                    CudaException.check(
                            "cuModuleGetFunction(" + name + ", " + kernelName + ")",
                            JCudaDriver.cuModuleGetFunction(function, module, kernelName));
                    return new Kernel(device, kernelName, function, replicated);
                }));
    }

    /** A {@code __constant__} variable of the module. */
    public DeviceBuffer global(String variable) {
        Address pointer = new Address();
        long[] bytes = new long[1];
        device.within(() -> CudaException.check(
                "cuModuleGetGlobal(" + name + ", " + variable + ")",
                JCudaDriver.cuModuleGetGlobal(pointer, bytes, module, variable)));
        return DeviceBuffer.global(device, pointer, pointer.value(), bytes[0]);
    }

    void unload() {
        device.within(() -> CudaException.check("cuModuleUnload(" + name + ")", JCudaDriver.cuModuleUnload(module)));
    }
}
