package plateau.cuda.load;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The native files that travel with the program: CPU driver libraries and kernel images. Libraries
 * are used in place when the program runs from a folder of classes, and extracted to the cache,
 * each when it is first asked for, when it runs from its jar; images are read into memory.
 * Everything is checked against the SHA-256 that the build recorded.
 */
public final class NativeFiles {
    /** Those that a library wants to find beside itself. */
    private static final Map<String, List<String>> BESIDE = Map.of(
            "libcublas.so.12", List.of("libgomp.so.1", "libdnnl.so.3"),
            "libcudnn.so.9", List.of("libgomp.so.1", "libdnnl.so.3"));

    private NativeFiles() {}

    /**
     * The path of a library, for example {@code libcuda.so.1}, extracted first where that is
     * needed, together with those that it loads from its own folder.
     *
     * @throws NativeFileException if the library is not part of this build or cannot be extracted
     */
    public static Path library(String name) {
        if (!hasLibrary(name)) {
            throw new NativeFileException(
                    name + " is not part of this build or package; take the full one, or build it: mvn -B package");
        }
        BESIDE.getOrDefault(name, List.of()).forEach(NativeFiles::extracted);
        return extracted(name);
    }

    private static Path extracted(String name) {
        String path = "native/" + name;
        NativeFile file = NativeIndex.OWN.find(path).orElseThrow();
        return classesFolder()
                .map(folder -> folder.resolve(path))
                .orElseGet(() -> Cache.extracted(cacheFolder().resolve(path), file));
    }

    /** In the cache, a folder per build. */
    static Path cacheFolder() {
        return Cache.folder().resolve(NativeIndex.OWN.name());
    }

    /**
     * Whether this build has that library, and those that it loads: a package for GPUs leaves out
     * some.
     */
    static boolean hasLibrary(String name) {
        return Stream.concat(Stream.of(name), BESIDE.getOrDefault(name, List.of()).stream())
                .allMatch(file -> NativeIndex.OWN.find("native/" + file).isPresent());
    }

    /**
     * The kernel image of a module for the CPU driver, an ELF shared object.
     *
     * @param module path of the kernel file without its ending, for example {@code data/parity}
     */
    static byte[] cpuImage(String module, KernelImages images) {
        String flavour = images == KernelImages.FIBERS ? "fibers" : CpuLevel.ofThisMachine();
        return file("native/" + flavour + "/" + module + ".so")
                .orElseThrow(() -> missing(flavour, module))
                .read();
    }

    /** The module's images for NVIDIA GPUs: machine code where the build had nvcc, then PTX. */
    static List<Supplier<byte[]>> gpuImages(String module) {
        List<Supplier<byte[]>> images = Stream.of("fatbin/" + module + ".fatbin", "ptx/" + module + ".ptx")
                .flatMap(path -> file(path).stream())
                .<Supplier<byte[]>>map(file -> file::read)
                .toList();
        if (images.isEmpty()) {
            throw missing("GPUs", module);
        }
        return images;
    }

    /**
     * Kernels of somebody else's experiment are in no list, and what they are is theirs to know.
     */
    private static Optional<NativeFile> file(String path) {
        String resource = "/plateau/" + path;
        return NativeIndex.OWN
                .find(path)
                .or(() -> NativeFiles.class.getResource(resource) == null
                        ? Optional.empty()
                        : Optional.of(NativeFile.measured(resource)));
    }

    private static NativeFileException missing(String machine, String module) {
        return new NativeFileException(("there are no kernels '%s' for %s on the class path;"
                        + " if they are Plateau's own, build it again: mvn -B package")
                .formatted(module, machine));
    }

    /**
     * The folder {@code plateau} among the classes the program runs from, unless it runs from a
     * jar.
     */
    private static Optional<Path> classesFolder() {
        URL own = NativeFiles.class.getResource("NativeFiles.class");
        if (own == null || !own.getProtocol().equals("file")) {
            return Optional.empty();
        }
        try {
            Path program = Path.of(own.toURI()).resolve("../../.."); // of plateau/cuda/load/NativeFiles.class
            return Optional.of(program.normalize());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
