package plateau.cuda.load;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;
import jcuda.driver.CUresult;

/**
 * What came of looking for NVIDIA's driver.
 *
 * @param library its path, or the name that the loader finds it by
 * @param state how far it got
 * @param explanation of that, for a reader
 * @param devices how many it has
 */
record NvidiaDriver(String library, State state, String explanation, int devices) {
    private static final String NAME = "libcuda.so.1";

    /**
     * Queues to the device, of which the driver otherwise makes eight: streams that share one wait
     * for each other. 32 is the most that it takes.
     */
    private static final String MOST_CONNECTIONS = "32";

    /** How far the search got. */
    enum State {
        /** There is no such library, or it cannot be loaded, or lacks functions of the driver. */
        NO_DRIVER,
        /** It is there and says that it has no device. */
        NO_DEVICE,
        /** It has devices. */
        FOUND
    }

    /**
     * Loads the driver and asks it for its devices. What has been loaded stays, usable or not: some
     * cannot be unloaded, and then hold the name libcuda.so.1 in this process.
     *
     * @param named the library to take; none: the one that the loader finds
     */
    static NvidiaDriver find(Optional<Path> named) {
        String library = named.map(Path::toString).orElse(NAME);
        try {
            DynamicLoader.load(library);
        } catch (UnsatisfiedLinkError e) {
            return new NvidiaDriver(library, State.NO_DRIVER, notLoaded(library, e.getMessage()), 0);
        }
        SymbolLookup functions = SymbolLookup.libraryLookup(library, Arena.global());
        Optional<String> noDriver = DriverFunctions.noDriver(library, functions);
        if (noDriver.isPresent()) {
            return new NvidiaDriver(library, State.NO_DRIVER, noDriver.get(), 0);
        }
        DynamicLoader.setUnlessSet("CUDA_DEVICE_MAX_CONNECTIONS", MOST_CONNECTIONS);
        int status = init(functions);
        if (status != CUresult.CUDA_SUCCESS) {
            return unusable(library, "cuInit", status);
        }
        Optional<String> tooOld = DriverFunctions.tooOld(library, functions);
        if (tooOld.isPresent()) {
            return new NvidiaDriver(library, State.NO_DRIVER, tooOld.get(), 0);
        }
        int[] count = new int[1];
        status = countDevices(functions, count);
        if (status != CUresult.CUDA_SUCCESS) {
            return unusable(library, "cuDeviceGetCount", status);
        }
        int devices = count[0];
        return devices > 0
                ? new NvidiaDriver(library, State.FOUND, "found " + devices + " CUDA device(s)", devices)
                : new NvidiaDriver(library, State.NO_DEVICE, library + " finds no device", 0);
    }

    private static NvidiaDriver unusable(String library, String call, int status) {
        return new NvidiaDriver(
                library,
                State.NO_DEVICE,
                "%s is installed but %s returns %s (%d): no usable NVIDIA GPU"
                        .formatted(library, call, CUresult.stringFor(status), status),
                0);
    }

    boolean isFound() {
        return state == State.FOUND;
    }

    /** The loader names what is missing: the library itself or one that it needs. */
    private static String notLoaded(String library, String words) {
        if (library.equals(NAME) && words.startsWith(NAME + ": cannot open shared object file: No such file")) {
            return "there is no NVIDIA driver (" + NAME + ")";
        }
        return "the NVIDIA driver cannot be loaded (%s)"
                .formatted(words.startsWith(library) ? words : library + ": " + words);
    }

    private static int init(SymbolLookup functions) {
        try {
            return (int) function(functions, "cuInit", ValueLayout.JAVA_INT).invokeExact(0);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static int countDevices(SymbolLookup functions, int[] devices) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            int status = (int)
                    function(functions, "cuDeviceGetCount", ValueLayout.ADDRESS).invokeExact(count);
            devices[0] = count.get(ValueLayout.JAVA_INT, 0);
            return status;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static MethodHandle function(SymbolLookup functions, String name, MemoryLayout argument) {
        return Linker.nativeLinker()
                .downcallHandle(functions.findOrThrow(name), FunctionDescriptor.of(ValueLayout.JAVA_INT, argument));
    }
}
