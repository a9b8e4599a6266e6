package plateau.cuda.load;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Which implementation of CUDA's libraries this process uses. It is decided once, by the first
 * device that is opened, before JCuda is touched: JCuda's native library asks for
 * {@code libcuda.so.1} by that name, and for its functions by theirs, and gets the driver that is
 * loaded already.
 */
public final class Libraries {
    private static Libraries chosen;

    private final DeviceSelector.Kind kind;
    private final String reason;
    private final String driverPath;
    private final SymbolLookup driver;
    private final DeviceOptions options;

    private Libraries(DeviceSelector.Kind kind, String reason, String driverPath, DeviceOptions options) {
        this.kind = kind;
        this.reason = reason;
        this.driverPath = driverPath;
        this.driver = SymbolLookup.libraryLookup(driverPath, Arena.global());
        this.options = options;
        DriverFunctions.noDriver(driverPath, driver)
                .or(() -> DriverFunctions.tooOld(driverPath, driver))
                .ifPresent(refusal -> {
                    throw new DeviceUnavailableException(refusal);
                });
    }

    /**
     * Loads the driver for these options, or returns the one in use.
     *
     * @throws DeviceUnavailableException if the driver or the device is not there, or the other
     *     driver is in use
     */
    public static synchronized Libraries choose(DeviceOptions options) {
        if (chosen != null) {
            DeviceSelector.Kind wanted = options.selector().kind();
            if (wanted != DeviceSelector.Kind.AUTO && wanted != chosen.kind) {
                throw new DeviceUnavailableException(
                        "device %s needs a process of its own: this one already uses the %s driver"
                                .formatted(
                                        options.selector(), chosen.kind.name().toLowerCase(Locale.ROOT)));
            }
            return chosen;
        }
        chosen = switch (options.selector().kind()) {
            case CPU -> cpu(options, options.libcuda(), "as asked");
            case CUDA -> nvidia(options, NvidiaDriver.find(options.libcuda()));
            case AUTO -> {
                NvidiaDriver found = NvidiaDriver.find(options.libcuda());
                boolean wrongNamed = options.libcuda().isPresent() && found.state() == NvidiaDriver.State.NO_DRIVER;
                yield found.isFound() || wrongNamed
                        ? nvidia(options, found)
                        : cpu(options, Optional.empty(), found.explanation());
            }
        };
        return chosen;
    }

    private static Libraries nvidia(DeviceOptions options, NvidiaDriver found) {
        if (!found.isFound()) {
            throw new DeviceUnavailableException("device " + options.selector() + " cannot be used: "
                    + found.explanation() + "; install the NVIDIA driver or use device cpu");
        }
        if (options.selector().ordinal() >= found.devices()) {
            throw DeviceUnavailableException.noSuch(options.selector(), found.devices());
        }
        return new Libraries(DeviceSelector.Kind.CUDA, found.explanation(), found.library(), options);
    }

    /**
     * With this project's driver, or the one that is named. An NVIDIA driver that is of no use may
     * have the name libcuda.so.1 in this process; the functions are then found here all the same.
     */
    private static Libraries cpu(DeviceOptions options, Optional<Path> named, String reason) {
        CpuLevel.ofThisMachine();
        Path library = named.orElseGet(() -> NativeFiles.library("libcuda.so.1"));
        try {
            DynamicLoader.loadBeforeOthers(library.toString());
        } catch (UnsatisfiedLinkError e) {
            throw DeviceUnavailableException.notLoaded(e);
        }
        return new Libraries(DeviceSelector.Kind.CPU, reason, library.toString(), options);
    }

    /** {@code CPU} or {@code CUDA}. */
    public DeviceSelector.Kind kind() {
        return kind;
    }

    /** Why this driver, for display. */
    public String reason() {
        return reason;
    }

    /** The driver's functions. */
    public SymbolLookup driver() {
        return driver;
    }

    /**
     * Loads the cuBLAS that goes with the driver, or the one that is named, so that JCublas' own
     * library binds to it.
     */
    public LibrarySearch loadCublas() {
        LibrarySearch found = options.libcublas().isEmpty() && kind == DeviceSelector.Kind.CPU
                ? loadOurs("libcublas.so.12")
                : NvidiaLibrary.CUBLAS.load(options.libcublas());
        if (found.isForwarded()) {
            LibrarySearch forwarder = loadOurs("forward/libcublas.so.12");
            return forwarder.file().isPresent() ? found : forwarder;
        }
        return found;
    }

    /** Likewise cuDNN; its functions are then found by their names. */
    public LibrarySearch loadCudnn() {
        LibrarySearch found = options.libcudnn().isEmpty() && kind == DeviceSelector.Kind.CPU
                ? loadOurs("libcudnn.so.9")
                : NvidiaLibrary.CUDNN.load(options.libcudnn());
        found.file().ifPresent(library -> System.load(library.toString()));
        return found;
    }

    private static LibrarySearch loadOurs(String name) {
        if (!NativeFiles.hasLibrary(name)) {
            return LibrarySearch.none(name + " is not part of this build or package");
        }
        try {
            Path library = NativeFiles.library(name);
            DynamicLoader.load(library.toString());
            return LibrarySearch.found(library, "this project's");
        } catch (UnsatisfiedLinkError e) {
            return LibrarySearch.none(e.getMessage());
        }
    }

    /**
     * A module's kernels in the forms that the driver in use loads, the best first; each is read
     * when it is asked for, and throws {@link NativeFileException} if it is damaged.
     *
     * @param module path of the kernel file without its ending, for example {@code data/parity}
     * @throws NativeFileException if this build has no such kernels
     */
    public List<Supplier<byte[]>> images(String module, KernelImages images) {
        return kind == DeviceSelector.Kind.CPU
                ? List.of(() -> NativeFiles.cpuImage(module, images))
                : NativeFiles.gpuImages(module);
    }

    /**
     * The libraries in use.
     *
     * @throws IllegalStateException if no device has been opened
     */
    public static synchronized Libraries inUse() {
        if (chosen == null) {
            throw new IllegalStateException("no device has been opened");
        }
        return chosen;
    }

    @Override
    public String toString() {
        return driverPath;
    }
}
