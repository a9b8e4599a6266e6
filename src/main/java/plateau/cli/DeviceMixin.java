package plateau.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import picocli.CommandLine.Option;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.Environment;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.study.Devices;
import plateau.study.Routing;

/** Options that say where to run. */
final class DeviceMixin {
    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            description =
                    "auto, cpu, cuda or cuda:N; auto is cuda where there is one, else cpu; runs are shared out over"
                            + " several, as in cuda:0,cuda:1 (default: auto)")
    private String device;

    @Option(
            names = "--gemm",
            paramLabel = "PRODUCTS",
            completionCandidates = ProductChoices.class,
            description =
                    "matrix products: auto, cublas or kernels, the hand-written ones; auto judges by shape (default:"
                            + " auto)")
    private String gemm;

    @Option(
            names = "--conv",
            paramLabel = "CONVOLUTIONS",
            completionCandidates = ConvolutionChoices.class,
            description =
                    "two-dimensional convolutions: auto, cudnn or kernels, the hand-written ones; auto judges by device"
                            + " (default: auto)")
    private String conv;

    @Option(
            names = "--libcuda",
            paramLabel = "FILE",
            description = "driver library to use in place of the one that would be found (also PLATEAU_LIBCUDA)")
    private Optional<Path> libcuda = Optional.empty();

    @Option(
            names = "--libcublas",
            paramLabel = "FILE",
            description = "cuBLAS library, likewise (also PLATEAU_LIBCUBLAS)")
    private Optional<Path> libcublas = Optional.empty();

    @Option(names = "--libcudnn", paramLabel = "FILE", description = "cuDNN library, likewise (also PLATEAU_LIBCUDNN)")
    private Optional<Path> libcudnn = Optional.empty();

    private final Consumer<Device> opened;
    private String otherwise = "auto";

    /** What a shell offers for the option of products. */
    private static final class ProductChoices implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("auto", "cublas", "kernels").iterator();
        }
    }

    /** What a shell offers for the option of convolutions. */
    private static final class ConvolutionChoices implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("auto", "cudnn", "kernels").iterator();
        }
    }

    DeviceMixin() {
        this(_ -> {});
    }

    /** For tests, which look at the devices that a command opens. */
    DeviceMixin(Consumer<Device> opened) {
        this.opened = opened;
    }

    /** Names the device to take where none is given. */
    void otherwise(String other) {
        otherwise = other;
    }

    /** The device as it is typed. */
    String text() {
        return device == null ? otherwise : device;
    }

    /** The options of this group that were given, as they are typed. */
    List<String> typed() {
        List<String> words = new ArrayList<>();
        add(words, "--device", Optional.ofNullable(device));
        add(words, "--gemm", Optional.ofNullable(gemm));
        add(words, "--conv", Optional.ofNullable(conv));
        add(words, "--libcuda", libcuda);
        add(words, "--libcublas", libcublas);
        add(words, "--libcudnn", libcudnn);
        return words;
    }

    private static void add(List<String> words, String option, Optional<?> value) {
        value.ifPresent(given -> words.addAll(List.of(option, given.toString())));
    }

    /** What computes products and convolutions. */
    Routing routing() {
        return Routing.of(gemm == null ? "auto" : gemm, conv == null ? "auto" : conv);
    }

    /**
     * @throws IllegalArgumentException if an option that was given contradicts what runs that are
     *     written down have
     */
    void requireSame(Routing before, Path where) {
        requireSame("--gemm", gemm, routing().gemmText(), before.gemmText(), where);
        requireSame("--conv", conv, routing().convText(), before.convText(), where);
    }

    private static void requireSame(String option, String given, String parsed, String before, Path where) {
        if (given != null && !parsed.equals(before)) {
            throw new IllegalArgumentException(
                    "%s %s contradicts the runs in %s, which have %s; leave it out, or start others"
                            .formatted(option, parsed, where, before));
        }
    }

    /**
     * Refuses what cannot be, before anything is opened: {@link IllegalArgumentException} with one
     * line.
     */
    void check() {
        routing();
        selectors().forEach(this::options);
        if (selectors().getFirst().kind() == DeviceSelector.Kind.CPU) {
            Environment.check();
        }
    }

    /**
     * @throws IllegalArgumentException if the device is none that there can be, or a named library
     *     is no file
     */
    DeviceOptions options() {
        return options(selector());
    }

    private DeviceOptions options(DeviceSelector selector) {
        DeviceOptions options = DeviceOptions.of(selector);
        requireFile("--libcuda", libcuda, DeviceOptions.LIBCUDA, options.libcuda());
        requireFile("--libcublas", libcublas, DeviceOptions.LIBCUBLAS, options.libcublas());
        requireFile("--libcudnn", libcudnn, DeviceOptions.LIBCUDNN, options.libcudnn());
        return options.withLibraries(libcuda, libcublas, libcudnn);
    }

    private static void requireFile(String option, Optional<Path> typed, String variable, Optional<Path> otherwise) {
        typed.or(() -> otherwise)
                .filter(library -> !Files.isRegularFile(library))
                .ifPresent(library -> {
                    throw new IllegalArgumentException(
                            "%s: there is no file %s".formatted(typed.isPresent() ? option : variable, library));
                });
    }

    DeviceSelector selector() {
        return DeviceSelector.parse(text());
    }

    Device open() {
        return open(selector());
    }

    private Device open(DeviceSelector selector) {
        Device open = Device.open(options(selector));
        opened.accept(open);
        return open;
    }

    /** Every device that is named. */
    Devices openAll() {
        return Devices.open(selectors().stream()
                .map(selector -> (Supplier<Device>) () -> open(selector))
                .toList());
    }

    private List<DeviceSelector> selectors() {
        List<DeviceSelector> selectors =
                Arrays.stream(text().split(",", -1)).map(DeviceSelector::parse).toList();
        if (selectors.size() > 1
                && selectors.stream()
                                .filter(selector -> selector.kind() == DeviceSelector.Kind.CUDA)
                                .distinct()
                                .count()
                        < selectors.size()) {
            throw new IllegalArgumentException(
                    "--device " + text() + ": several devices must be different ones of CUDA, as in cuda:0,cuda:1");
        }
        return selectors;
    }

    /** The launchers on an opened device, with what the options name. */
    Kernels kernels(Device open) {
        return routing().kernels(open);
    }
}
