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
                nvidiaCublas(),
                nvidiaCudnn(),
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
                machineCode(NativeIndex.OWN.count("fatbin")),
                ptx(NativeIndex.OWN.count("ptx")));
    }

    private static Finding nvidiaDriver(DeviceOptions options) {
        NvidiaDriver driver = NvidiaDriver.find(options.libcuda());
        return new Finding(
                "NVIDIA driver",
                driver.isFound(),
                driver.isFound()
                        ? driver.library() + ", " + driver.explanation()
                        : driver.explanation() + "; to use a GPU, install the NVIDIA driver (525 or later)");
    }

    private static Finding nvidiaCublas() {
        Optional<Path> cublas12 = Libraries.onLoaderPath("libcublas.so.12");
        Optional<Path> cublas13 = Libraries.onLoaderPath("libcublas.so.13");
        return new Finding(
                "NVIDIA cuBLAS",
                cublas12.isPresent() || cublas13.isPresent(),
                cublas12.isPresent()
                        ? "libcublas.so.12"
                        : cublas13.isPresent()
                                ? "libcublas.so.13, through the forwarder"
                                : "no libcublas.so.12 or .13; on a GPU the hand-written kernels do the matrix"
                                        + " products; install the CUDA toolkit for cuBLAS");
    }

    private static Finding nvidiaCudnn() {
        boolean found = Libraries.onLoaderPath("libcudnn.so.9").isPresent();
        return new Finding(
                "NVIDIA cuDNN",
                found,
                found
                        ? "libcudnn.so.9"
                        : "no libcudnn.so.9; on a GPU the hand-written kernels do the convolutions; install"
                                + " cuDNN 9 to use it");
    }

    private static Finding ours(String name, String library, String otherwise, Supplier<String> more) {
        try {
            return new Finding(name, true, NativeFiles.library(library) + more.get());
        } catch (NativeFileException e) {
            return new Finding(name, false, e.getMessage() + otherwise);
        }
    }

    private static Finding machineCode(long fatbins) {
        return new Finding(
                "GPU machine code",
                fatbins > 0,
                fatbins > 0
                        ? fatbins + " fatbins (sm_75 to sm_120)"
                        : "built without nvcc: a GPU's driver compiles the PTX at the first start; build with"
                                + " the CUDA toolkit on the PATH to avoid that");
    }

    private static Finding ptx(long modules) {
        return new Finding("GPU PTX", modules > 0, modules + " modules for sm_75 and later");
    }
}
