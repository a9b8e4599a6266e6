package plateau.cuda.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where NVIDIA's libraries are looked for, in folders as toolkits and Python's packages are. */
class LibraryFoldersTest {
    @TempDir
    Path temporary;

    private Path root;

    @BeforeEach
    void resolveLinks() throws IOException {
        root = temporary.toRealPath();
    }

    private Path folder(String name) throws IOException {
        return Files.createDirectories(root.resolve(name));
    }

    private String path(String name) {
        return root.resolve(name).toString();
    }

    private List<String> found(Map<String, String> environment) {
        return LibraryFolders.all(environment, root).stream()
                .map(found -> root.relativize(found.path()).toString())
                .toList();
    }

    @Test
    void toolkitsComeFirstAndTheLatestOfThem() throws IOException {
        folder("usr/local/cuda-12.9/lib64");
        folder("usr/local/cuda-13.0/lib64");
        folder("usr/local/cuda-9.2/lib64");
        Files.createSymbolicLink(root.resolve("usr/local/cuda"), root.resolve("usr/local/cuda-12.9"));
        folder("toolkit/targets/x86_64-linux/lib");
        folder("venv/lib/python3.12/site-packages/nvidia/cublas/lib");
        assertEquals(
                List.of(
                        "toolkit/targets/x86_64-linux/lib",
                        "usr/local/cuda/lib64",
                        "usr/local/cuda-13.0/lib64",
                        "usr/local/cuda-9.2/lib64",
                        "venv/lib/python3.12/site-packages/nvidia/cublas/lib"),
                found(Map.of("CUDA_PATH", path("toolkit"), "VIRTUAL_ENV", path("venv"))));
    }

    @Test
    void packagesOfEachPythonAreThere() throws IOException {
        folder("venv/lib/python3.9/site-packages/nvidia/cu13/lib");
        folder("venv/lib/python3.11/site-packages/nvidia/cu13/lib");
        folder("venv/lib/python3.11/site-packages/nvidia/cudnn/lib");
        folder("venv/lib/python3.11/site-packages/nvidia/cudnn/include");
        folder("conda/lib");
        folder("conda/lib/python3.10/site-packages/nvidia/cublas/lib");
        assertEquals(
                List.of(
                        "venv/lib/python3.11/site-packages/nvidia/cudnn/lib",
                        "venv/lib/python3.11/site-packages/nvidia/cu13/lib",
                        "venv/lib/python3.9/site-packages/nvidia/cu13/lib",
                        "conda/lib",
                        "conda/lib/python3.10/site-packages/nvidia/cublas/lib"),
                found(Map.of("VIRTUAL_ENV", path("venv"), "CONDA_PREFIX", path("conda"))));
        assertEquals(
                List.of(
                        root.resolve("venv/lib/python3.11/site-packages/nvidia/cudnn/lib"),
                        root.resolve("venv/lib/python3.11/site-packages/nvidia/cu13/lib")),
                LibraryFolders.beside(root.resolve("venv/lib/python3.11/site-packages/nvidia/cudnn/lib")));
        assertEquals(List.of(root.resolve("conda/lib")), LibraryFolders.beside(root.resolve("conda/lib")));
    }

    /** A virtual environment's python3 is a link to that of the system: both have packages. */
    @Test
    void pythonOnThePathIsFoundWithoutRunningIt() throws IOException {
        folder("env/lib/python3.11/site-packages/nvidia/cublas/lib");
        folder("usr/lib/python3/dist-packages/nvidia/cudnn/lib");
        folder("usr/local/lib/python3.11/dist-packages/nvidia/cublas/lib");
        folder("home/.local/lib/python3.11/site-packages/nvidia/cu13/lib");
        Path program = folder("usr/bin").resolve("python3.11");
        Path ran = root.resolve("ran");
        Files.writeString(program, "#!/bin/sh\ntouch '" + ran + "'\n");
        assertTrue(program.toFile().setExecutable(true));
        Files.createSymbolicLink(folder("env/bin").resolve("python3"), program);
        folder("empty");
        assertEquals(
                List.of(
                        "home/.local/lib/python3.11/site-packages/nvidia/cu13/lib",
                        "env/lib/python3.11/site-packages/nvidia/cublas/lib",
                        "usr/lib/python3/dist-packages/nvidia/cudnn/lib",
                        "usr/local/lib/python3.11/dist-packages/nvidia/cublas/lib"),
                found(Map.of("PATH", path("empty") + ":" + path("env/bin"), "HOME", path("home"))));
        assertTrue(Files.notExists(ran));
    }

    /** They would mean another place in each folder that a command runs in, that of results too. */
    @Test
    void whatIsNotAnAbsolutePathIsNoPlace() throws IOException {
        folder("lib64");
        Path here = Path.of("").toAbsolutePath();
        String relative = here.relativize(root).toString();
        assertEquals(
                List.of(),
                found(Map.of(
                        "CUDA_PATH",
                        relative,
                        "CUDA_HOME",
                        "",
                        "VIRTUAL_ENV",
                        ".",
                        "CONDA_PREFIX",
                        relative,
                        "HOME",
                        relative,
                        "PATH",
                        ":.:" + relative)));
    }
}
