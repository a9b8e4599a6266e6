package plateau.cuda.load;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

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
        if (!NvidiaDriver.isDriver(driver)) {
            throw new DeviceUnavailableException(NvidiaDriver.notADriver(driverPath));
        }
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
     * The cuBLAS library that goes with the driver: its path, or the name the dynamic loader finds
     * it by. It is looked for, and extracted, at each call.
     */
    public Optional<Path> cublas() {
        return options.libcublas().or(() -> kind == DeviceSelector.Kind.CPU ? ours("libcublas.so.12") : nvidiaCublas());
    }

    /** cuBLAS 12 as it is, or 13 behind the forwarder that has the name JCublas asks for. */
    private static Optional<Path> nvidiaCublas() {
        return onLoaderPath("libcublas.so.12")
                .or(() -> onLoaderPath("libcublas.so.13").flatMap(_ -> ours("forward/libcublas.so.12")));
    }

    /** Likewise for cuDNN. */
    public Optional<Path> cudnn() {
        return options.libcudnn()
                .or(() -> kind == DeviceSelector.Kind.CPU ? ours("libcudnn.so.9") : onLoaderPath("libcudnn.so.9"));
    }

    private static Optional<Path> ours(String name) {
        return NativeFiles.hasLibrary(name) ? Optional.of(NativeFiles.library(name)) : Optional.empty();
    }

    /** The name itself where the dynamic loader finds a library by it. */
    static Optional<Path> onLoaderPath(String name) {
        try {
            SymbolLookup.libraryLookup(name, Arena.global()); // it stays: loading it costs more than keeping it
            return Optional.of(Path.of(name));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /**
     * A module's kernels in the form that the driver in use loads.
     *
     * @param module path of the kernel file without its ending, for example {@code data/parity}
     * @throws NativeFileException if this build has no such kernels, or they are damaged
     */
    public byte[] image(String module, KernelImages images) {
        return kind == DeviceSelector.Kind.CPU ? NativeFiles.cpuImage(module, images) : NativeFiles.gpuImage(module);
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
