package plateau.cuda.load;

import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * NVIDIA's Tools Extension (NVTX), by which a profiler learns the names that a program has for what
 * it does.
 */
public final class NvtxLibrary {
    /** The environment variable that names the library to use instead of one that is found. */
    public static final String LIBNVTX = "PLATEAU_LIBNVTX";

    /** Of CUDA 13, and of CUDA 12; both have the same functions. */
    private static final List<String> NAMES = List.of("libnvtx3interop.so.1", "libnvToolsExt.so.1");

    private static final Logger LOG = System.getLogger(NvtxLibrary.class.getName());

    private NvtxLibrary() {}

    /**
     * Its functions: of the library that is named, or, where a tool is attached to this process, of
     * the first that the loader finds, or that lies in {@link LibraryFolders}.
     */
    public static Optional<SymbolLookup> open() {
        Map<String, String> environment = System.getenv();
        String named = environment.getOrDefault(LIBNVTX, "");
        if (!named.isEmpty()) {
            Optional<SymbolLookup> library = load(named);
            if (library.isEmpty()) {
                LOG.log(Logger.Level.WARNING, "{0}: {1} cannot be loaded: a profiler sees no names", LIBNVTX, named);
            }
            return library;
        }
        return isToolAttached(environment) ? search() : Optional.empty();
    }

    /** A file of it, for a program that is started with a tool; empty where there is none. */
    public static Optional<Path> file() {
        return LibraryFolders.all().stream()
                .flatMap(folder -> NAMES.stream().map(folder.path()::resolve))
                .filter(Files::isRegularFile)
                .findFirst();
    }

    /** What a reader is told of it. */
    static Inventory.Finding finding() {
        String named = System.getenv().getOrDefault(LIBNVTX, "");
        Optional<String> found = named.isEmpty()
                ? NAMES.stream()
                        .filter(name -> load(name).isPresent())
                        .map(name -> name + ", where the loader looks")
                        .findFirst()
                        .or(() -> file().map(Path::toString))
                : load(named).map(_ -> named + ", as named");
        return new Inventory.Finding(
                "NVTX",
                found.isPresent(),
                found.map(library -> library + ", by which NVIDIA's profilers learn names")
                        .orElse((named.isEmpty() ? "no " + String.join(", no ", NAMES) : named + " cannot be loaded")
                                + ": NVIDIA's profilers see no names; it comes with a CUDA toolkit"));
    }

    /** Tools come into a process by the loader, or by variables that CUDA's libraries look at. */
    private static boolean isToolAttached(Map<String, String> environment) {
        return environment.keySet().stream()
                .anyMatch(name -> name.endsWith("INJECTION64_PATH") || name.equals("LD_PRELOAD"));
    }

    private static Optional<SymbolLookup> search() {
        return NAMES.stream()
                .flatMap(name -> load(name).stream())
                .findFirst()
                .or(() -> file().flatMap(file -> load(file.toString())));
    }

    private static Optional<SymbolLookup> load(String library) {
        try {
            return Optional.of(SymbolLookup.libraryLookup(library, Arena.global()));
        } catch (IllegalArgumentException e) { // there is none, or it cannot be loaded
            return Optional.empty();
        }
    }
}
