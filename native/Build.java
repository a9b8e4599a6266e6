import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compiles kernels/ and native/: every kernel file as CPU images, PTX and (where nvcc is installed)
 * a fatbin; every library of the CPU driver. Incremental: a product is made again only when its
 * command line or a file it was made from has changed.
 *
 * <pre>
 * java native/Build.java PROJECT_DIRECTORY [auto|false|/path/of/nvcc]
 *     the build; Maven runs it in process-resources
 * java native/Build.java PROJECT_DIRECTORY --check KERNEL_FILE...
 *     only holds those files to the contract of kernels/common.cuh
 * java native/Build.java PROJECT_DIRECTORY --nvcc /path/of/nvcc
 *     only says which version that is, and what it is to compile for
 * </pre>
 */
final class Build {
    /**
     * Without the processor's approximate reciprocals and roots, which differ between models of one
     * instruction set.
     */
    private static final List<String> FAST_MATH =
            List.of("-ffast-math", "-fno-finite-math-only", "-mrecip=none", "-fveclib=libmvec");

    private static final List<String> EXACT_MATH =
            List.of("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math");

    private final Path root;
    private final Path classes;
    private final Path testClasses;
    private final Path work;
    private final Path clang;
    private final KernelContract contract;
    private final Path oneDnn;
    private final Optional<Nvcc> nvcc;
    private final Optional<Path> ptxas;
    private final List<Step> steps = new ArrayList<>();

    /** One product, the command that makes it, and where that command lists the files it read. */
    private record Step(
            String what, Path product, Path dependencies, List<Path> inputs, List<String> command, Action action) {}

    /** Runs a command with its output in a log, and whatever else there is to see to. */
    private interface Action {
        void run(List<String> command, Path log) throws IOException, InterruptedException;
    }

    /** A failed build, told in one line. */
    private static final class BuildException extends RuntimeException {
        BuildException(String message) {
            super(message);
        }
    }

    private Build(Path root, String nvccSetting) throws IOException, InterruptedException {
        this.root = root.toAbsolutePath().normalize();
        Path target = this.root.resolve("target");
        classes = target.resolve("classes/plateau");
        testClasses = target.resolve("test-classes/plateau");
        work = target.resolve("native");
        oneDnn = target.resolve("toolchain/org/bytedeco/dnnl/linux-x86_64");
        clang = prepareClang(target.resolve("toolchain/org/bytedeco/llvm/linux-x86_64"));
        contract = new KernelContract(this.root, clang);
        nvcc = switch (nvccSetting) {
            case "false" -> Optional.empty();
            case "auto" -> nvccOnPath();
            default -> Optional.of(Nvcc.of(Path.of(nvccSetting)));
        };
        ptxas = onPath("ptxas");
    }

    public static void main(String[] arguments) throws Exception {
        try {
            if (arguments.length > 1 && arguments[1].equals("--check")) {
                List<Path> sources = Arrays.stream(arguments)
                        .skip(2)
                        .map(Path::of)
                        .map(Path::toAbsolutePath)
                        .toList();
                new Build(Path.of(arguments[0]), "false").check(sources);
            } else if (arguments.length == 3 && arguments[1].equals("--nvcc")) {
                Nvcc nvcc = Nvcc.of(Path.of(arguments[2]));
                System.out.println(nvcc);
                nvcc.code().forEach(System.out::println);
            } else {
                new Build(Path.of(arguments[0]), arguments.length > 1 ? arguments[1] : "auto").run();
            }
        } catch (BuildException | KernelContract.Violation | Nvcc.UnusableException e) {
            System.err.println("native build: " + e.getMessage());
            System.exit(1);
        }
    }

    private void run() throws Exception {
        if (onPath("g++").isEmpty()) {
            throw new BuildException(
                    "g++ is missing: its C++ headers are needed; install it (Debian and Ubuntu: apt install g++)");
        }
        for (Path source : files(root.resolve("kernels"), "**.cu")) {
            String name = moduleName(root.resolve("kernels"), source);
            Path shim = writeShim("gen", name, source);
            checkContract(name, source, shim);
            images(name, source, shim, classes);
            gpu(name, source);
        }
        for (Path header : files(root.resolve("kernels"), "**.cuh")) {
            contract.declarations(header);
        }
        for (Path source : files(root.resolve("native/bench"), "*.cu")) {
            String name = "bench/" + moduleName(root.resolve("native/bench"), source);
            images(name, source, writeShim("gen", name, source), classes);
        }
        for (Path source : files(root.resolve("native/test"), "*.cu")) {
            String name = "test/" + moduleName(root.resolve("native/test"), source);
            images(name, source, writeShim("gen", name, source), testClasses);
        }
        Path libcuda = library(
                "driver",
                classes.resolve("native/libcuda.so.1"),
                root.resolve("native/driver/exports.map"),
                List.of("-lpthread", "-ldl"));
        compileAll();
        library(
                "blas",
                classes.resolve("native/libcublas.so.12"),
                root.resolve("native/blas/exports.map"),
                List.of(libcuda.toString(), "-ldl"));
        // For the forwarder's test: the same library as CUDA 13 would name it.
        library(
                "blas",
                testClasses.resolve("native/cuda13/libcublas.so.13"),
                root.resolve("native/test/cublas13.map"),
                List.of(libcuda.toString(), "-ldl"));
        library(
                "dnn",
                classes.resolve("native/libcudnn.so.9"),
                root.resolve("native/dnn/exports.map"),
                List.of(
                        libcuda.toString(),
                        oneDnn.resolve("libdnnl.so.3").toString(),
                        oneDnn.resolve("libgomp.so.1").toString(),
                        "-Wl,-rpath,$ORIGIN",
                        // As RPATH, which comes before LD_LIBRARY_PATH, and not as RUNPATH, which
                        // comes after.
                        "-Wl,--disable-new-dtags"));
        library(
                "forward",
                classes.resolve("native/forward/libcublas.so.12"),
                root.resolve("native/forward/exports.map"),
                List.of("-ldl"));
        compile(
                "test/nvtx",
                testClasses.resolve("native/nvtx/libnvtx3interop.so.1"),
                List.of(root.resolve("native/test/nvtx_stand_in.cpp")),
                List.of(
                        "g++",
                        "-std=c++20",
                        "-O1",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-fPIC",
                        "-shared",
                        "-fvisibility=hidden",
                        root.resolve("native/test/nvtx_stand_in.cpp").toString(),
                        "-o",
                        testClasses.resolve("native/nvtx/libnvtx3interop.so.1").toString()));
        sanitizers();
        checkAbi();
        compileAll();
        copyPrebuilt();
        writeToolkit();
        writeCatalogue();
        removeStrays();
        writeCompileCommands();
        writeIndex(classes);
        writeIndex(testClasses);
        System.out.println(made == 0 ? "native build: nothing to compile" : "native build: " + made + " compiled");
    }

    // ---- what is made ----

    /**
     * A translation unit per kernel file: the kernel source between the CUDA vocabulary for CPUs
     * and the list of its kernels.
     */
    private Path writeShim(String folder, String name, Path source) throws IOException {
        Path file = work.resolve(folder + "/" + name + ".cpp");
        StringBuilder shim = new StringBuilder("#include \"simt/simt.h\"\n#include \"")
                .append(file.getParent().relativize(source))
                .append("\"\n#include \"simt/export.h\"\nSIMT_IMAGE_BEGIN\n");
        contract.declarations(source)
                .forEach(kernel -> shim.append("SIMT_KERNEL(")
                        .append(kernel.name())
                        .append(", ")
                        .append(kernel.bound())
                        .append(", ")
                        .append(kernel.replicated())
                        .append(")\n"));
        shim.append("SIMT_IMAGE_END\n");
        Files.createDirectories(file.getParent());
        if (!Files.exists(file) || !Files.readString(file).equals(shim.toString())) {
            Files.writeString(file, shim);
        }
        return file;
    }

    /** Kernels that break the contract at the head of kernels/common.cuh stop the build. */
    private void checkContract(String name, Path source, Path shim) throws IOException {
        for (KernelContract.Kind kind : KernelContract.Kind.values()) {
            if (contract.declarations(source).stream().anyMatch(kernel -> kernel.kind() == kind)) {
                String what = "contract/" + name + "." + kind.text();
                Path program = work.resolve(what);
                compile(what, program, List.of(shim), contract.command(kind, shim, program), (command, log) -> {
                    List<String> violations = contract.violations(source, kind, command, log);
                    if (!violations.isEmpty()) {
                        throw new BuildException(String.join("\n", violations));
                    }
                });
            }
        }
    }

    /**
     * Holds the kernels of these files, and nothing else, to the contract: all violations, a line
     * each.
     */
    private void check(List<Path> sources) throws Exception {
        List<String> violations = new ArrayList<>();
        for (Path source : sources) {
            String name = source.getFileName().toString();
            try {
                List<KernelContract.Declaration> declared = contract.declarations(source);
                Path shim = writeShim("check", name, source);
                for (KernelContract.Kind kind : KernelContract.Kind.values()) {
                    if (declared.stream().anyMatch(kernel -> kernel.kind() == kind)) {
                        Path program = work.resolve("check/" + name + "." + kind.text());
                        violations.addAll(contract.violations(
                                source, kind, contract.command(kind, shim, program), Path.of(program + ".log")));
                    }
                }
            } catch (KernelContract.Violation violation) {
                violations.add(violation.getMessage());
            }
        }
        if (!violations.isEmpty()) {
            throw new BuildException(String.join("\n", violations));
        }
    }

    /**
     * CPU images: two instruction sets for use, and one with real threads (as fibers) for tests.
     * What is thread-local in them is left to the default model: initial-exec would take it from
     * the room that the loader has for all libraries of a process, which some hundred images fill.
     */
    private void images(String name, Path source, Path shim, Path output) {
        List<String> math = exactMath(source) ? EXACT_MATH : FAST_MATH;
        for (String cpu : List.of("x86-64-v3", "x86-64-v4")) {
            List<String> flags = new ArrayList<>(
                    List.of("-DSIMT_ONE_THREAD", "-O3", "-march=" + cpu, "-fopenmp-simd", "-nostdlib++"));
            if (cpu.endsWith("v4")) {
                flags.add("-mprefer-vector-width=512");
            }
            flags.addAll(math);
            image(cpu + "/" + name, shim, output.resolve("native/" + cpu + "/" + name + ".so"), flags);
        }
        image(
                "fibers/" + name,
                shim,
                testClasses.resolve("native/fibers/" + name + ".so"),
                concat(
                        List.of("-DSIMT_FIBERS", "-O1", "-march=x86-64-v3", "-static-libstdc++", "-static-libgcc"),
                        EXACT_MATH));
    }

    private void image(String what, Path shim, Path product, List<String> flags) {
        List<String> command = new ArrayList<>(List.of(
                clang.toString(),
                "--driver-mode=g++",
                "-std=c++20",
                "-fPIC",
                "-shared",
                "-fvisibility=hidden",
                "-Wall",
                "-Wextra",
                "-Wno-unknown-pragmas",
                "-Wno-pass-failed",
                "-Werror",
                "-fno-exceptions",
                "-fno-rtti",
                "-fno-threadsafe-statics",
                "-g1"));
        command.addAll(flags);
        command.addAll(List.of(
                "-I",
                root.resolve("native").toString(),
                shim.toString(),
                "-o",
                product.toString(),
                "-Wl,--no-undefined",
                "-lm"));
        compile(what, product, List.of(shim), command);
    }

    /**
     * PTX for any GPU, and a fatbin where nvcc is. What clang does to loops saves instructions on a
     * CPU and costs registers on a GPU, where the driver's compiler optimises once more: with these
     * options it needs no more registers than nvcc does, and conv2d spills none.
     */
    private void gpu(String name, Path source) {
        boolean exact = exactMath(source);
        Path ptx = classes.resolve("ptx/" + name + ".ptx");
        compile(
                "ptx/" + name,
                ptx,
                List.of(source),
                concat(
                        List.of(
                                clang.toString(),
                                "-x",
                                "cuda",
                                "--cuda-device-only",
                                "--cuda-gpu-arch=sm_75",
                                // The oldest with sm_75: any driver that knows the GPU takes it.
                                "--cuda-feature=+ptx63",
                                "-nocudainc",
                                "-nocudalib",
                                "-std=c++20",
                                "-O1",
                                "-fno-unroll-loops",
                                "-mllvm",
                                "-disable-lsr",
                                "-S",
                                // Lines for profilers, by names that are the same everywhere.
                                "-gline-tables-only",
                                "-fdebug-compilation-dir=.",
                                "-fdebug-prefix-map=" + root + "/=",
                                "-Wall",
                                "-Wextra",
                                "-Werror",
                                "-Wno-unknown-cuda-version",
                                "-Wno-pass-failed",
                                "-include",
                                root.resolve("native/ptx/prelude.h").toString()),
                        exact
                                ? List.of("-ffp-contract=off")
                                : List.of(
                                        "-ffp-contract=fast",
                                        "-fcuda-flush-denormals-to-zero",
                                        "-fcuda-approx-transcendentals"),
                        List.of(source.toString(), "-o", ptx.toString())));
        nvcc.ifPresent(compiler -> {
            Path fatbin = classes.resolve("fatbin/" + name + ".fatbin");
            List<String> command = new ArrayList<>(List.of(
                    compiler.program().toString(),
                    "-fatbin",
                    "-std=c++20",
                    "-O3",
                    "-lineinfo",
                    "-Xptxas",
                    "-v", // what each kernel takes, for the catalogue
                    "-Werror",
                    "all-warnings"));
            command.addAll(compiler.code());
            command.add("-DPLATEAU_NVCC=" + compiler.version()); // so that another version compiles again
            command.add(exact ? "-fmad=false" : "-use_fast_math");
            command.addAll(List.of(source.toString(), "-o", fatbin.toString()));
            compile("fatbin/" + name, fatbin, List.of(source), command);
        });
    }

    /**
     * Data kernels give the same bits everywhere, so nothing may be reordered or contracted in
     * them.
     */
    private boolean exactMath(Path source) {
        return source.startsWith(root.resolve("kernels/data"));
    }

    private Path library(String folder, Path product, Path exports, List<String> links) throws IOException {
        Path sources = root.resolve("native/" + folder);
        List<Path> objects = new ArrayList<>();
        for (Path source : files(sources, "*.cpp")) {
            Path object = work.resolve("obj/" + folder + "/" + source.getFileName() + ".o");
            compile(
                    folder + "/" + source.getFileName(),
                    object,
                    List.of(source),
                    List.of(
                            clang.toString(),
                            "-std=c++20",
                            "-O2",
                            "-g1",
                            "-march=x86-64-v2",
                            "-fPIC",
                            "-fvisibility=hidden",
                            "-Wall",
                            "-Wextra",
                            "-Werror",
                            "-pthread",
                            "-I",
                            root.resolve("native").toString(),
                            "-isystem",
                            oneDnn.resolve("include").toString(),
                            "-c",
                            source.toString(),
                            "-o",
                            object.toString()));
            objects.add(object);
        }
        if (!objects.isEmpty()) {
            compileAll();
            List<Path> inputs = new ArrayList<>(objects);
            inputs.add(exports);
            compile(
                    folder + "/" + product.getFileName(),
                    product,
                    inputs,
                    concat(
                            List.of(
                                    clang.toString(),
                                    "--driver-mode=g++",
                                    "-shared",
                                    "-o",
                                    product.toString(),
                                    "-Wl,-soname," + product.getFileName(),
                                    "-Wl,--version-script=" + exports,
                                    "-Wl,--no-undefined",
                                    // Only what is called of this machine's libstdc++, and the
                                    // system's own unwinder: the rest needs a newer glibc.
                                    "-Wl,--gc-sections",
                                    "-static-libstdc++",
                                    "-shared-libgcc"),
                            objects.stream().map(Path::toString).toList(),
                            links));
        }
        return product;
    }

    /**
     * The kernels with a program that runs them, and the driver and its cuDNN with one each that
     * strains them, once under ThreadSanitizer with an operating-system thread per CUDA thread,
     * once under AddressSanitizer and UndefinedBehaviorSanitizer with fibers. By g++, whose
     * sanitizers' run-time libraries come with it; where they do not, nothing is made and the tests
     * say so.
     */
    private void sanitizers() throws IOException {
        Path harness = root.resolve("native/test/sanitize.cpp");
        for (String sanitizer : List.of("thread", "address,undefined")) {
            String folder = "sanitize-" + sanitizer.split(",")[0];
            List<String> common = List.of(
                    "g++",
                    "-std=c++20",
                    "-O1",
                    "-g",
                    "-fno-omit-frame-pointer",
                    "-fsanitize=" + sanitizer,
                    "-fno-sanitize-recover=all",
                    "-I",
                    root.resolve("native").toString());
            if (!hasSanitizer(sanitizer)) {
                System.out.println("native build: g++ has no -fsanitize=" + sanitizer + "; its tests will be skipped");
                continue;
            }
            for (Path shim : files(work.resolve("gen"), "**.cpp")) {
                String name = moduleName(work.resolve("gen"), shim).replaceAll("\\.cpp$", "");
                Path product = testClasses.resolve("native/" + folder + "/" + name + ".so");
                compile(
                        folder + "/" + name,
                        product,
                        List.of(shim),
                        concat(
                                common,
                                List.of(
                                        sanitizer.equals("thread") ? "-DSIMT_THREADS" : "-DSIMT_FIBERS",
                                        "-Wno-unknown-pragmas",
                                        "-march=x86-64-v3",
                                        "-ffp-contract=off",
                                        "-fvisibility=hidden",
                                        "-fPIC",
                                        "-shared",
                                        shim.toString(),
                                        "-o",
                                        product.toString())));
            }
            Path program = testClasses.resolve("native/" + folder + "/sanitize");
            compile(
                    folder + "/sanitize",
                    program,
                    List.of(harness),
                    concat(
                            common,
                            List.of(
                                    "-Wall",
                                    "-Wextra",
                                    "-Werror",
                                    harness.toString(),
                                    "-o",
                                    program.toString(),
                                    "-ldl",
                                    "-lpthread")));
            Path stress = testClasses.resolve("native/" + folder + "/driver-stress");
            List<String> sources = Stream.concat(
                            Stream.of(root.resolve("native/test/driver_stress.cpp")),
                            files(root.resolve("native/driver"), "*.cpp").stream())
                    .map(Path::toString)
                    .toList();
            List<Path> inputs = Stream.concat(
                            sources.stream().map(Path::of), files(root.resolve("native/driver"), "*.h").stream())
                    .toList();
            compile(
                    folder + "/driver-stress",
                    stress,
                    inputs,
                    concat(
                            common,
                            List.of("-Wall", "-Wextra", "-Werror"),
                            sources,
                            List.of("-o", stress.toString(), "-ldl", "-lpthread")));
            Path dnnStress = testClasses.resolve("native/" + folder + "/dnn-stress");
            List<Path> dnnInputs = new ArrayList<>(List.of(root.resolve("native/test/dnn_stress.cpp")));
            for (String library : List.of("native/dnn", "native/driver")) {
                dnnInputs.addAll(files(root.resolve(library), "*.cpp"));
            }
            compile(
                    folder + "/dnn-stress",
                    dnnStress,
                    dnnInputs,
                    concat(
                            common,
                            List.of(
                                    "-Wall",
                                    "-Wextra",
                                    "-Werror",
                                    "-isystem",
                                    oneDnn.resolve("include").toString()),
                            dnnInputs.stream().map(Path::toString).toList(),
                            List.of(
                                    "-o",
                                    dnnStress.toString(),
                                    oneDnn.resolve("libdnnl.so.3").toString(),
                                    oneDnn.resolve("libgomp.so.1").toString(),
                                    "-Wl,-rpath," + oneDnn,
                                    "-ldl",
                                    "-lpthread")));
        }
    }

    /**
     * Where NVIDIA's headers are installed, beside ptxas or in the toolkit's usual place, what the
     * driver and the stand-in of NVTX declare must agree with them.
     */
    private void checkAbi() {
        Map<String, String> headers = Map.of("cuda_abi", "cuda.h", "nvtx_abi", "nvtx3/nvToolsExt.h");
        headers.forEach((name, header) -> Stream.concat(
                        ptxas.map(tool -> tool.resolveSibling("../include").normalize()).stream(),
                        Stream.of(Path.of("/usr/local/cuda/include")))
                .filter(include -> Files.exists(include.resolve(header)))
                .findFirst()
                .ifPresent(include -> checkAbi(name, include)));
    }

    private void checkAbi(String name, Path include) {
        Path source = root.resolve("native/test/" + name + ".cpp"), object = work.resolve("obj/test/" + name + ".o");
        compile(
                "test/" + name + ".cpp",
                object,
                List.of(source),
                List.of(
                        "g++",
                        "-std=c++20",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-I",
                        root.resolve("native").toString(),
                        "-I",
                        include.toString(),
                        "-c",
                        source.toString(),
                        "-o",
                        object.toString()));
    }

    private static boolean hasSanitizer(String sanitizer) throws IOException {
        List<String> command = List.of("g++", "-fsanitize=" + sanitizer, "-x", "c++", "-", "-o", "/dev/null");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (var source = process.outputWriter()) {
            source.write("int main() {}");
        } catch (IOException e) {
            // It has answered without reading.
        }
        try {
            return process.waitFor() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** How each source file is compiled, for clangd and other tools: of kernels, the way to PTX. */
    private void writeCompileCommands() throws IOException {
        String entries = commands.entrySet().stream()
                .map(entry -> "{\"directory\": %s, \"file\": %s, \"arguments\": [%s]}"
                        .formatted(
                                quoted(root.toString()),
                                quoted(entry.getKey().toString()),
                                entry.getValue().stream().map(Build::quoted).collect(Collectors.joining(", "))))
                .collect(Collectors.joining(",\n", "[\n", "\n]\n"));
        Files.writeString(root.resolve("target/compile_commands.json"), entries);
    }

    /** As JSON writes a string of printable characters. */
    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /** What made the fatbins: the program tells its user which driver they need. */
    private void writeToolkit() throws IOException {
        if (nvcc.isPresent()) {
            Path file = classes.resolve("fatbin/toolkit");
            products.add(file);
            Files.createDirectories(file.getParent());
            Files.writeString(file, nvcc.get() + "\n");
        }
    }

    /** Registers and the like are those of the fatbins, else those that ptxas gave the PTX. */
    private void writeCatalogue() throws IOException {
        KernelCatalogue catalogue = new KernelCatalogue(root);
        for (Path source : files(root.resolve("kernels"), "**.cu")) {
            String name = moduleName(root.resolve("kernels"), source);
            catalogue.add(source, log(nvcc.isPresent() ? "fatbin/" + name : "ptx/" + name));
        }
        catalogue.write(classes.resolve("kernel/catalogue.json"));
    }

    private void copyPrebuilt() throws IOException {
        for (String name : List.of("libdnnl.so.3", "libgomp.so.1")) {
            copyIfNewer(oneDnn.resolve(name), classes.resolve("native/" + name));
        }
    }

    /**
     * A product that nothing makes any more, of a deleted kernel or of a build with nvcc, must not
     * travel with the program.
     */
    private void removeStrays() throws IOException {
        for (Path output : List.of(classes, testClasses)) {
            for (String kind : List.of("native", "ptx", "fatbin")) {
                for (Path file : files(output.resolve(kind), "**")) {
                    if (!products.contains(file)
                            && !file.getFileName().toString().equals("index")) {
                        Files.delete(file);
                    }
                }
            }
        }
    }

    private void copyIfNewer(Path from, Path to) throws IOException {
        products.add(to);
        if (!Files.exists(to)
                || Files.size(to) != Files.size(from)
                || Files.getLastModifiedTime(to).compareTo(Files.getLastModifiedTime(from)) < 0) {
            Files.createDirectories(to.getParent());
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** One line per file, "sha256 size path", by which the program checks what it extracts. */
    private static void writeIndex(Path output) throws IOException {
        StringBuilder index = new StringBuilder();
        for (String kind : List.of("native", "ptx", "fatbin")) {
            for (Path file : files(output.resolve(kind), "**")) {
                if (!file.getFileName().toString().equals("index")) {
                    index.append(sha256(Files.readAllBytes(file)))
                            .append(' ')
                            .append(Files.size(file))
                            .append(' ')
                            .append(output.relativize(file))
                            .append('\n');
                }
            }
        }
        Path file = output.resolve("native/index");
        Files.createDirectories(file.getParent());
        if (!Files.exists(file) || !Files.readString(file).equals(index.toString())) {
            Files.writeString(file, index);
        }
    }

    // ---- how it is made ----

    private final Set<Path> products = new HashSet<>();
    private final Map<Path, List<String>> commands = new TreeMap<>();
    private int made;

    private void compile(String what, Path product, List<Path> inputs, List<String> command) {
        compile(what, product, inputs, command, (arguments, log) -> run(what, arguments, log));
    }

    private void compile(String what, Path product, List<Path> inputs, List<String> command, Action action) {
        Path state = state(what);
        products.add(product);
        if (inputs.size() == 1 && !inputs.getFirst().startsWith(work)) {
            commands.putIfAbsent(inputs.getFirst(), command);
        }
        steps.add(new Step(what, product, state, inputs, command, action));
    }

    private Path state(String what) {
        return work.resolve("state/" + what.replace('/', '_'));
    }

    /** What the tools said that made a product. */
    private Path log(String what) {
        return Path.of(state(what) + ".log");
    }

    /**
     * Runs the collected steps that are out of date, as many at once as there are processors, and
     * forgets them.
     */
    private void compileAll() throws IOException {
        List<Step> stale = new ArrayList<>();
        for (Step step : steps) {
            if (!upToDate(step)) {
                stale.add(step);
            }
        }
        steps.clear();
        try (ExecutorService pool =
                Executors.newFixedThreadPool(Math.max(1, Runtime.getRuntime().availableProcessors()))) {
            List<Future<?>> running = stale.stream()
                    .<Future<?>>map(step -> pool.submit(() -> {
                        make(step);
                        return null;
                    }))
                    .toList();
            for (Future<?> future : running) {
                try {
                    future.get();
                } catch (ExecutionException e) {
                    pool.shutdownNow();
                    throw e.getCause() instanceof RuntimeException failure
                            ? failure
                            : new BuildException(e.getCause().toString());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new BuildException("interrupted");
                }
            }
        }
        made += stale.size();
    }

    private void make(Step step) throws IOException, InterruptedException {
        Files.createDirectories(step.product.getParent());
        Files.createDirectories(step.dependencies.getParent());
        Files.deleteIfExists(step.dependencies);
        Path depfile = Path.of(step.dependencies + ".d");
        Path log = Path.of(step.dependencies + ".log");
        List<String> command = new ArrayList<>(step.command);
        boolean link = step.inputs.stream()
                .allMatch(input ->
                        input.toString().endsWith(".o") || input.toString().endsWith(".map"));
        if (!link) {
            command.addAll(List.of("-MD", "-MF", depfile.toString()));
        }
        System.out.println("native build: " + step.what);
        step.action.run(command, log);
        if (step.product.toString().endsWith(".ptx") && ptxas.isPresent()) {
            checkPtx(step, log);
        }
        List<Path> read = link
                ? step.inputs
                : Stream.concat(step.inputs.stream(), parseDepfile(depfile).stream())
                        .distinct()
                        .toList();
        Files.writeString(step.dependencies, stateOf(step, read));
    }

    private static void run(String what, List<String> command, Path log) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (process.waitFor() != 0) {
            throw new BuildException(what + " does not compile:\n" + Files.readString(log, StandardCharsets.UTF_8));
        }
    }

    /** ptxas must accept what clang made, and spill no register to memory. */
    private void checkPtx(Step step, Path log) throws IOException, InterruptedException {
        Path cubin = Path.of(step.dependencies + ".cubin");
        run(
                step.what + " (ptxas)",
                List.of(
                        ptxas.orElseThrow().toString(),
                        "-v",
                        "-arch=sm_90",
                        step.product.toString(),
                        "-o",
                        cubin.toString()),
                log);
        Files.deleteIfExists(cubin);
        try (Stream<String> lines = Files.lines(log)) {
            lines.filter(line -> line.contains("spill") && !line.contains(" 0 bytes spill stores"))
                    .findFirst()
                    .ifPresent(line -> {
                        throw new BuildException(step.what + " spills registers: " + line.strip() + ", see " + log);
                    });
        }
    }

    /**
     * First line: hash of the command. Then "mtime size path" per file read. Paths are told from
     * the root, so that a build that is moved or copied with its times is still one.
     */
    private String stateOf(Step step, List<Path> read) throws IOException {
        StringBuilder state = new StringBuilder(hashOf(step.command)).append('\n');
        for (Path file : read) {
            state.append(stamp(file))
                    .append(' ')
                    .append(fromRoot(file.toString()))
                    .append('\n');
        }
        return state.toString();
    }

    private String hashOf(List<String> command) {
        return sha256(fromRoot(String.join("\0", command)).getBytes(StandardCharsets.UTF_8));
    }

    private String fromRoot(String text) {
        return text.replace(root + "/", "");
    }

    private static String stamp(Path file) throws IOException {
        return Files.getLastModifiedTime(file).toMillis() + " " + Files.size(file);
    }

    private boolean upToDate(Step step) throws IOException {
        if (!Files.exists(step.product) || !Files.exists(step.dependencies)) {
            return false;
        }
        List<String> lines = Files.readAllLines(step.dependencies);
        if (lines.isEmpty() || !lines.getFirst().equals(hashOf(step.command))) {
            return false;
        }
        for (String line : lines.subList(1, lines.size())) {
            String[] parts = line.split(" ", 3);
            Path file = root.resolve(parts[2]);
            if (!Files.exists(file) || !stamp(file).equals(parts[0] + " " + parts[1])) {
                return false;
            }
        }
        return true;
    }

    private List<Path> parseDepfile(Path depfile) throws IOException {
        String text = Files.readString(depfile).replace("\\\n", " ");
        return Arrays.stream(text.substring(text.indexOf(": ") + 2).trim().split("\\s+"))
                .map(path -> Path.of(path).normalize())
                .filter(path -> path.startsWith(root) && !path.startsWith(root.resolve("target/toolchain")))
                .toList();
    }

    // ---- small tools ----

    /**
     * The artifact stores its tools without execute bits and its libraries without the version
     * suffix their users look for.
     */
    static Path prepareClang(Path folder) throws IOException {
        Path clang = folder.resolve("clang");
        if (!Files.exists(clang) || !Files.exists(folder.resolve("clang-format"))) {
            throw new BuildException(
                    "clang is not unpacked under target/toolchain; run the build through Maven: mvn -B package");
        }
        for (String tool : List.of("clang", "clang-format", "lld")) {
            folder.resolve(tool).toFile().setExecutable(true);
        }
        for (String library : List.of("libLLVM.so", "libclang-cpp.so")) {
            Path link = folder.resolve(library + ".20.1");
            if (!Files.exists(link)) {
                Files.createSymbolicLink(link, Path.of(library));
            }
        }
        return clang;
    }

    /** One that cannot be used leaves the GPUs' drivers to compile the PTX. */
    private static Optional<Nvcc> nvccOnPath() throws IOException, InterruptedException {
        try {
            Optional<Path> found = onPath("nvcc");
            return found.isPresent() ? Optional.of(Nvcc.of(found.get())) : Optional.empty();
        } catch (Nvcc.UnusableException e) {
            System.out.println("native build: no fatbins: " + e.getMessage());
            return Optional.empty();
        }
    }

    private static Optional<Path> onPath(String tool) {
        return Arrays.stream(System.getenv("PATH").split(":"))
                .map(folder -> Path.of(folder, tool))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static String moduleName(Path folder, Path source) {
        return folder.relativize(source).toString().replaceAll("\\.cu$", "");
    }

    private static List<Path> files(Path folder, String glob) throws IOException {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + folder + "/" + glob);
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (matcher.matches(file)) {
                        found.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        }
        return found.stream().sorted().collect(Collectors.toList());
    }

    @SafeVarargs
    private static List<String> concat(List<String>... lists) {
        return Arrays.stream(lists).flatMap(List::stream).toList();
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
