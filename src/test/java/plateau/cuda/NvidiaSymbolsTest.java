package plateau.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import jcuda.LibUtils;
import jcuda.jcublas.JCublas2;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.JCudaLibrary;
import plateau.cuda.load.Libraries;
import plateau.cuda.load.LibrarySearch;
import plateau.cuda.load.NativeFiles;
import plateau.cudnn.bindings.CuDnn;
import plateau.reference.Elf;

/**
 * NVIDIA's own cuBLAS 12 and cuDNN 9 have what this project asks them for, and answer what can be
 * asked without a GPU. The system property {@code plateau.nvidia} names the folder that they are
 * in; Maven's profile {@code nvidia} fetches them (2 GB).
 */
@EnabledIfSystemProperty(named = "plateau.nvidia", matches = ".+", disabledReason = "NVIDIA's libraries: -Pnvidia")
class NvidiaSymbolsTest {
    private static final Path FOLDER = Path.of(System.getProperty("plateau.nvidia", "."));

    private static Set<Elf.Symbol> cublas;
    private static Set<Elf.Symbol> cudnn;

    private static Set<Elf.Symbol> defined(Path library) throws IOException {
        try (FileChannel file = FileChannel.open(library)) {
            return new Elf(file.map(FileChannel.MapMode.READ_ONLY, 0, file.size()))
                    .symbols().stream().filter(Elf.Symbol::isDefined).collect(Collectors.toSet());
        }
    }

    @BeforeAll
    static void read() throws IOException {
        cublas = defined(FOLDER.resolve("libcublas.so.12"));
        cudnn = defined(FOLDER.resolve("libcudnn.so.9"));
    }

    private static void assertThere(Set<Elf.Symbol> wanted, Set<Elf.Symbol> there) {
        assertTrue(wanted.size() > 10, wanted::toString);
        Set<Elf.Symbol> missing = new HashSet<>(wanted);
        missing.removeAll(there);
        assertEquals(Set.of(), missing);
    }

    /** What JCublas' library asks the loader for, by name and version. */
    @Test
    void cublasHasWhatJCublasBinds() throws IOException {
        String name = "/lib/" + LibUtils.createLibraryFileName(LibUtils.createPlatformLibraryName("JCublas2-12.6.0"));
        try (InputStream in = JCublas2.class.getResourceAsStream(name)) {
            Set<Elf.Symbol> wanted = new Elf(ByteBuffer.wrap(in.readAllBytes()))
                    .symbols().stream()
                            .filter(symbol -> symbol.name().startsWith("cublas") && !symbol.isDefined())
                            .map(symbol -> new Elf.Symbol(symbol.name(), symbol.version(), true))
                            .collect(Collectors.toSet());
            assertTrue(wanted.contains(new Elf.Symbol("cublasSgemm_v2", "libcublas.so.12", true)));
            assertThere(wanted, cublas);
        }
    }

    /** Nor do the CPU's and the forwarder offer what NVIDIA's do not. */
    @Test
    void thisProjectsLibrariesHaveNoFunctionsOfTheirOwn() throws IOException {
        assertThere(defined(NativeFiles.library("libcublas.so.12")), cublas);
        assertThere(defined(NativeFiles.library("forward/libcublas.so.12")), cublas);
        assertThere(defined(NativeFiles.library("libcudnn.so.9")), cudnn);
    }

    @Test
    void cudnnHasWhatTheBindingsCall() {
        Set<Elf.Symbol> wanted = Arrays.stream(CuDnn.class.getMethods())
                .map(Method::getName)
                .filter(name -> name.matches("cudnn[A-Za-z0-9]+"))
                .map(name -> new Elf.Symbol(name, "libcudnn.so.9", true))
                .collect(Collectors.toSet());
        assertThere(wanted, cudnn);
    }

    /** Loads both, and prints their versions as they tell them themselves. */
    static final class Ask {
        public static void main(String[] arguments) {
            Path folder = Path.of(arguments[0]);
            Libraries libraries = Libraries.choose(DeviceOptions.cpu()
                    .withLibraries(
                            Optional.empty(),
                            Optional.of(folder.resolve("libcublas.so.12")),
                            Optional.of(folder.resolve("libcudnn.so.9"))));
            LibrarySearch cublas = libraries.loadCublas();
            LibrarySearch cudnn = libraries.loadCudnn();
            System.out.println(cublas.words());
            System.out.println(cudnn.words());
            JCudaLibrary.load("JCublas2", () -> JCublas2.setExceptionsEnabled(false));
            List<Integer> version = new ArrayList<>();
            for (int part = 0; part < 3; part++) {
                int[] value = new int[1];
                JCublas2.cublasGetProperty(part, value);
                version.add(value[0]);
            }
            System.out.println("cuBLAS " + version);
            System.out.println("cuDNN " + CuDnn.cudnnGetVersion());
        }
    }

    @Test
    void bothAnswerThroughTheirBindings() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Ask.class.getName(),
                        FOLDER.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        List<String> lines = output.lines().toList();
        assertEquals(FOLDER.resolve("libcublas.so.12") + ", as named", lines.get(0), output);
        assertEquals(FOLDER.resolve("libcudnn.so.9") + ", as named", lines.get(1), output);
        assertTrue(lines.get(2).matches("cuBLAS \\[12, \\d+, \\d+]"), output);
        assertTrue(lines.get(3).matches("cuDNN 9\\d{4}"), output);
    }
}
