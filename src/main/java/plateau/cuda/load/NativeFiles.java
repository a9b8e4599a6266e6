package plateau.cuda.load;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import jcuda.JCudaVersion;
import jcuda.LibUtils;

/**
 * The native files that travel with the program: CPU driver libraries and kernel images. Libraries
 * are used in place when the program runs from a folder of classes, and extracted once to a
 * per-user cache when it runs from its jar; images are read into memory. Everything is checked
 * against the SHA-256 that the build recorded.
 */
public final class NativeFiles {
    private static final String ROOT = "/plateau/";
    private static final List<String> LIBRARIES = List.of(
            "native/libcuda.so.1",
            "native/libcublas.so.12",
            "native/libcudnn.so.9",
            "native/forward/libcublas.so.12",
            "native/libdnnl.so.3",
            "native/libgomp.so.1");
    private static final Set<String> V3 = Set.of("avx2", "bmi1", "bmi2", "fma", "f16c", "movbe", "abm");
    private static final Set<String> V4 = Set.of("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl");

    private record Entry(String sha256, long size) {}

    private static final Map<String, Entry> INDEX = readIndex();

    private NativeFiles() {}

    /**
     * The path of a library, for example {@code libcuda.so.1}, extracted first where that is
     * needed.
     *
     * @throws NativeFileException if the library is not part of this build or the cache cannot be
     *     written
     */
    public static Path library(String name) {
        String path = "native/" + name;
        if (!INDEX.containsKey(path)) {
            throw new NativeFileException(name + " is not part of this build; run: mvn -B package");
        }
        return classesFolder()
                .map(folder -> folder.resolve(path))
                .orElseGet(() -> extractAll(cacheFolder()).resolve(path));
    }

    /** Whether this build has that library. */
    static boolean hasLibrary(String name) {
        return INDEX.containsKey("native/" + name);
    }

    /**
     * The kernel image of a module for the CPU driver, an ELF shared object.
     *
     * @param module path of the kernel file without its ending, for example {@code data/parity}
     */
    static byte[] cpuImage(String module, KernelImages images) {
        String flavour = images == KernelImages.FIBERS ? "fibers" : cpuLevel();
        return read("native/" + flavour + "/" + module + ".so").orElseThrow(() -> missing(flavour, module));
    }

    private static NativeFileException missing(String machine, String module) {
        return new NativeFileException(("there are no kernels '%s' for %s on the class path;"
                        + " if they are Plateau's own, build it again: mvn -B package")
                .formatted(module, machine));
    }

    /** The module's image for NVIDIA GPUs. */
    static byte[] gpuImage(String module) {
        return fatbin(module).or(() -> ptx(module)).orElseThrow(() -> missing("GPUs", module));
    }

    /** The module as machine code for NVIDIA GPUs, where the build had nvcc. */
    private static Optional<byte[]> fatbin(String module) {
        return read("fatbin/" + module + ".fatbin");
    }

    /** The module as PTX. */
    private static Optional<byte[]> ptx(String module) {
        return read("ptx/" + module + ".ptx");
    }

    /** Modules for which the build has a fatbin, and for which it has PTX. */
    static long count(String kind) {
        return INDEX.keySet().stream()
                .filter(path -> path.startsWith(kind + "/"))
                .count();
    }

    /**
     * The instruction set whose kernels this machine runs: {@code x86-64-v4} or {@code x86-64-v3};
     * the system property {@code plateau.cpu} forces one.
     *
     * @throws NativeFileException where the machine has neither
     */
    public static String cpuLevel() {
        return cpuLevel(Optional.ofNullable(System.getProperty("plateau.cpu")), cpuFlags());
    }

    static String cpuLevel(Optional<String> forced, Set<String> flags) {
        if (forced.isPresent()) {
            if (!forced.get().equals("x86-64-v3") && !forced.get().equals("x86-64-v4")) {
                throw new NativeFileException("plateau.cpu must be x86-64-v3 or x86-64-v4, not " + forced.get());
            }
            return forced.get();
        }
        if (!flags.containsAll(V3)) {
            String missing =
                    V3.stream().filter(flag -> !flags.contains(flag)).sorted().collect(Collectors.joining(", "));
            throw new NativeFileException(
                    "this processor cannot run the CPU kernels: they need x86-64-v3 (Intel Haswell or AMD Excavator"
                            + " and later) and it lacks "
                            + missing + "; use a GPU (device cuda) or another machine");
        }
        return flags.containsAll(V4) ? "x86-64-v4" : "x86-64-v3";
    }

    private static Set<String> cpuFlags() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("flags"))
                    .findFirst()
                    .map(line -> Set.copyOf(Arrays.asList(
                            line.substring(line.indexOf(':') + 1).trim().split("\\s+"))))
                    .orElse(Set.of());
        } catch (IOException e) {
            return Set.of();
        }
    }

    /** Where the driver's libraries are extracted to: one folder per build. */
    static Path cacheFolder() {
        return cache().resolve(sha256(INDEX.toString().getBytes(StandardCharsets.UTF_8))
                .substring(0, 16));
    }

    /** The program's folder under XDG_CACHE_HOME or ~/.cache. */
    private static Path cache() {
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = xdg == null || xdg.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg);
        return base.resolve("plateau");
    }

    /**
     * Puts every library into the folder that is not there, whole, already. Processes that start at
     * once take turns.
     */
    static Path extractAll(Path folder) {
        locked(folder, () -> {
            for (String path : LIBRARIES) {
                if (INDEX.containsKey(path) && !intact(folder.resolve(path), INDEX.get(path))) {
                    replace(folder.resolve(path), read(path).orElseThrow());
                }
            }
        });
        return folder;
    }

    /**
     * Initialises a class of JCuda whose native library is {@code name}. JCuda's own loader writes
     * that library to {@code java.io.tmpdir} under a fixed name and loads whatever file it finds
     * there: one that another process is still writing, or another user's. So a checked copy is put
     * into the cache, and the loader looks there.
     *
     * @param name the library's base name, for example {@code JCudaDriver}
     * @param initialise the first use of the class
     */
    public static synchronized void loadJCuda(String name, Runnable initialise) {
        Path folder = cache().resolve("jcuda");
        extractJCuda(name, folder);
        String temporary = System.setProperty("java.io.tmpdir", folder.toString());
        try {
            initialise.run();
        } finally {
            System.setProperty("java.io.tmpdir", temporary);
        }
    }

    private static void extractJCuda(String name, Path folder) {
        String file =
                LibUtils.createLibraryFileName(LibUtils.createPlatformLibraryName(name + "-" + JCudaVersion.get()));
        locked(folder, () -> {
            try (InputStream in = NativeFiles.class.getResourceAsStream("/lib/" + file)) {
                if (in == null) {
                    throw new NativeFileException(file + " is not part of this build; run: mvn -B package");
                }
                byte[] bytes = in.readAllBytes();
                Path target = folder.resolve(file);
                if (!Files.exists(target) || !Arrays.equals(Files.readAllBytes(target), bytes)) {
                    replace(target, bytes);
                }
            }
        });
    }

    private interface Extraction {
        void run() throws IOException;
    }

    /**
     * Works on a folder of the cache while no other process, and no other thread of this one, does.
     */
    private static synchronized void locked(Path folder, Extraction extraction) {
        try {
            Files.createDirectories(folder);
            try (FileChannel channel = FileChannel.open(
                            folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock _ = channel.lock()) {
                extraction.run();
            }
        } catch (IOException e) {
            throw new NativeFileException(
                    "cannot extract the native libraries to " + folder + ": " + e.getMessage()
                            + "; set XDG_CACHE_HOME to a folder that can be written",
                    e);
        }
    }

    private static boolean intact(Path file, Entry entry) throws IOException {
        return Files.exists(file)
                && Files.size(file) == entry.size
                && sha256(Files.readAllBytes(file)).equals(entry.sha256);
    }

    /** Whole at any moment: processes that have the old file loaded keep it. */
    private static void replace(Path target, byte[] bytes) throws IOException {
        Files.createDirectories(target.getParent());
        Path temporary =
                Files.createTempFile(target.getParent(), target.getFileName().toString(), ".part");
        try {
            Files.write(temporary, bytes);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
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

    private static Optional<byte[]> read(String path) {
        try (InputStream in = NativeFiles.class.getResourceAsStream(ROOT + path)) {
            if (in == null) {
                return Optional.empty();
            }
            byte[] bytes = in.readAllBytes();
            Entry entry = INDEX.get(path);
            if (entry != null && !(bytes.length == entry.size && sha256(bytes).equals(entry.sha256))) {
                throw new NativeFileException(
                        path + " is damaged: it is not what the build made; build or download the program again");
            }
            return Optional.of(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All indexes on the class path: tests bring one of their own beside the program's. */
    private static Map<String, Entry> readIndex() {
        Map<String, Entry> entries = new TreeMap<>();
        try {
            for (URL index :
                    Collections.list(NativeFiles.class.getClassLoader().getResources("plateau/native/index"))) {
                try (InputStream in = index.openStream()) {
                    for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .toList()) {
                        String[] parts = line.split(" ", 3);
                        entries.put(parts[2], new Entry(parts[0], Long.parseLong(parts[1])));
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return entries;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
