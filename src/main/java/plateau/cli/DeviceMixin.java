package plateau.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Option;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.Environment;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.study.Routing;

/** Options that say where to run; which device is asked for by those below. */
abstract sealed class DeviceMixin permits OneDeviceMixin, DevicesMixin {
    @Option(
            names = "--gemm",
            paramLabel = "PRODUCTS",
            completionCandidates = ProductChoices.class,
            description =
                    "matrix products: cublas; kernels, the hand-written ones; measured, whichever is faster; auto,"
                            + " which is measured for large ones on a GPU and else kernels (default: auto)")
    private String gemm;

    @Option(
            names = "--conv",
            paramLabel = "CONVOLUTIONS",
            completionCandidates = ConvolutionChoices.class,
            description = "two-dimensional convolutions: cudnn; kernels, the hand-written ones; measured, whichever is"
                    + " faster; auto, which is measured on a GPU and else kernels (default: auto)")
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

    private final Function<DeviceOptions, Device> opener;
    private String otherwise = "auto";

    /** What a shell offers for the option of products. */
    private static final class ProductChoices implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("auto", "cublas", "kernels", "measured").iterator();
        }
    }

    /** What a shell offers for the option of convolutions. */
    private static final class ConvolutionChoices implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("auto", "cudnn", "kernels", "measured").iterator();
        }
    }

    /**
     * With what opens a device: tests look at those that a command opens, or see that it would.
     */
    DeviceMixin(Function<DeviceOptions, Device> opener) {
        this.opener = opener;
    }

    /** The device as it was given; null where it was not. */
    abstract String given();

    /**
     * What is named, one after the other.
     *
     * @throws IllegalArgumentException if it is no device, or more than this command takes
     */
    abstract List<DeviceSelector> selectors();

    /** Names the device to take where none is given. */
    void otherwise(String other) {
        otherwise = other;
    }

    /** The device as it is typed. */
    String text() {
        return given() == null ? otherwise : given();
    }

    /** The options of this group that were given, as they are typed. */
    List<String> typed() {
        List<String> words = new ArrayList<>();
        add(words, "--device", Optional.ofNullable(given()));
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

    /** How the device is opened. */
    final DeviceOptions options(DeviceSelector selector) {
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

    final Device open(DeviceSelector selector) {
        return opener.apply(options(selector));
    }

    /** The launchers on an opened device, with what the options name. */
    Kernels kernels(Device open) {
        return routing().kernels(open);
    }
}
