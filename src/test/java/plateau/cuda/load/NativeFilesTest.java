package plateau.cuda.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.cuda.Device;

class NativeFilesTest {
    private static final Set<String> HASWELL = Set.of("avx2", "bmi1", "bmi2", "fma", "f16c", "movbe", "abm");

    @Test
    void aMachineGetsTheBestKernelsItCanRun() {
        Set<String> skylakeServer = new java.util.HashSet<>(HASWELL);
        skylakeServer.addAll(Set.of("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"));
        assertEquals("x86-64-v3", NativeFiles.cpuLevel(Optional.empty(), HASWELL));
        assertEquals("x86-64-v4", NativeFiles.cpuLevel(Optional.empty(), skylakeServer));
        assertEquals("x86-64-v3", NativeFiles.cpuLevel(Optional.of("x86-64-v3"), skylakeServer));
    }

    @Test
    void aMachineThatIsTooOldIsToldSo() {
        NativeFileException tooOld = assertThrows(
                NativeFileException.class, () -> NativeFiles.cpuLevel(Optional.empty(), Set.of("sse4_2", "avx")));
        assertTrue(
                tooOld.getMessage().contains("x86-64-v3") && tooOld.getMessage().contains("avx2"), tooOld.getMessage());
        assertThrows(NativeFileException.class, () -> NativeFiles.cpuLevel(Optional.of("x86-64-v2"), HASWELL));
    }

    @Test
    void librariesAreExtractedOnceAndRepaired(@TempDir Path folder) throws Exception {
        NativeFiles.extractAll(folder);
        Path library = folder.resolve("native/libcuda.so.1");
        byte[] whole = Files.readAllBytes(library);
        var first = Files.getLastModifiedTime(library);
        NativeFiles.extractAll(folder);
        assertEquals(first, Files.getLastModifiedTime(library), "what is whole is left alone");
        byte[] damaged = whole.clone();
        damaged[damaged.length / 2] ^= 1;
        Files.write(library, damaged);
        NativeFiles.extractAll(folder);
        assertTrue(Arrays.equals(whole, Files.readAllBytes(library)), "a damaged file is replaced");
        Files.write(library, Arrays.copyOf(whole, 100));
        NativeFiles.extractAll(folder);
        assertTrue(Arrays.equals(whole, Files.readAllBytes(library)), "a truncated file is replaced");
        try (Stream<Path> files = Files.walk(folder)) {
            assertFalse(files.anyMatch(file -> file.toString().endsWith(".part")), "no temporary file is left");
        }
    }

    /** Processes, since a file lock belongs to a process. */
    @Test
    void processesThatStartAtOnceShareTheCache(@TempDir Path folder) throws Exception {
        try (ExecutorService pool = Executors.newFixedThreadPool(3)) {
            List<Future<Integer>> started = IntStream.range(0, 3)
                    .mapToObj(_ -> pool.submit(() -> new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin/java")
                                            .toString(),
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    Extract.class.getName(),
                                    folder.toString())
                            .inheritIO()
                            .start()
                            .waitFor()))
                    .toList();
            for (Future<Integer> process : started) {
                assertEquals(0, process.get());
            }
        }
    }

    /** Extracts, and checks what it got, in a process of its own. */
    static final class Extract {
        public static void main(String[] arguments) throws Exception {
            Path extracted = NativeFiles.extractAll(Path.of(arguments[0])).resolve("native/libcuda.so.1");
            System.exit(
                    Arrays.equals(
                                    Files.readAllBytes(extracted),
                                    Files.readAllBytes(NativeFiles.library("libcuda.so.1")))
                            ? 0
                            : 1);
        }
    }

    /** JCuda's own loader takes a file of a fixed name in java.io.tmpdir as it is. */
    @Test
    void jcudaIsLoadedFromTheCacheWhole(@TempDir Path folder) throws Exception {
        Path temporary = Files.createDirectories(folder.resolve("tmp"));
        Path cache = Files.createDirectories(folder.resolve("cache/plateau/jcuda"));
        List<String> libraries = List.of("libJCudaDriver-12.6.0-linux-x86_64.so", "libJCublas2-12.6.0-linux-x86_64.so");
        for (String library : libraries) {
            Files.writeString(temporary.resolve(library), "another user's");
            Files.writeString(cache.resolve(library), "damaged");
        }
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ProcessBuilder builder = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin/java").toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-Djava.io.tmpdir=" + temporary,
                            "-cp",
                            System.getProperty("java.class.path"),
                            OpenDevice.class.getName())
                    .inheritIO();
            builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
            processes.add(builder.start());
        }
        for (Process process : processes) {
            assertEquals(0, process.waitFor());
        }
        for (String library : libraries) {
            assertTrue(Files.size(cache.resolve(library)) > 1_000_000, library);
        }
    }

    /** Opens the CPU with cuBLAS in a process of its own. */
    static final class OpenDevice {
        public static void main(String[] arguments) {
            String before = System.getProperty("java.io.tmpdir");
            try (Device device = Device.open(DeviceOptions.of(new DeviceSelector(DeviceSelector.Kind.CPU, 0)))) {
                System.exit(
                        device.blas().isPresent()
                                        && System.getProperty("java.io.tmpdir").equals(before)
                                ? 0
                                : 1);
            }
        }
    }

    @Test
    void aFolderThatCannotBeWrittenIsNamed() {
        NativeFileException refused =
                assertThrows(NativeFileException.class, () -> NativeFiles.extractAll(Path.of("/proc/plateau")));
        assertTrue(
                refused.getMessage().contains("/proc/plateau")
                        && refused.getMessage().contains("XDG_CACHE_HOME"),
                refused.getMessage());
    }
}
