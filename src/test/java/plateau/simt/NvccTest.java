package plateau.simt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the build asks of an nvcc, by stand-ins that answer as those of several releases do. */
class NvccTest {
    private static final String ROOT = System.getProperty("plateau.basedir");

    @TempDir
    Path folder;

    private record Outcome(int status, List<String> lines) {}

    private Outcome ask(String release, String... architectures) throws IOException, InterruptedException {
        String codes = List.of(architectures).stream().map(code -> "sm_" + code).collect(Collectors.joining("\\n"));
        Path nvcc = Files.writeString(folder.resolve("nvcc"), """
            #!/bin/sh
            case "$1" in
              --version) echo 'nvcc: NVIDIA (R) Cuda compiler driver'
                         echo 'Cuda compilation tools, release %s, V%s.76' ;;
              --list-gpu-code) printf '%s\\n' ;;
              *) echo "nvcc fatal: $1" >&2; exit 1 ;;
            esac
            """.formatted(release, release, codes));
        assertTrue(nvcc.toFile().setExecutable(true));
        return build(nvcc);
    }

    private static Outcome build(Path nvcc) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        Path.of(ROOT, "native/Build.java").toString(),
                        ROOT,
                        "--nvcc",
                        nvcc.toString())
                .redirectErrorStream(true)
                .start();
        List<String> lines =
                new String(process.getInputStream().readAllBytes()).lines().toList();
        return new Outcome(process.waitFor(), lines);
    }

    /** 12.0 knows no Blackwell, 13.0 no Volta and more than this project compiles for. */
    @Test
    void eachReleaseCompilesForTheArchitecturesThatItKnows() throws Exception {
        Outcome old = ask("12.0", "50", "60", "70", "75", "80", "86", "87", "89", "90");
        assertEquals("12.0 75 80 86 89 90", old.lines.getFirst());
        assertEquals(
                List.of(
                        "-gencode=arch=compute_75,code=sm_75",
                        "-gencode=arch=compute_80,code=sm_80",
                        "-gencode=arch=compute_86,code=sm_86",
                        "-gencode=arch=compute_89,code=sm_89",
                        "-gencode=arch=compute_90,code=sm_90",
                        "-gencode=arch=compute_75,code=compute_75"),
                old.lines.subList(1, old.lines.size()));
        Outcome later = ask("13.0", "75", "80", "86", "87", "88", "89", "90", "100", "103", "110", "120", "121");
        assertEquals("13.0 75 80 86 89 90 100 120", later.lines.getFirst());
        Outcome last = ask("15.2", "90", "100", "120", "130");
        assertEquals("-gencode=arch=compute_90,code=compute_90", last.lines.getLast());
        assertEquals(0, last.status);
    }

    @Test
    void whatCannotCompileTheKernelsIsToldInOneLine() throws Exception {
        assertRefused(ask("11.8", "75", "80"), "nvcc is of CUDA 11.8; 12.0 or later is needed");
        assertRefused(ask("14.0", "130"), "compiles for none of sm_75");
        assertRefused(build(Path.of("/nonexistent/nvcc")), "/nonexistent/nvcc cannot be run");
        assertRefused(build(Path.of("/bin/true")), "does not say which release");
    }

    private static void assertRefused(Outcome outcome, String words) {
        assertEquals(1, outcome.status);
        assertEquals(1, outcome.lines.size(), outcome.lines::toString);
        assertTrue(outcome.lines.getFirst().contains(words), outcome.lines::toString);
    }
}
