package plateau.cuda.load;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** What this machine has of all that the program can use. */
public final class Inventory {
    private Inventory() {}

    /**
     * One thing the program can use, and where it stands.
     *
     * @param name what it is
     * @param found whether it is there
     * @param detail where and which version, or what to do to get it
     */
    public record Finding(String name, boolean found, String detail) {}

    /**
     * What is on this machine, without opening a device. All libraries of this build are extracted.
     */
    public static List<Finding> take(DeviceOptions options) {
        return List.of(
                Glibc.finding(),
                nvidiaDriver(options),
                nvidia(NvidiaLibrary.CUBLAS, options.libcublas(), "cuBLAS", "matrix products"),
                nvidia(NvidiaLibrary.CUDNN, options.libcudnn(), "cuDNN", "convolutions"),
                ours("CPU driver", "libcuda.so.1", "", () -> ", kernels for " + CpuLevel.ofThisMachine()),
                ours(
                        "CPU cuBLAS",
                        "libcublas.so.12",
                        "; the hand-written kernels do the matrix products",
                        () -> ", this project's, over oneDNN"),
                ours(
                        "CPU cuDNN",
                        "libcudnn.so.9",
                        "; the hand-written kernels do the convolutions",
                        () -> ", this project's, over oneDNN"),
                ours("CUDA 13's cuBLAS", "forward/libcublas.so.12", "", () -> ", the forwarder to it"),
                NvtxLibrary.finding(),
                GpuImages.machineCode(),
                GpuImages.ptx());
    }

    private static Finding nvidiaDriver(DeviceOptions options) {
        NvidiaDriver driver = NvidiaDriver.find(options.libcuda());
        return new Finding(
                "NVIDIA driver",
                driver.isFound(),
                driver.isFound()
                        ? driver.library() + ", " + driver.explanation()
                        : driver.explanation() + "; to use a GPU, install the NVIDIA driver, " + GpuImages.driver());
    }

    private static Finding nvidia(NvidiaLibrary library, Optional<Path> named, String title, String otherwise) {
        if (named.isPresent()) { // which may need the driver of a device: it is loaded with one
            return new Finding("NVIDIA " + title, true, named.get() + ", as named; what came of it is said below");
        }
        LibrarySearch search = library.find();
        return new Finding(
                "NVIDIA " + title,
                search.file().isPresent(),
                search.file().isPresent()
                        ? search.words() + (search.isForwarded() ? ", through the forwarder" : "")
                        : search.words() + "; on a GPU the hand-written kernels do the " + otherwise);
    }

    private static Finding ours(String name, String library, String otherwise, Supplier<String> more) {
        try {
            return new Finding(name, true, NativeFiles.library(library) + more.get());
        } catch (NativeFileException e) {
            return new Finding(name, false, e.getMessage() + otherwise);
        }
    }
}
