package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.cuda.load.CpuLevel;
import plateau.cuda.load.NativeFiles;
import plateau.reference.Seeds;
import plateau.reference.Waiting;
import plateau.results.Safetensors;

/**
 * Commands in processes of their own: what depends on the environment, on the files of the program,
 * or ends the process.
 */
@Execution(ExecutionMode.CONCURRENT)
class ProcessTest {
    /** A command that is soon done. */
    private static final String[] TEN_STEPS = {"parity", "--device", "cpu", "--d", "5", "--steps", "10", "--out", "p"};

    @TempDir
    Path folder;

    @Test
    void memoryThatRunsOutAtOnceLeavesNothing() throws Exception {
        run(Map.of("PLATEAU_FAULT", "cuMemAlloc:1:2"), TEN_STEPS)
                .assertError(ExitCode.FAILED, "cuMemAlloc", "CUDA_ERROR_OUT_OF_MEMORY (2)", "use smaller batches");
        assertFalse(Files.exists(folder.resolve("p")));
    }

    @Test
    void aLaterFailureKeepsWhatWasDone() throws Exception {
        run(
                        Map.of("PLATEAU_FAULT", "cuEventCreate:3:2"),
                        "parity",
                        "--device",
                        "cpu",
                        "--d",
                        "5,6",
                        "--steps",
                        "64",
                        "--log-every",
                        "64",
                        "--parallel",
                        "1",
                        "--out",
                        "p")
                .assertError(ExitCode.FAILED, "d = 6: cuEventCreate");
        JsonNode run = new ObjectMapper().readTree(folder.resolve("p/run.json").toFile());
        assertEquals("failed", run.at("/status").asText());
        assertTrue(run.at("/error").asText().startsWith("d = 6: cuEventCreate"), run::toString);
        assertEquals("finished", run.at("/runs/0/status").asText());
        assertEquals("failed", run.at("/runs/1/status").asText());
        assertTrue(run.at("/runs/1/error").asText().startsWith("cuEventCreate"), run::toString);
        assertEquals(2, Files.readAllLines(folder.resolve("p/metrics.csv")).size());
        assertTrue(Files.size(folder.resolve("p/parity.png")) > 0);
    }

    @Test
    void aFailureIsToldBeforeWhatClosingTheDeviceFailsWith() throws Exception {
        run(Map.of("PLATEAU_FAULT", "cuGraphLaunch:1:700,cuModuleUnload:1:999"), TEN_STEPS)
                .assertError(ExitCode.FAILED, "cuGraphLaunch");
        run(Map.of("PLATEAU_FAULT", "cuModuleUnload:1:999"), TEN_STEPS).assertError(ExitCode.FAILED, "cuModuleUnload(");
    }

    @Test
    void variablesThatMeanNothingAreRefused() throws Exception {
        for (String threads : List.of("abc", "0", "100000")) {
            run(Map.of("PLATEAU_CPU_THREADS", threads), TEN_STEPS)
                    .assertError(ExitCode.USAGE, "PLATEAU_CPU_THREADS is '" + threads + "'", "from 1 to 1024");
        }
        run(Map.of("PLATEAU_FAULT", "cuMemAlloc"), TEN_STEPS)
                .assertError(ExitCode.USAGE, "PLATEAU_FAULT: 'cuMemAlloc'");
        assertFalse(Files.exists(folder.resolve("p")));
    }

    @Test
    void threadsThatCannotBeMadeAreDoneWithout() throws Exception {
        Finished done = run(
                Map.of("PLATEAU_CPU_THREADS", "4", "PLATEAU_FAULT", "pthread_create:2:11,pthread_create:3:11"),
                TEN_STEPS);
        assertEquals(ExitCode.OK, done.code(), done::toString);
        assertTrue(done.out().getFirst().contains(", 2 threads, "), done::toString);
    }

    @Test
    void aTruncatedKernelImageIsRefused() throws Exception {
        String name = "plateau/native/" + CpuLevel.ofThisMachine() + "/hinge.so";
        byte[] image;
        try (var in = NativeFiles.class.getResourceAsStream("/" + name)) {
            image = in.readAllBytes();
        }
        Path damaged = folder.resolve("classes");
        Files.createDirectories(damaged.resolve(name).getParent());
        Files.write(damaged.resolve(name), Arrays.copyOf(image, image.length / 2));
        Process process = Finished.start(folder, List.of(damaged), Map.of(), TEN_STEPS);
        Finished.await(folder, process).assertError(ExitCode.FAILED, "hinge.so is damaged");
        assertFalse(Files.exists(folder.resolve("p")));
    }

    @Test
    void withoutAGpuCudaIsAnErrorAndItsCheckIsSkipped() throws Exception {
        assumeFalse(Files.exists(Path.of("/proc/driver/nvidia/version")), "this machine has an NVIDIA driver");
        run(Map.of(), "parity", "--device", "cuda", "--d", "5", "--steps", "10", "--out", "p")
                .assertError(ExitCode.FAILED, "device cuda:0", "use device cpu");
        assertFalse(Files.exists(folder.resolve("p")));
        Finished doctor = run(Map.of(), "doctor", "--device", "cuda");
        assertEquals(ExitCode.SKIPPED, doctor.code());
        assertTrue(doctor.out().getLast().contains("install the NVIDIA driver"), doctor.out()::toString);
        run(Map.of(), "kernels", "check", "--device", "cuda")
                .assertError(ExitCode.SKIPPED, "nothing was checked", "install the NVIDIA driver");
    }

    /**
     * Ctrl-C is SIGINT; SIGUSR1 comes before a batch job's time is over. What was logged until then
     * is there, whole, and says how it ended.
     */
    @ParameterizedTest
    @CsvSource({"INT, 130", "TERM, 143", "USR1, 138"})
    void interruptionEndsCleanly(String signal, int code) throws Exception {
        Process process = Finished.start(
                folder,
                List.of(),
                Map.of(),
                "parity",
                "--device",
                "cpu",
                "--d",
                "5,6,7",
                "--steps",
                "1000000000",
                "--parallel",
                "2",
                "--out",
                "p");
        Waiting.until(
                process,
                "the second run's first step",
                () -> stdout().stream().anyMatch(line -> line.startsWith("d = 6: step ")));
        assertEquals(
                0,
                new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                        .start()
                        .waitFor());
        Finished finished = Finished.await(folder, process);
        assertEquals(List.of(), finished.err());
        assertEquals(code, finished.code());
        assertEquals(
                "interrupted; wrote run.json, metrics.csv, metrics.jsonl, parity.png, parity.svg to p",
                finished.out().getLast());
        JsonNode run = new ObjectMapper().readTree(folder.resolve("p/run.json").toFile());
        assertEquals("interrupted", run.at("/status").asText());
        assertEquals(
                List.of("interrupted", "interrupted", "waiting"),
                run.at("/runs")
                        .valueStream()
                        .map(each -> each.at("/status").asText())
                        .toList());
        List<String> last = Files.readAllLines(folder.resolve("p/metrics.csv"));
        assertTrue(
                last.getLast().startsWith("6,1," + run.at("/runs/1/last/step").asText() + ","), last::getLast);
        try (Stream<Path> files = Files.list(folder.resolve("p"))) {
            assertEquals(
                    List.of("metrics.csv", "metrics.jsonl", "parity.png", "parity.svg", "run.json"),
                    files.map(file -> file.getFileName().toString())
                            .filter(name -> !name.startsWith(".plateau-") && !name.equals("runs"))
                            .sorted()
                            .toList());
        }
    }

    /**
     * One step of this takes many seconds on a CPU, and nothing can be written before it is done.
     */
    @Test
    void aSignalDoesNotWaitForALongStep() throws Exception {
        Process process = Finished.start(
                folder,
                List.of(),
                Map.of(),
                "stocks",
                "--device",
                "cpu",
                "--d",
                "16384",
                "--k",
                "4096",
                "--batch",
                "16384",
                "--steps",
                "1",
                "--out",
                "p");
        Waiting.until(process, "the first line", () -> !stdout().isEmpty());
        process.destroy();
        Finished finished = Finished.await(folder, process);
        assertEquals(List.of(), finished.err());
        assertEquals(143, finished.code());
        assertEquals(1, finished.out().size(), finished.out()::toString);
        assertFalse(Files.exists(folder.resolve("p")));
    }

    @Test
    void anOutputThatIsFullIsAFailure() throws Exception {
        Process process = new ProcessBuilder(Finished.command(List.of(), "parity", "--help"))
                .redirectOutput(new File("/dev/full"))
                .redirectError(folder.resolve("stderr").toFile())
                .start();
        Files.createFile(folder.resolve("stdout"));
        Finished.await(folder, process).assertError(ExitCode.FAILED, "standard output could not be written to");
    }

    /** The loader's own characters: {@code LC_ALL=C} has ASCII alone. */
    @Test
    void aPathThatTheLocaleCannotSayIsRefused() throws Exception {
        run(Map.of("LC_ALL", "C"), "parity", "--out", "\u00e4")
                .assertError(ExitCode.USAGE, "--out", "set LC_ALL=C.UTF-8");
        Path here = Files.createDirectory(folder.resolve("\u00e4"));
        Finished.await(here, Finished.start(here, List.of(), Map.of("LC_ALL", "C"), "parity", "--help"))
                .assertError(ExitCode.USAGE, "current folder", "set LC_ALL=C.UTF-8");
    }

    @Test
    void interruptionBeforeAnythingIsLoggedLeavesNothing() throws Exception {
        Process process = Finished.start(
                folder,
                List.of(),
                Map.of(),
                "parity",
                "--device",
                "cpu",
                "--d",
                "5",
                "--steps",
                "1000000000",
                "--log-every",
                "1000000000",
                "--out",
                "p");
        Waiting.until(process, "the first line", () -> !stdout().isEmpty());
        process.destroy();
        Finished finished = Finished.await(folder, process);
        assertEquals(143, finished.code());
        assertEquals("interrupted before anything was logged", finished.out().getLast());
        assertFalse(Files.exists(folder.resolve("p")));
    }

    /**
     * Whenever it is killed, a command goes on where it was and ends with the results of one that
     * never was. {@code -Dplateau.kills=20} does it more often than usual.
     */
    @Test
    void aKilledCommandGoesOn() throws Exception {
        int kills = Integer.getInteger("plateau.kills", 3);
        List<String> command = List.of(
                "step",
                "forward-only",
                "multiclass",
                "--device",
                "cpu",
                "--steps",
                Integer.toString(500 * kills),
                "--log-every",
                "50",
                "--seeds",
                "2",
                "--checkpoint-every",
                "70",
                "--out");
        run(Map.of(), Stream.concat(command.stream(), Stream.of("whole")).toArray(String[]::new))
                .assertOk();
        Seeds seeds = Seeds.next();
        List<String> next = Stream.concat(command.stream(), Stream.of("killed")).toList();
        for (int i = 0; i < kills; i++) {
            long before = lastSaved();
            Process process = Finished.start(folder, List.of(), Map.of(), next.toArray(String[]::new));
            boolean early = seeds.random().nextInt(4) == 0; // while it starts; else once it has saved something
            Waiting.until(
                    process,
                    early ? "the first line" : "a checkpoint",
                    () -> early ? !stdout().isEmpty() : lastSaved() != before);
            Thread.sleep(seeds.random().nextInt(400));
            process.destroyForcibly().waitFor();
            if (Files.exists(folder.resolve("killed/run.json"))) {
                next = List.of("step", "--resume", "killed", "--parallel", Integer.toString(1 + i % 3));
            }
        }
        Finished resumed = run(Map.of(), next.toArray(String[]::new));
        resumed.assertOk();
        for (String name : List.of("metrics.csv", "metrics.jsonl", "curves.csv")) {
            assertArrayEquals(
                    Files.readAllBytes(folder.resolve("whole").resolve(name)),
                    Files.readAllBytes(folder.resolve("killed").resolve(name)),
                    seeds.message(name));
        }
        assertEquals(
                Set.of(
                        "metrics.csv",
                        "metrics.jsonl",
                        "curves.csv",
                        "run.json",
                        "checkpoints",
                        "step.png",
                        "step.svg",
                        "step-learnt.png",
                        "step-learnt.svg"),
                names(folder.resolve("killed")));
        assertEquals(names(folder.resolve("whole/checkpoints")), names(folder.resolve("killed/checkpoints")));
        for (String run :
                List.of("forward-only-seed-1", "forward-only-seed-2", "multiclass-seed-1", "multiclass-seed-2")) {
            var whole = Safetensors.read(folder.resolve("whole/checkpoints/" + run + ".safetensors"))
                    .arrays();
            var killed = Safetensors.read(folder.resolve("killed/checkpoints/" + run + ".safetensors"))
                    .arrays();
            assertEquals(whole.keySet(), killed.keySet());
            whole.forEach((name, values) ->
                    assertEquals(values.bytes(), killed.get(name).bytes(), seeds.message(run + ": " + name)));
        }
    }

    private long lastSaved() throws IOException {
        Path checkpoints = folder.resolve("killed/checkpoints");
        try (Stream<Path> files = Files.isDirectory(checkpoints) ? Files.list(checkpoints) : Stream.empty()) {
            return files.mapToLong(file -> file.toFile().lastModified()).max().orElse(0);
        }
    }

    /**
     * Ctrl-C saves what was done until then, whether a checkpoint is due or not: the next one that
     * is due would be that of the end.
     */
    @Test
    void anInterruptedCommandSaysHowToGoOn() throws Exception {
        Process process = Finished.start(
                folder,
                List.of(),
                Map.of(),
                "parity",
                "--device",
                "cpu",
                "--d",
                "5",
                "--steps",
                "600000",
                "--log-every",
                "600000",
                "--checkpoint-every",
                "300000",
                "--out",
                "p");
        Path checkpoint = folder.resolve("p/checkpoints/d-5-seed-1.safetensors");
        Waiting.until(process, "a checkpoint that is due", () -> Files.exists(checkpoint));
        Files.delete(checkpoint);
        process.destroy();
        Finished finished = Finished.await(folder, process);
        assertEquals(143, finished.code());
        assertEquals(
                "interrupted; wrote run.json, metrics.csv, metrics.jsonl to p; to go on: plateau parity --resume p",
                finished.out().getLast());
        long step = Long.parseLong(Safetensors.read(checkpoint).metadata().get("step"));
        assertTrue(300_000 <= step && step < 600_000, () -> "step " + step);
        run(Map.of(), "parity", "--resume", "p").assertOk();
        assertEquals(
                "finished",
                new ObjectMapper()
                        .readTree(folder.resolve("p/run.json").toFile())
                        .at("/status")
                        .asText());
    }

    private List<String> stdout() throws IOException {
        return Files.readAllLines(folder.resolve("stdout"));
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith(".plateau-") && !name.equals("runs"))
                    .collect(Collectors.toSet());
        }
    }

    @Test
    void debugShowsTheStackTrace() throws Exception {
        String[] wrong = {"parity", "--device", "cpu", "--d", "0", "--out", "p"};
        run(Map.of("PLATEAU_DEBUG", "0"), wrong).assertError(ExitCode.USAGE, "d must be");
        Finished failed = run(Map.of("PLATEAU_DEBUG", "1"), wrong);
        assertEquals(ExitCode.USAGE, failed.code());
        assertTrue(
                failed.err().stream().anyMatch(line -> line.contains("at plateau.experiment.Parity")),
                failed.err()::toString);
    }

    private Finished run(Map<String, String> environment, String... arguments) throws Exception {
        return Finished.await(folder, Finished.start(folder, List.of(), environment, arguments));
    }
}
