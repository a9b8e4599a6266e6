package plateau.cuda.load;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which implementation of CUDA's libraries this process uses. It is decided once, by the first
 * device that is opened, before JCuda is touched: JCuda's native library asks for
 * {@code libcuda.so.1} by that name and gets the one that is loaded already.
 */
public final class Libraries {
    private static Libraries chosen;

    private final DeviceSelector.Kind kind;
    private final String reason;
    private final SymbolLookup driver;
    private final String driverPath;
    private final Optional<Path> cublas;
    private final Optional<Path> cudnn;

    private Libraries(
            DeviceSelector.Kind kind,
            String reason,
            String driverPath,
            SymbolLookup driver,
            Optional<Path> cublas,
            Optional<Path> cudnn) {
        this.kind = kind;
        this.reason = reason;
        this.driverPath = driverPath;
        this.driver = driver;
        this.cublas = cublas;
        this.cudnn = cudnn;
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
                                        options.selector(), chosen.kind.name().toLowerCase()));
            }
            return chosen;
        }
        chosen = switch (options.selector().kind()) {
            case CPU -> cpu(options, "as asked");
            case CUDA -> nvidia(options, findNvidia(options));
            case AUTO -> {
                Search search = findNvidia(options);
                yield search.found ? nvidia(options, search) : cpu(options, search.explanation);
            }
        };
        return chosen;
    }

    /** The result of looking for NVIDIA's driver. */
    private record Search(boolean found, String library, String explanation, int devices) {}

    private static Search findNvidia(DeviceOptions options) {
        String library = options.libcuda().map(Path::toString).orElse("libcuda.so.1");
        if (options.libcuda().isPresent() && !Files.exists(options.libcuda().get())) {
            return new Search(false, library, "there is no library " + library, 0);
        }
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup lookup = SymbolLookup.libraryLookup(library, arena);
            int status =
                    (int) intFunction(lookup, "cuInit", ValueLayout.JAVA_INT).invokeExact(0);
            if (status != 0) {
                return new Search(
                        false,
                        library,
                        library + " is installed but cuInit returns " + status + " (no usable NVIDIA GPU)",
                        0);
            }
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            status = (int)
                    intFunction(lookup, "cuDeviceGetCount", ValueLayout.ADDRESS).invokeExact(count);
            int devices = status == 0 ? count.get(ValueLayout.JAVA_INT, 0) : 0;
            return new Search(
                    devices > 0,
                    library,
                    devices > 0 ? "found " + devices + " CUDA device(s)" : library + " finds no device",
                    devices);
        } catch (IllegalArgumentException e) {
            return new Search(false, library, "there is no NVIDIA driver (" + library + ")", 0);
        } catch (Throwable e) {
            return new Search(false, library, library + " cannot be used: " + e.getMessage(), 0);
        }
    }

    private static java.lang.invoke.MethodHandle intFunction(
            SymbolLookup lookup, String name, java.lang.foreign.MemoryLayout argument) {
        return Linker.nativeLinker()
                .downcallHandle(lookup.findOrThrow(name), FunctionDescriptor.of(ValueLayout.JAVA_INT, argument));
    }

    private static Libraries nvidia(DeviceOptions options, Search search) {
        if (!search.found) {
            throw new DeviceUnavailableException("device " + options.selector() + " cannot be used: "
                    + search.explanation + "; install the NVIDIA driver or use device cpu");
        }
        if (options.selector().ordinal() >= search.devices) {
            throw new DeviceUnavailableException("there is no device " + options.selector()
                    + ": CUDA devices are numbered from 0, and there are " + search.devices);
        }
        options.libcuda().ifPresent(path -> System.load(path.toAbsolutePath().toString()));
        SymbolLookup lookup = SymbolLookup.libraryLookup(search.library, Arena.global());
        return new Libraries(
                DeviceSelector.Kind.CUDA,
                search.explanation,
                search.library,
                lookup,
                nvidiaCublas(options),
                options.libcudnn().or(() -> onLoaderPath("libcudnn.so.9")));
    }

    /** cuBLAS 12 as it is, or 13 behind the forwarder that has the name JCublas asks for. */
    private static Optional<Path> nvidiaCublas(DeviceOptions options) {
        return options.libcublas()
                .or(() -> onLoaderPath("libcublas.so.12"))
                .or(() -> onLoaderPath("libcublas.so.13")
                        .filter(_ -> NativeFiles.hasLibrary("forward/libcublas.so.12"))
                        .map(_ -> NativeFiles.library("forward/libcublas.so.12")));
    }

    /** The name itself where the dynamic loader finds a library by it. */
    private static Optional<Path> onLoaderPath(String name) {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup.libraryLookup(name, arena);
            return Optional.of(Path.of(name));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static Libraries cpu(DeviceOptions options, String reason) {
        NativeFiles.cpuLevel();
        Path library = options.libcuda()
                .filter(_ -> options.selector().kind() == DeviceSelector.Kind.CPU)
                .orElseGet(() -> NativeFiles.library("libcuda.so.1"))
                .toAbsolutePath();
        try {
            System.load(library.toString());
        } catch (UnsatisfiedLinkError e) {
            throw new DeviceUnavailableException("cannot load " + library + ": " + e.getMessage());
        }
        return new Libraries(
                DeviceSelector.Kind.CPU,
                reason,
                library.toString(),
                SymbolLookup.libraryLookup(library, Arena.global()),
                options.libcublas().or(() -> ours("libcublas.so.12")),
                options.libcudnn().or(() -> ours("libcudnn.so.9")));
    }

    private static Optional<Path> ours(String name) {
        return NativeFiles.hasLibrary(name) ? Optional.of(NativeFiles.library(name)) : Optional.empty();
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
     * it by.
     */
    public Optional<Path> cublas() {
        return cublas;
    }

    /** Likewise for cuDNN. */
    public Optional<Path> cudnn() {
        return cudnn;
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

    /**
     * One thing the program can use, and where it stands.
     *
     * @param name what it is
     * @param found whether it is there
     * @param detail where and which version, or what to do to get it
     */
    public record Finding(String name, boolean found, String detail) {}

    /** What is on this machine, without opening a device. */
    public static List<Finding> report(DeviceOptions options) {
        List<Finding> findings = new ArrayList<>();
        Search nvidia = findNvidia(options);
        findings.add(new Finding(
                "NVIDIA driver",
                nvidia.found,
                nvidia.found
                        ? nvidia.library + ", " + nvidia.explanation
                        : nvidia.explanation + "; to use a GPU, install the NVIDIA driver (525 or later)"));
        Optional<Path> cublas12 = onLoaderPath("libcublas.so.12");
        Optional<Path> cublas13 = onLoaderPath("libcublas.so.13");
        findings.add(new Finding(
                "NVIDIA cuBLAS",
                cublas12.isPresent() || cublas13.isPresent(),
                cublas12.isPresent()
                        ? "libcublas.so.12"
                        : cublas13.isPresent()
                                ? "libcublas.so.13, through the forwarder"
                                : "no libcublas.so.12 or .13; on a GPU the hand-written kernels do the matrix"
                                        + " products; install the CUDA toolkit for cuBLAS"));
        Optional<Path> cudnn = onLoaderPath("libcudnn.so.9");
        findings.add(new Finding(
                "NVIDIA cuDNN",
                cudnn.isPresent(),
                cudnn.isPresent()
                        ? "libcudnn.so.9"
                        : "no libcudnn.so.9; on a GPU the hand-written kernels do the convolutions; install"
                                + " cuDNN 9 to use it"));
        String level;
        try {
            level = NativeFiles.cpuLevel();
        } catch (NativeFileException e) {
            level = null;
        }
        boolean driver = NativeFiles.hasLibrary("libcuda.so.1");
        findings.add(new Finding(
                "CPU driver",
                driver && level != null,
                !driver
                        ? "not in this build; run: mvn -B package"
                        : level == null
                                ? "this processor has neither x86-64-v3 nor x86-64-v4"
                                : NativeFiles.library("libcuda.so.1") + ", kernels for " + level));
        findings.add(new Finding(
                "CPU cuBLAS",
                NativeFiles.hasLibrary("libcublas.so.12"),
                NativeFiles.hasLibrary("libcublas.so.12")
                        ? "this project's, over oneDNN"
                        : "not in this build; the hand-written kernels do the matrix products"));
        findings.add(new Finding(
                "CPU cuDNN",
                NativeFiles.hasLibrary("libcudnn.so.9"),
                NativeFiles.hasLibrary("libcudnn.so.9")
                        ? "this project's, over oneDNN"
                        : "not in this build; the hand-written kernels do the convolutions"));
        long fatbins = NativeFiles.count("fatbin");
        findings.add(new Finding(
                "GPU machine code",
                fatbins > 0,
                fatbins > 0
                        ? fatbins + " fatbins (sm_75 to sm_120)"
                        : "built without nvcc: a GPU's driver compiles the PTX at the first start; build with"
                                + " the CUDA toolkit on the PATH to avoid that"));
        findings.add(new Finding(
                "GPU PTX", NativeFiles.count("ptx") > 0, NativeFiles.count("ptx") + " modules for sm_75 and later"));
        return findings;
    }

    @Override
    public String toString() {
        return driverPath;
    }
}
