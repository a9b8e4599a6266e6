package plateau.simt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Runs all kernels under the sanitizers (native/test/sanitize.cpp), and shows that the sanitizers see what they are there for. */
class SanitizerTest {
    private record Run(int status, String output) {}

    private static Run sanitize(String folder, String... more) throws IOException, InterruptedException {
        Path images = Path.of(System.getProperty("plateau.basedir"), "target/test-classes/plateau/native", folder);
        Path program = images.resolve("sanitize");
        Assumptions.assumeTrue(Files.exists(program), "g++ has no run-time library for " + folder + " here");
        List<String> command = new ArrayList<>(List.of(program.toString(), images.toString()));
        command.addAll(List.of(more));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        return new Run(process.waitFor(), output);
    }

    private static void assertClean(Run run) {
        assertEquals(0, run.status, run.output);
        assertTrue(run.output.lines().filter(line -> line.endsWith(": clean")).count() >= 20, run.output);
    }

    @Test
    void kernelsHaveNoRaces() throws Exception {
        assertClean(sanitize("sanitize-thread"));
    }

    @Test
    void kernelsStayInsideTheirMemoryAndAreDefined() throws Exception {
        assertClean(sanitize("sanitize-address"));
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
