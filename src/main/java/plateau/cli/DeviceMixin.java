package plateau.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import picocli.CommandLine.Option;
import plateau.cuda.Device;
import plateau.cuda.DeviceOptions;
import plateau.cuda.DeviceSelector;
import plateau.kernel.Dense;

/** Options that say where to run. */
final class DeviceMixin {
    @Option(names = "--device", paramLabel = "DEVICE", defaultValue = "auto", description = "auto, cpu, cuda or cuda:N; auto is cuda where there is one, else cpu (default: ${DEFAULT-VALUE})")
    private String device;

    @Option(names = "--gemm", paramLabel = "PATH", defaultValue = "auto", description = "matrix products by cublas or by the hand-written kernels; auto judges by shape (default: ${DEFAULT-VALUE})")
    private Dense.Path gemm;

    @Option(names = "--libcuda", paramLabel = "FILE", description = "driver library to use in place of the one that would be found (also PLATEAU_LIBCUDA)")
    private Optional<Path> libcuda = Optional.empty();

    @Option(names = "--libcublas", paramLabel = "FILE", description = "cuBLAS library, likewise (also PLATEAU_LIBCUBLAS)")
    private Optional<Path> libcublas = Optional.empty();

    @Option(names = "--libcudnn", paramLabel = "FILE", description = "cuDNN library, likewise (also PLATEAU_LIBCUDNN)")
    private Optional<Path> libcudnn = Optional.empty();

    private final Consumer<Device> opened;

    DeviceMixin() {
        this(_ -> {});
    }

    /** For tests, which look at the devices that a command opens. */
    DeviceMixin(Consumer<Device> opened) {
        this.opened = opened;
    }

    /** @throws IllegalArgumentException if the device is none that there can be, or a named library is no file */
    DeviceOptions options() {
        requireFile("--libcuda", libcuda);
        requireFile("--libcublas", libcublas);
        requireFile("--libcudnn", libcudnn);
        return DeviceOptions.of(DeviceSelector.parse(device)).withLibraries(libcuda, libcublas, libcudnn);
    }

    private static void requireFile(String option, Optional<Path> library) {
        if (library.isPresent() && !Files.isRegularFile(library.get())) {
            throw new IllegalArgumentException(option + ": there is no file " + library.get());
        }
    }

    DeviceSelector selector() {
        return DeviceSelector.parse(device);
    }

    Device open() {
        Device open = Device.open(options());
        opened.accept(open);
        return open;
    }

    Dense.Path gemm() {
        return gemm;
    }
}
