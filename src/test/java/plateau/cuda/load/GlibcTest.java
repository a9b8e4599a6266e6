package plateau.cuda.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import plateau.reference.Elf;

/**
 * What the native files that the program brings along ask of a system, by the versions of its
 * libraries' symbols: those that this project builds, and those of the libraries it uses.
 */
class GlibcTest {
    /** GCC 11, which is that of RHEL 9: the tables of libstdc++'s manual, "ABI Policy". */
    private static final Map<String, String> FLOORS =
            Map.of("GLIBC", Glibc.FLOOR.toString(), "GLIBCXX", "3.4.29", "CXXABI", "1.3.13", "GCC", "7.0.0");

    /** A system's own, NVIDIA's, and those that lie beside. */
    private static final Set<String> LIBRARIES = Set.of(
            "libc.so.6",
            "libm.so.6",
            "libmvec.so.1",
            "libdl.so.2",
            "librt.so.1",
            "libpthread.so.0",
            "ld-linux-x86-64.so.2",
            "libgcc_s.so.1",
            "libstdc++.so.6",
            "libcuda.so.1",
            "libcublas.so.12",
            "libdnnl.so.3",
            "libgomp.so.1");

    private static final Pattern VERSION = Pattern.compile("([A-Z]+)_([0-9.]+)");

    /** All on the class path, but what the tests alone have, and JCuda's that nothing uses. */
    private static Map<String, Elf> shipped() throws IOException {
        Map<String, Elf> found = new TreeMap<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path path = Path.of(entry);
            if (Files.isDirectory(path) && !path.endsWith("test-classes")) {
                collect(path, found);
            } else if (entry.endsWith(".jar")) {
                try (FileSystem jar = FileSystems.newFileSystem(path)) {
                    collect(jar.getPath("/"), found);
                }
            }
        }
        found.keySet().removeIf(name -> name.matches("/?lib/lib(JCublas|JCudaRuntime|JN.*)-.*"));
        return found;
    }

    private static void collect(Path root, Map<String, Elf> found) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName().toString().contains(".so"))
                    .toList()) {
                ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
                if (Elf.isX86(bytes)) {
                    found.put(root.relativize(file).toString(), new Elf(bytes));
                }
            }
        }
    }

    private static int compare(String version, String floor) {
        String[] one = version.split("\\."), other = floor.split("\\.");
        for (int i = 0; i < Math.max(one.length, other.length); i++) {
            int difference = (i < one.length ? Integer.parseInt(one[i]) : 0)
                    - (i < other.length ? Integer.parseInt(other[i]) : 0);
            if (difference != 0) {
                return difference;
            }
        }
        return 0;
    }

    private static boolean isAboveFloor(String version) {
        Matcher matcher = VERSION.matcher(version);
        return matcher.matches()
                && FLOORS.containsKey(matcher.group(1))
                && compare(matcher.group(2), FLOORS.get(matcher.group(1))) > 0;
    }

    @Test
    void everyNativeFileRunsWithTheOldestGlibcThatIsPromised() throws IOException {
        Map<String, Elf> files = shipped();
        for (String file : List.of("libcuda.so.1", "libcublas.so.12", "libcudnn.so.9", "x86-64-v4/dense.so")) {
            assertTrue(files.containsKey("plateau/native/" + file), files.keySet()::toString);
        }
        assertTrue(files.keySet().stream().anyMatch(name -> name.contains("libJCudaDriver")), files.keySet()::toString);
        List<String> wrong = new ArrayList<>();
        files.forEach((name, elf) -> {
            Set<String> above = Set.copyOf(elf.neededVersions().stream()
                    .filter(GlibcTest::isAboveFloor)
                    .toList());
            if (!above.isEmpty()) {
                wrong.add(name + ": "
                        + elf.symbols().stream()
                                .filter(symbol -> !symbol.isDefined() && above.contains(symbol.version()))
                                .map(symbol -> symbol.name() + "@" + symbol.version())
                                .toList());
            }
            elf.libraries().stream()
                    .filter(library -> !LIBRARIES.contains(library))
                    .forEach(library -> wrong.add(name + ": " + library));
        });
        assertEquals(List.of(), wrong);
    }

    @Test
    void theVersionInThisProcessIsFound() {
        assertTrue(Glibc.version().orElseThrow().compareTo(new Glibc.Version(2, 17)) >= 0); // Java's own floor
        assertTrue(Glibc.Version.of("2.9").compareTo(Glibc.FLOOR) < 0);
        assertEquals(new Glibc.Version(2, 36), Glibc.Version.of("2.36.9000"));
        assertTrue(isAboveFloor("GLIBC_2.35") && isAboveFloor("GLIBCXX_3.4.30"));
        assertTrue(!isAboveFloor("GLIBC_2.9") && !isAboveFloor("GLIBC_PRIVATE") && !isAboveFloor("OMP_4.5"));
    }
}
