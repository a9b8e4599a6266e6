package plateau.cuda.load;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How to open a device.
 *
 * @param selector which device
 * @param libcuda the driver library to use instead of the one that would be found
 * @param libcublas likewise for cuBLAS
 * @param libcudnn likewise for cuDNN
 * @param images which kernels the CPU driver runs
 */
public record DeviceOptions(
        DeviceSelector selector,
        Optional<Path> libcuda,
        Optional<Path> libcublas,
        Optional<Path> libcudnn,
        KernelImages images) {
    /** The environment variable that names a driver library. */
    public static final String LIBCUDA = "PLATEAU_LIBCUDA";

    /** Likewise for cuBLAS. */
    public static final String LIBCUBLAS = "PLATEAU_LIBCUBLAS";

    /** Likewise for cuDNN. */
    public static final String LIBCUDNN = "PLATEAU_LIBCUDNN";

    /**
     * Names the libraries by their full paths: the loader looks for a plain file name in its own
     * folders, not in the current one.
     */
    public DeviceOptions {
        libcuda = libcuda.map(Path::toAbsolutePath);
        libcublas = libcublas.map(Path::toAbsolutePath);
        libcudnn = libcudnn.map(Path::toAbsolutePath);
    }

    /**
     * The selected device with the libraries that the environment variables name, if any. Nothing
     * else but {@link #withLibraries} names one: no file, and nothing in the folder of results.
     */
    public static DeviceOptions of(DeviceSelector selector) {
        return new DeviceOptions(
                selector,
                fromEnvironment(LIBCUDA),
                fromEnvironment(LIBCUBLAS),
                fromEnvironment(LIBCUDNN),
                KernelImages.PRODUCTION);
    }

    /** The CPU. */
    public static DeviceOptions cpu() {
        return of(new DeviceSelector(DeviceSelector.Kind.CPU, 0));
    }

    /** With these libraries where they are given. */
    public DeviceOptions withLibraries(Optional<Path> cuda, Optional<Path> cublas, Optional<Path> cudnn) {
        return new DeviceOptions(
                selector, cuda.or(() -> libcuda), cublas.or(() -> libcublas), cudnn.or(() -> libcudnn), images);
    }

    /** With these kernels. */
    public DeviceOptions withImages(KernelImages other) {
        return new DeviceOptions(selector, libcuda, libcublas, libcudnn, other);
    }

    private static Optional<Path> fromEnvironment(String variable) {
        return Optional.ofNullable(System.getenv(variable))
                .filter(value -> !value.isEmpty())
                .map(Path::of);
    }
}
