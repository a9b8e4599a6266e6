package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.cuda.load.NativeFiles;

/**
 * Where a command finds NVIDIA's libraries beside the driver, and what it says of them: with this
 * project's own in their places, the driver's too, so that it takes itself to be on a GPU. In
 * processes of their own.
 */
class NvidiaLibrariesTest {
    private static final Path CUBLAS_13 =
            Path.of(System.getProperty("plateau.basedir"), "target/test-classes/plateau/native/cuda13/libcublas.so.13");

    @TempDir
    Path temporary;

    private Path folder;

    @BeforeEach
    void resolveLinks() throws IOException {
        folder = temporary.toRealPath();
    }

    /** A copy, which is told from the original, with what it loads beside it. */
    private Path place(Path library, String where) throws IOException {
        Path copy = folder.resolve(where);
        Files.createDirectories(copy.getParent());
        Files.copy(library, copy);
        for (String beside : List.of("libdnnl.so.3", "libgomp.so.1")) {
            Path link = copy.resolveSibling(beside);
            if (Files.notExists(link)) {
                Files.createSymbolicLink(link, NativeFiles.library(beside).toAbsolutePath());
            }
        }
        return copy;
    }

    private Path text(String where) throws IOException {
        Path file = folder.resolve(where);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "text");
    }

    private Finished run(Map<String, String> environment, String... arguments) throws Exception {
        Map<String, String> all = new HashMap<>(
                Map.of("CUDA_PATH", "", "CUDA_HOME", "", "VIRTUAL_ENV", "", "CONDA_PREFIX", "", "LD_LIBRARY_PATH", ""));
        all.putAll(environment);
        return Finished.await(folder, Finished.start(folder, List.of(), all, arguments));
    }

    /** With the CPU's driver named as if it were NVIDIA's. */
    private Finished doctor(Map<String, String> environment, String... more) throws Exception {
        Finished finished = run(
                environment,
                Stream.concat(
                                Stream.of(
                                        "doctor",
                                        "--device",
                                        "cuda",
                                        "--libcuda",
                                        NativeFiles.library("libcuda.so.1").toString()),
                                Stream.of(more))
                        .toArray(String[]::new));
        assumeFalse(
                finished.out().stream().anyMatch(line -> line.matches(".*(where the loader looks|CUDA toolkit)$")),
                "this machine has NVIDIA's libraries where they are looked for first");
        return finished;
    }

    private static void assertLine(Finished finished, String title, String... words) {
        Optional<String> line =
                finished.out().stream().filter(out -> out.contains(title)).findFirst();
        for (String word : words) {
            assertTrue(line.isPresent() && line.get().contains(word), word + " in " + finished);
        }
    }

    @Test
    void cublas13OfPythonsPackagesIsUsedThroughTheForwarder() throws Exception {
        Path library = place(CUBLAS_13, "venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13");
        Path cudnn = place(
                NativeFiles.library("libcudnn.so.9"),
                "venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9");
        Finished doctor = doctor(Map.of("VIRTUAL_ENV", folder.resolve("venv").toString()));
        assertLine(doctor, "NVIDIA cuBLAS", "ok ", library + ", VIRTUAL_ENV's packages", "through the forwarder");
        assertLine(doctor, "NVIDIA cuDNN", "ok ", cudnn + ", VIRTUAL_ENV's packages");
        assertLine(doctor, "cuBLAS in use", "ok ", "version 120600, " + library);
        assertLine(doctor, "cuDNN in use", "ok ", "version 90501, " + cudnn);
    }

    /** On the CPU, where a product can be asked for. */
    @Test
    void cublas13ThatIsNamedIsUsedThroughTheForwarder() throws Exception {
        Path library = place(CUBLAS_13, "any/name.so");
        run(
                        Map.of(),
                        "parity",
                        "--device",
                        "cpu",
                        "--gemm",
                        "cublas",
                        "--libcublas",
                        library.toString(),
                        "--d",
                        "3",
                        "--steps",
                        "10")
                .assertOk();
        Finished doctor = run(Map.of("PLATEAU_LIBCUBLAS", library.toString()), "doctor", "--device", "cpu");
        assertEquals(ExitCode.OK, doctor.code(), doctor::toString);
        assertLine(doctor, "NVIDIA cuBLAS", "ok ", library + ", as named");
        assertLine(doctor, "cuBLAS in use", "ok ", "version 120600, " + library + ", as named");
    }

    @Test
    void whatIsRefusedIsToldAndTheNextPlaceIsTaken() throws Exception {
        Path broken = text("toolkit/lib64/libcublas.so.12");
        Map<String, String> environment =
                new HashMap<>(Map.of("CUDA_PATH", folder.resolve("toolkit").toString()));
        Finished refused = doctor(environment);
        assertLine(refused, "NVIDIA cuBLAS", "-  ", broken + ": file too short");
        assertLine(refused, "cuBLAS in use", "-  ", broken + ": file too short");
        Path whole = place(NativeFiles.library("libcublas.so.12"), "conda/lib/libcublas.so.12");
        environment.put("CONDA_PREFIX", folder.resolve("conda").toString());
        assertLine(doctor(environment), "cuBLAS in use", "ok ", whole + ", CONDA_PREFIX");
    }

    @Test
    void anotherVersionThatIsNamedIsRefused() throws Exception {
        Path library = NativeFiles.library("libcublas.so.12");
        String broken = text("no.so").toString();
        Finished doctor =
                run(Map.of(), "doctor", "--device", "cpu", "--libcudnn", library.toString(), "--libcublas", broken);
        assertLine(doctor, "NVIDIA cuDNN", library + ", as named");
        assertLine(doctor, "cuDNN in use", "-  ", library + ": this is libcublas.so.12; cuDNN 9 is wanted");
        assertLine(doctor, "cuBLAS in use", "-  ", "no.so: file too short");
        run(
                        Map.of(),
                        "tuple",
                        "--device",
                        "cpu",
                        "--k",
                        "1",
                        "--steps",
                        "1",
                        "--conv",
                        "cudnn",
                        "--libcudnn",
                        library.toString())
                .assertError(ExitCode.FAILED, "convolutions by cuDNN are asked for", "this is libcublas.so.12");
        run(Map.of(), "parity", "--device", "cpu", "--gemm", "cublas", "--libcublas", broken)
                .assertError(ExitCode.FAILED, "matrix products by cuBLAS are asked for", "file too short");
    }

    /** The folder that a command runs in may hold somebody else's results. */
    @Test
    void theCurrentFolderIsNoPlace() throws Exception {
        place(NativeFiles.library("libcublas.so.12"), "lib64/libcublas.so.12");
        Finished doctor = doctor(Map.of("CUDA_PATH", ".", "CONDA_PREFIX", "", "PATH", ":.:/usr/bin:/bin"));
        assertFalse(
                doctor.out().stream()
                        .anyMatch(line -> line.contains(folder.resolve("lib64").toString())),
                doctor::toString);
        assertLine(doctor, "NVIDIA cuBLAS");
    }
}
