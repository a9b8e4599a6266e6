package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Which native libraries a command loads, and from where, when it runs from a jar: in processes of
 * their own, as a process loads them once.
 */
@Execution(ExecutionMode.CONCURRENT)
class NativeLibrariesTest {
    private static final String DRIVER = "libcuda.so.1";
    private static final String JCUDA = "libJCudaDriver-12.6.0-linux-x86_64.so";
    private static final String LIBM = "/lib/x86_64-linux-gnu/libm.so.6";

    @TempDir
    static Path program;

    private static String classPath;

    @TempDir
    Path temporary;

    private Path folder;

    /** The classes of the program, and what they bring, as the build puts them into a jar. */
    @BeforeAll
    static void pack() throws Exception {
        classPath = pack(program.resolve("program.jar"), Set.of());
    }

    /**
     * As tools/package makes it, which takes the libraries that are left out from the index, too.
     *
     * @return the class path with it
     */
    private static String pack(Path jar, Set<String> leftOut) throws Exception {
        Path classes = Path.of(
                Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Path index = classes.resolve("plateau/native/index");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(classes)) {
            out.setLevel(Deflater.NO_COMPRESSION);
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (leftOut.contains(file.getFileName().toString())
                        && !file.toString().contains("/forward/")) {
                    continue;
                }
                out.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                if (file.equals(index)) {
                    for (String line : Files.readAllLines(file)) {
                        if (!leftOut.contains(line.replaceFirst(".* native/", ""))) {
                            out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                        }
                    }
                } else {
                    Files.copy(file, out);
                }
                out.closeEntry();
            }
        }
        return Stream.concat(
                        Stream.of(jar.toString()),
                        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                                .filter(entry -> entry.endsWith(".jar")))
                .collect(Collectors.joining(File.pathSeparator));
    }

    @BeforeEach
    void resolveLinks() throws IOException {
        folder = temporary.toRealPath();
    }

    /** Starts a command; a variable whose value is empty is taken out of its environment. */
    private Process start(Path where, Map<String, String> environment, List<String> options, String... arguments)
            throws IOException {
        return start(classPath, where, environment, options, arguments);
    }

    private Process start(
            String classes, Path where, Map<String, String> environment, List<String> options, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED"));
        command.addAll(options);
        command.addAll(List.of("-cp", classes, Main.class.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(where.toFile())
                .redirectOutput(where.resolve("stdout").toFile())
                .redirectError(where.resolve("stderr").toFile());
        builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
        builder.environment().putAll(environment);
        builder.environment().values().removeIf(String::isEmpty);
        return builder.start();
    }

    private Finished run(Map<String, String> environment, String... arguments) throws Exception {
        return Finished.await(folder, start(folder, environment, List.of(), arguments));
    }

    private static String[] parity(String... more) {
        return Stream.concat(
                        Stream.of("parity", "--d", "3", "--steps", "10", "--out", "p", "--overwrite"), Stream.of(more))
                .toArray(String[]::new);
    }

    /** A step of the experiment that has convolutions, on the CPU. */
    private static String[] tuple(String... more) {
        String step = "tuple --device cpu --k 1 --mode e2e --batch 4 --steps 1 --out t";
        return Stream.concat(Stream.of(step.split(" ")), Stream.of(more)).toArray(String[]::new);
    }

    private static String[] onCpu(String... more) {
        return Stream.concat(Stream.of(parity("--device", "cpu")), Stream.of(more))
                .toArray(String[]::new);
    }

    private List<String> extracted() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
            return files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    /** Compiles a library of these C++ declarations. */
    private static Path compile(Path library, String source, String... options) throws Exception {
        Files.createDirectories(library.getParent());
        Path file = Files.writeString(Path.of(library + ".cpp"), source);
        List<String> command = new ArrayList<>(List.of(
                "g++",
                "-shared",
                "-fPIC",
                "-o",
                library.toString(),
                file.toString(),
                "-Wl,-soname," + library.getFileName()));
        command.addAll(List.of(options));
        Process compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(compiler.getInputStream().readAllBytes());
        assertEquals(0, compiler.waitFor(), output);
        return library;
    }

    // ---- the cache ----

    /** The package for GPUs: oneDNN and what is over it are not there, and nothing misses them. */
    @Test
    void aProgramWithoutTheLargeLibrariesUsesTheKernels() throws Exception {
        String classes = pack(
                folder.resolve("small.jar"),
                Set.of("libdnnl.so.3", "libgomp.so.1", "libcublas.so.12", "libcudnn.so.9"));
        Finished.await(folder, start(classes, folder, Map.of(), List.of(), onCpu()))
                .assertOk();
        Finished.await(folder, start(classes, folder, Map.of(), List.of(), tuple("--overwrite")))
                .assertOk();
        Finished products =
                Finished.await(folder, start(classes, folder, Map.of(), List.of(), onCpu("--gemm", "cublas")));
        assertEquals(ExitCode.FAILED, products.code());
        assertTrue(products.err().getLast().contains("cuBLAS"), products.err()::toString);
        Finished convolutions = Finished.await(
                folder, start(classes, folder, Map.of(), List.of(), tuple("--overwrite", "--conv", "cudnn")));
        assertEquals(ExitCode.FAILED, convolutions.code());
        assertTrue(convolutions.err().getLast().contains("cuDNN"), convolutions.err()::toString);
        Finished doctor =
                Finished.await(folder, start(classes, folder, Map.of(), List.of(), "doctor", "--device", "cpu"));
        assertEquals(ExitCode.OK, doctor.code(), doctor.err()::toString);
        assertTrue(
                doctor.out().stream()
                        .anyMatch(line ->
                                line.startsWith("-    CPU cuDNN") && line.contains("libcudnn.so.9 is not part")),
                doctor.out()::toString);
    }

    /** The largest library is larger than this heap. */
    @Test
    void aLibraryIsExtractedWhenItIsUsed() throws Exception {
        Finished.await(folder, start(folder, Map.of(), List.of("-Xmx64m"), onCpu()))
                .assertOk();
        assertEquals(List.of(JCUDA, DRIVER), extracted());
        Finished.await(folder, start(folder, Map.of(), List.of("-Xmx64m"), onCpu("--gemm", "cublas")))
                .assertOk();
        assertEquals(
                List.of(
                        "libJCublas2-12.6.0-linux-x86_64.so",
                        JCUDA,
                        "libcublas.so.12",
                        DRIVER,
                        "libdnnl.so.3",
                        "libgomp.so.1"),
                extracted());
    }

    @Test
    void processesThatStartAtOnceShareAnEmptyCache() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            processes.add(start(
                    Files.createDirectory(folder.resolve("process" + i)),
                    Map.of(),
                    List.of(),
                    onCpu("--gemm", "cublas")));
        }
        for (int i = 0; i < 8; i++) {
            Finished.await(folder.resolve("process" + i), processes.get(i)).assertOk();
        }
        assertEquals(6, extracted().size(), extracted()::toString);
    }

    /** JCuda's own loader takes a file of a fixed name in java.io.tmpdir as it is. */
    @Test
    void jcudaIsLoadedFromTheCacheWhole() throws Exception {
        Path shared = Files.createDirectory(folder.resolve("tmp"));
        Path cache = Files.createDirectories(folder.resolve("cache/plateau/jcuda"));
        Files.writeString(shared.resolve(JCUDA), "another user's");
        Files.writeString(cache.resolve(JCUDA), "damaged");
        Finished.await(folder, start(folder, Map.of(), List.of("-Djava.io.tmpdir=" + shared), onCpu()))
                .assertOk();
        assertEquals("another user's", Files.readString(shared.resolve(JCUDA)));
        assertEquals(1_201_712, Files.size(cache.resolve(JCUDA)));
    }

    @Test
    void aCacheThatOthersCanWriteIsRefused() throws Exception {
        Path cache = Files.createDirectory(folder.resolve("cache"));
        Files.setAttribute(cache, "unix:mode", 0777);
        run(Map.of(), onCpu())
                .assertError(ExitCode.FAILED, "the folder " + cache + " (mode 777)", "set XDG_CACHE_HOME");
        assertEquals(List.of(), extracted());
        assertFalse(Files.exists(folder.resolve("p")));
    }

    /**
     * Nothing is written, no lock taken. Root, whom no mode keeps out, has the folder made
     * read-only.
     */
    @Test
    void aCacheThatAnAdministratorMadeServesEverybody() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "only root becomes another user");
        run(Map.of(), onCpu()).assertOk();
        Path everybodys = Files.createTempDirectory(Path.of("/tmp"), "plateau-shared");
        try {
            Path home = Files.createDirectory(everybodys.resolve("home"));
            shell("cp -r '%s' '%s/cache' && chmod -R a+rX,go-w '%s' && chown 65534 '%s'"
                    .formatted(folder.resolve("cache"), everybodys, everybodys, home));
            List<String> jars = new ArrayList<>();
            for (String jar : classPath.split(File.pathSeparator)) {
                Path copy = everybodys.resolve(jars.size() + ".jar");
                Files.copy(Path.of(jar), copy);
                Files.setAttribute(copy, "unix:mode", 0644);
                jars.add(copy.toString());
            }
            shell(("cd '%s' && XDG_CACHE_HOME='%s/cache' setpriv --reuid 65534 --regid 65534 --clear-groups"
                            + " '%s/bin/java' --enable-native-access=ALL-UNNAMED -cp '%s' %s %s")
                    .formatted(
                            home,
                            everybodys,
                            System.getProperty("java.home"),
                            String.join(":", jars),
                            Main.class.getName(),
                            String.join(" ", onCpu())));
        } finally {
            shell("rm -rf '" + everybodys + "'");
        }
    }

    private static void shell(String line) throws Exception {
        Process process =
                new ProcessBuilder("sh", "-c", line).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), "it hangs: " + line);
        assertEquals(0, process.exitValue(), output);
    }

    @Test
    void aCacheWithoutExecutionIsNamed() throws Exception {
        Path memory = Path.of("/dev/shm");
        assumeTrue(
                Files.isWritable(memory)
                        && Files.readAllLines(Path.of("/proc/mounts")).stream()
                                .anyMatch(line -> line.matches("\\S+ /dev/shm .*\\bnoexec\\b.*")),
                "/dev/shm is not mounted noexec");
        Path cache = Files.createTempDirectory(memory, "plateau");
        try {
            run(Map.of("XDG_CACHE_HOME", cache.toString()), onCpu())
                    .assertError(ExitCode.FAILED, "cannot load " + cache, "noexec", "XDG_CACHE_HOME");
        } finally {
            shell("rm -rf '" + cache + "'");
        }
    }

    @Test
    void aCacheOfNoAbsolutePathIsNotUsed() throws Exception {
        Path home = Files.createDirectory(folder.resolve("home"));
        run(Map.of("XDG_CACHE_HOME", "here", "HOME", home.toString()), onCpu()).assertOk();
        assertTrue(Files.exists(home.resolve(".cache/plateau/jcuda").resolve(JCUDA)));
        assertFalse(Files.exists(folder.resolve("here")));
    }

    /** As Java has it for a user who is in no list. */
    @Test
    void withoutAHomeOneLineSaysWhatToSet() throws Exception {
        Finished.await(
                        folder,
                        start(folder, Map.of("XDG_CACHE_HOME", "", "HOME", ""), List.of("-Duser.home=?"), onCpu()))
                .assertError(ExitCode.FAILED, "set XDG_CACHE_HOME");
        assertFalse(Files.exists(folder.resolve("?")));
    }

    // ---- libraries of the environment ----

    @Test
    void anotherOneDnnOnTheLoadersPathIsNotTaken() throws Exception {
        Path foreign = compile(folder.resolve("foreign/libdnnl.so.3"), "int foreign;");
        compile(folder.resolve("foreign/libgomp.so.1"), "int foreign;");
        run(Map.of("LD_LIBRARY_PATH", foreign.getParent().toString()), tuple("--conv", "cudnn", "--gemm", "cublas"))
                .assertOk();
    }

    /** What a container's image has in place of a driver; it stays in the process for good. */
    @Test
    void aStubOfADriverLeavesTheCpu() throws Exception {
        Path stub = compile(
                folder.resolve("stub/libcuda.so.1"),
                Stream.of("cuInit", "cuDeviceGetCount", "cuDeviceGet", "cuDriverGetVersion", "cuCtxSynchronize")
                        .map(name -> "extern \"C\" int " + name + "(void*) { return 34; }\n")
                        .collect(Collectors.joining()),
                "-Wl,-z,nodelete");
        Map<String, String> environment =
                Map.of("LD_LIBRARY_PATH", stub.getParent().toString());
        String said = "libcuda.so.1 is installed but cuInit returns CUDA_ERROR_STUB_LIBRARY (34)";
        Finished auto = run(environment, parity("--gemm", "cublas"));
        auto.assertOk();
        assertTrue(auto.out().getFirst().contains("chosen because " + said), auto.out()::toString);
        run(environment, parity("--device", "cuda")).assertError(ExitCode.FAILED, "device cuda:0", said);
    }

    /** A call of a function that is not there would end the process. */
    @Test
    void aDriverThatLacksAFunctionLeavesTheCpu() throws Exception {
        Path old = compile(folder.resolve("old/libcuda.so.1"), """
            extern "C" int cuInit(unsigned) { return 0; }
            extern "C" int cuDriverGetVersion(int* version) { *version = 10020; return 0; }
            extern "C" int cuDeviceGetCount(int* count) { *count = 1; return 0; }
            extern "C" int cuCtxPopCurrent_v2(void**) { return 0; }
            """);
        Map<String, String> environment =
                Map.of("LD_LIBRARY_PATH", old.getParent().toString());
        String said = " is too old: it has no function cuCtxPushCurrent_v2; driver 470 or later has it";
        Finished auto = run(environment, parity());
        auto.assertOk();
        assertTrue(auto.out().getFirst().contains("chosen because libcuda.so.1" + said), auto.out()::toString);
        run(environment, parity("--device", "cuda"))
                .assertError(ExitCode.FAILED, "device cuda:0 cannot be used: libcuda.so.1" + said);
        for (String device : List.of("auto", "cpu", "cuda")) {
            run(Map.of(), parity("--device", device, "--libcuda", old.toString()))
                    .assertError(ExitCode.FAILED, old + said);
        }
    }

    @Test
    void whatADriverMissesIsToldInTheLoadersWords() throws Exception {
        Path missing = compile(folder.resolve("broken/libnvidia-part.so"), "int part() { return 0; }");
        compile(
                folder.resolve("broken/libcuda.so.1"),
                "int part(); extern \"C\" int cuInit(unsigned) { return part(); }",
                missing.toString());
        Files.delete(missing);
        Finished auto = run(Map.of("LD_LIBRARY_PATH", missing.getParent().toString()), parity());
        auto.assertOk();
        assertTrue(
                auto.out().getFirst().contains("libcuda.so.1: libnvidia-part.so: cannot open shared object file"),
                auto.out()::toString);
    }

    // ---- libraries that are named ----

    @ParameterizedTest
    @ValueSource(strings = {"PLATEAU_LIBCUDA", "PLATEAU_LIBCUBLAS", "PLATEAU_LIBCUDNN"})
    void aLibraryThatTheEnvironmentNamesMustBeThere(String variable) throws Exception {
        run(Map.of(variable, "/nonexistent"), onCpu())
                .assertError(ExitCode.USAGE, variable + ": there is no file /nonexistent");
        assertFalse(Files.exists(folder.resolve("cache")), "nothing has begun");
    }

    @ParameterizedTest
    @CsvSource({"auto", "cpu", "cuda"})
    void aLibraryThatIsNoDriverIsRefused(String device) throws Exception {
        assumeTrue(Files.exists(Path.of(LIBM)), "libm lies elsewhere here");
        run(Map.of(), parity("--device", device, "--libcuda", LIBM))
                .assertError(ExitCode.FAILED, LIBM + " is no CUDA driver: it has no function cuInit");
        assertFalse(Files.exists(folder.resolve("p")));
    }

    @Test
    void aFileThatIsNoLibraryIsRefused() throws Exception {
        Path text = Files.writeString(folder.resolve("libcuda.so.1"), "text");
        run(Map.of(), onCpu("--libcuda", text.toString()))
                .assertError(ExitCode.FAILED, "cannot load " + text + ": file too short");
    }

    /** Results of somebody else name none: each would leave a file as soon as it is loaded. */
    @Test
    void aRunJsonNamesNoLibrary() throws Exception {
        Path loaded = folder.resolve("loaded");
        Path trap = compile(
                folder.resolve("trap/libcuda.so.1"),
                "#include <cstdio>\n__attribute__((constructor)) static void spring() { std::fclose(std::fopen(\""
                        + loaded + "\", \"w\")); }");
        run(Map.of(), onCpu("--checkpoint-every", "5")).assertOk();
        name(trap, "", "/settings");
        run(Map.of(), "parity", "--resume", "p").assertOk();
        name(trap, "", "/settings");
        run(Map.of(), "run", "p/run.json", "--device", "cpu", "--out", "again").assertOk();
        run(Map.of(), "plot", "p").assertOk();
        run(Map.of(), "export", "p").assertOk();
        name(trap, "/campaign", "/campaign/runs/0", "/campaign/runs/0/options");
        run(Map.of(), "parity", "--resume", "p").assertError(ExitCode.FAILED, "its campaign is damaged");
        run(Map.of(), "run", "p/run.json", "--device", "cpu", "--overwrite", "--out", "again")
                .assertError(ExitCode.USAGE, "'libcuda'");
        assertFalse(Files.exists(loaded));
        run(Map.of(), "doctor", "--libcuda", trap.toString());
        assertTrue(Files.exists(loaded), "the trap works");
    }

    /** Puts the library into nodes of p/run.json by every name that it could have there. */
    private void name(Path library, String... nodes) throws IOException {
        Path file = folder.resolve("p/run.json");
        ObjectMapper json = new ObjectMapper();
        JsonNode run = json.readTree(file.toFile());
        for (String node : nodes) {
            for (String name : List.of("libcuda", "libcublas", "libcudnn")) {
                ((ObjectNode) run.at(node))
                        .put(name, library.toString())
                        .put("--" + name, library.toString())
                        .put("PLATEAU_" + name.toUpperCase(Locale.ROOT), library.toString());
            }
        }
        json.writeValue(file.toFile(), run);
    }
}
