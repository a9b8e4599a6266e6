package plateau.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/** The kernels of one file, loaded on a device. */
public final class Module {
    /** A fatbin begins with this, a version and the header's size (16 bits each) and the size of what follows (64 bits): CUDA's fatbinary_section.h. */
    private static final int FATBIN_MAGIC = 0xba55ed50;

    private static final int FATBIN_HEADER = 16;

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

    private Module(Device device, String name) {
        this.device = device;
        this.name = name;
    }

    /** Loads an image: an ELF shared object for the CPU driver, a fatbin or PTX for NVIDIA's. */
    static Module load(Device device, String name, byte[] image) {
        Module loaded = new Module(device, name);
        requireWhole(name, image);
        byte[] terminated = java.util.Arrays.copyOf(image, image.length + 1); // PTX ends with a zero byte
        CudaException.check("cuModuleLoadData(" + name + ")", JCudaDriver.cuModuleLoadData(loaded.module, terminated));
        return loaded;
    }

    /** cuModuleLoadData is not told the image's size, so a truncated one must not get that far. */
    private static void requireWhole(String name, byte[] image) {
        ByteBuffer header = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        boolean fatbin = image.length >= FATBIN_HEADER && header.getInt(0) == FATBIN_MAGIC;
        boolean elf = image.length >= 64 && image[0] == 0x7f && image[1] == 'E' && image[2] == 'L' && image[3] == 'F';
        boolean text = image.length > 0 && image[0] == '/' || image.length > 0 && image[0] == '.';
        if (fatbin) {
            requireLength(name, image, header.getShort(6) + header.getLong(8));
        } else if (elf) {
            requireLength(name, image, header.getLong(0x28) + (long) header.getShort(0x3a) * header.getShort(0x3c));
        } else if (!text && image.length < 64) {
            throw new NativeFileException("the kernel image '" + name + "' is truncated: " + image.length + " bytes; build or download the program again");
        }
    }

    private static void requireLength(String name, byte[] image, long whole) {
        if (image.length < whole) {
            throw new NativeFileException("the kernel image '" + name + "' is truncated: " + image.length + " of " + whole + " bytes; build or download the program again");
        }
    }

    /**
     * A kernel by name.
     *
     * @throws CudaException if the module has none of that name
     */
    public synchronized Kernel kernel(String kernelName) {
        return kernels.computeIfAbsent(kernelName, wanted -> {
            Kernel.Function function = new Kernel.Function();
            CudaException.check("cuModuleGetFunction(" + name + ", " + wanted + ")", JCudaDriver.cuModuleGetFunction(function, module, wanted));
            return new Kernel(device, wanted, function);
        });
    }

    /** A {@code __constant__} variable of the module. */
    public DeviceBuffer global(String variable) {
        Address pointer = new Address();
        long[] bytes = new long[1];
        CudaException.check("cuModuleGetGlobal(" + name + ", " + variable + ")", JCudaDriver.cuModuleGetGlobal(pointer, bytes, module, variable));
        return DeviceBuffer.global(device, pointer, pointer.value(), bytes[0]);
    }

    /** Its status is of no interest: a module that a lost context does not give back goes with the context. */
    void unload() {
        JCudaDriver.cuModuleUnload(module);
    }
}
