package plateau.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.kernel.Conv2d;
import plateau.kernel.Dense;

/** Options that say where to run. */
final class DeviceMixin {
    @Option(names = "--device", paramLabel = "DEVICE", defaultValue = "auto", description = "auto, cpu, cuda or cuda:N; auto is cuda where there is one, else cpu; runs are shared out over several, as in cuda:0,cuda:1 (default: ${DEFAULT-VALUE})")
    private String device;

    @Option(names = "--gemm", paramLabel = "PRODUCTS", defaultValue = "auto", description = "matrix products by cublas or by the hand-written kernels; auto judges by shape (default: ${DEFAULT-VALUE})")
    private Dense.Products gemm;

    @Option(names = "--conv", paramLabel = "CONVOLUTIONS", defaultValue = "auto", description = "two-dimensional convolutions by cudnn or by the hand-written kernels; auto judges by device (default: ${DEFAULT-VALUE})")
    private Conv2d.Convolutions conv;

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
        return options(selector());
    }

    private DeviceOptions options(DeviceSelector selector) {
        requireFile("--libcuda", libcuda);
        requireFile("--libcublas", libcublas);
        requireFile("--libcudnn", libcudnn);
        return DeviceOptions.of(selector).withLibraries(libcuda, libcublas, libcudnn);
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
        return open(selector());
    }

    private Device open(DeviceSelector selector) {
        Device open = Device.open(options(selector));
        opened.accept(open);
        return open;
    }

    /**
     * Devices that are closed together.
     *
     * @param devices at least one
     */
    record Opened(List<Device> devices) implements AutoCloseable {

        String description() {
            return devices.stream().map(Device::description).collect(Collectors.joining("; "));
        }

        @Override
        public void close() {
            devices.forEach(Device::close);
        }
    }

    /** Every device that is named. */
    Opened openAll() {
        List<DeviceSelector> selectors = Arrays.stream(device.split(",", -1)).map(DeviceSelector::parse).toList();
        if (selectors.size() > 1 && selectors.stream().filter(selector -> selector.kind() == DeviceSelector.Kind.CUDA).distinct().count() < selectors.size()) {
            throw new IllegalArgumentException("--device " + device + ": several devices must be different ones of CUDA, as in cuda:0,cuda:1");
        }
        List<Device> devices = new ArrayList<>();
        try {
            selectors.forEach(selector -> devices.add(open(selector)));
        } catch (RuntimeException e) {
            devices.forEach(Device::close);
            throw e;
        }
        return new Opened(devices);
    }

    /** The launchers on an opened device, with the paths that the options name. */
    Kernels kernels(Device opened) {
        return Kernels.load(opened, gemm, conv);
    }
}
