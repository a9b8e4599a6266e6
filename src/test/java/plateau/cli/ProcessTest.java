package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.cuda.NativeFiles;

/** Commands in processes of their own: what depends on the environment, on the files of the program, or ends the process. */
class ProcessTest {
    private static final int TERMINATED = 128 + 15;

    @TempDir Path folder;

    @Test
    void memoryThatRunsOutAtOnceLeavesNothing() throws Exception {
        run(Map.of("PLATEAU_FAULT", "cuMemAlloc:3:2"), "parity", "--device", "cpu", "--d", "5", "--steps", "10", "--out", "p").assertError(Main.FAILED, "cuMemAlloc", "CUDA_ERROR_OUT_OF_MEMORY (2)", "use a smaller --batch");
        assertFalse(Files.exists(folder.resolve("p")));
    }

    @Test
    void aLaterFailureKeepsWhatWasDone() throws Exception {
        run(Map.of("PLATEAU_FAULT", "cuGraphInstantiate:4:2"), "parity", "--device", "cpu", "--d", "5,6", "--steps", "64", "--log-every", "64", "--out", "p").assertError(Main.FAILED, "cuGraphInstantiate");
        JsonNode run = new ObjectMapper().readTree(folder.resolve("p/run.json").toFile());
        assertEquals("failed", run.at("/status").asText());
        assertTrue(run.at("/error").asText().startsWith("cuGraphInstantiate"), run::toString);
        assertEquals(2, Files.readAllLines(folder.resolve("p/metrics.csv")).size());
        assertTrue(Files.size(folder.resolve("p/parity.png")) > 0);
    }

    @Test
    void aTruncatedKernelImageIsRefused() throws Exception {
        String name = "plateau/native/" + NativeFiles.cpuLevel() + "/hinge.so";
        byte[] image;
        try (var in = NativeFiles.class.getResourceAsStream("/" + name)) {
            image = in.readAllBytes();
        }
        Path damaged = folder.resolve("classes");
        Files.createDirectories(damaged.resolve(name).getParent());
        Files.write(damaged.resolve(name), Arrays.copyOf(image, image.length / 2));
        Process process = Finished.start(folder, List.of(damaged), Map.of(), "parity", "--device", "cpu", "--d", "5", "--steps", "10", "--out", "p");
        Finished.await(folder, process).assertError(Main.FAILED, "hinge.so is damaged");
        assertFalse(Files.exists(folder.resolve("p")));
    }

    @Test
    void withoutAGpuCudaIsAnErrorAndItsCheckIsSkipped() throws Exception {
        assumeFalse(Files.exists(Path.of("/proc/driver/nvidia/version")), "this machine has an NVIDIA driver");
        run(Map.of(), "parity", "--device", "cuda", "--d", "5", "--steps", "10", "--out", "p").assertError(Main.FAILED, "--device cuda:0", "use --device cpu");
        assertFalse(Files.exists(folder.resolve("p")));
        Finished doctor = run(Map.of(), "doctor", "--device", "cuda");
        assertEquals(Main.SKIPPED, doctor.code());
        assertTrue(doctor.out().getLast().contains("install the NVIDIA driver"), doctor.out()::toString);
    }

    @Test
    void terminationLeavesWholeFiles() throws Exception {
        Process process = Finished.start(folder, List.of(), Map.of(), "parity", "--device", "cpu", "--d", "5,1000", "--steps", "1000", "--out", "p");
        Path description = folder.resolve("p/run.json");
        while (process.isAlive() && !Files.exists(description)) {
            Thread.sleep(10);
        }
        process.destroy();
        Finished finished = Finished.await(folder, process);
        assertEquals(List.of(), finished.err());
        assertEquals(TERMINATED, finished.code());
        assertEquals("running", new ObjectMapper().readTree(description.toFile()).at("/status").asText());
        try (Stream<Path> files = Files.list(folder.resolve("p"))) {
            assertEquals(List.of("metrics.csv", "run.json"), files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void debugShowsTheStackTrace() throws Exception {
        Finished failed = run(Map.of("PLATEAU_DEBUG", "1"), "parity", "--device", "cpu", "--d", "0", "--out", "p");
        assertEquals(Main.USAGE, failed.code());
        assertTrue(failed.err().stream().anyMatch(line -> line.contains("at plateau.experiment.Parity")), failed.err()::toString);
    }

    private Finished run(Map<String, String> environment, String... arguments) throws Exception {
        return Finished.await(folder, Finished.start(folder, List.of(), environment, arguments));
    }
}
