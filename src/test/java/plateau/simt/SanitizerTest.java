package plateau.simt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs all kernels (native/test/sanitize.cpp), the CPU driver (native/test/driver_stress.cpp) and
 * its cuDNN (native/test/dnn_stress.cpp) under the sanitizers, and shows that the sanitizers see
 * what they are there for.
 */
@Execution(ExecutionMode.CONCURRENT)
class SanitizerTest {
    private static final Pattern KERNEL =
            Pattern.compile("__global__\\s+void\\s+(?:__launch_bounds__\\([^)]*\\)\\s*)?(\\w+)");

    private record Run(int status, String output) {}

    private static Path images(String folder) {
        return Path.of(System.getProperty("plateau.basedir"), "target/test-classes/plateau/native", folder);
    }

    private static Run sanitize(String folder, String... more) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(images(folder).toString()));
        arguments.addAll(List.of(more));
        return run(folder, "sanitize", arguments);
    }

    private static Run run(String folder, String name, List<String> arguments)
            throws IOException, InterruptedException {
        Path program = images(folder).resolve(name);
        Assumptions.assumeTrue(Files.exists(program), "g++ has no run-time library for " + folder + " here");
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("PLATEAU_CPU_THREADS", "4");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes());
        return new Run(process.waitFor(), output);
    }

    /** The names of all kernels in the sources, whoever compiles them. */
    private static Set<String> kernels() throws IOException {
        Set<String> names = new TreeSet<>();
        try (Stream<Path> files = Files.walk(Path.of(System.getProperty("plateau.basedir"), "kernels"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".cu")).toList()) {
                KERNEL.matcher(Files.readString(file)).results().forEach(kernel -> names.add(kernel.group(1)));
            }
        }
        return names;
    }

    private static void assertClean(Run run) throws IOException {
        assertEquals(0, run.status, run.output);
        Set<String> missing = kernels();
        assertTrue(
                missing.containsAll(List.of("adam", "conv2d_pool_forward", "pwl_curves")),
                "the sources are read: " + missing);
        run.output
                .lines()
                .filter(line -> line.endsWith(": clean"))
                .forEach(line -> missing.remove(line.substring(0, line.indexOf(':'))));
        assertEquals(Set.of(), missing, "native/test/sanitize.cpp does not run them");
    }

    @Test
    void kernelsHaveNoRaces() throws Exception {
        assertClean(sanitize("sanitize-thread"));
    }

    @Test
    void kernelsStayInsideTheirMemoryAndAreDefined() throws Exception {
        assertClean(sanitize("sanitize-address"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sanitize-thread", "sanitize-address"})
    void theDriverBearsStrain(String folder) throws Exception {
        Run run = run(
                folder,
                "driver-stress",
                List.of(images(folder).resolve("optimizer.so").toString()));
        assertEquals(0, run.status, run.output);
        assertTrue(run.output.endsWith("driver: clean\n"), run.output);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sanitize-thread", "sanitize-address"})
    void cudnnBearsStrain(String folder) throws Exception {
        Run run = run(folder, "dnn-stress", List.of());
        assertEquals(0, run.status, run.output);
        assertTrue(run.output.endsWith("dnn: clean\n"), run.output);
    }

    @Test
    void aRaceIsFound() throws Exception {
        Run run = sanitize("sanitize-thread", "race");
        assertNotEquals(0, run.status);
        assertTrue(run.output.contains("data race"), run.output);
    }

    @Test
    void anOverrunIsFound() throws Exception {
        Run run = sanitize("sanitize-address", "overrun");
        assertNotEquals(0, run.status);
        assertTrue(run.output.contains("heap-buffer-overflow"), run.output);
    }
}
