package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import plateau.cli.StepEnded.Verdict;

/**
 * The acceptance run, here on the CPU: all but what GPUs alone can answer runs as it does there,
 * and tools of GPUs are stood in for by scripts.
 */
@Execution(ExecutionMode.CONCURRENT)
class GpuCheckTest {
    private static final long NEVER = Long.MAX_VALUE / 2;

    @TempDir
    Path temporary;

    private Path folder;

    @BeforeEach
    void resolveLinks() throws IOException {
        folder = temporary.toRealPath();
    }

    private Finished check(Map<String, String> environment, String... arguments) throws Exception {
        String[] words = new String[arguments.length + 1];
        words[0] = "gpu-check";
        System.arraycopy(arguments, 0, words, 1, arguments.length);
        Process process = Finished.start(folder, List.of(), environment, words);
        return new Finished(
                process.waitFor(),
                Files.readAllLines(folder.resolve("stdout")),
                Files.readAllLines(folder.resolve("stderr")));
    }

    private List<JsonNode> steps(String report) throws IOException {
        JsonNode json = new ObjectMapper().readTree(folder.resolve(report).toFile());
        return StreamSupport.stream(json.get("steps").spliterator(), false).toList();
    }

    @Test
    void everyStepRunsOnTheCpu() throws Exception {
        Finished check = check(Map.of(), "--device", "cpu", "--steps", "10", "--seconds", "100000", "--out", "all");
        check.assertOk();
        assertEquals("wrote all/report.txt and all/report.json", check.out().getLast());
        List<GpuCheckStep> all = GpuCheckSteps.all(Optional.empty());
        List<JsonNode> steps = steps("all/report.json");
        assertEquals(all.size(), steps.size());
        for (int i = 0; i < all.size(); i++) {
            JsonNode step = steps.get(i);
            assertEquals(all.get(i).name(), step.get("step").asText());
            assertEquals(
                    all.get(i).gpuOnly() ? "skipped" : "ok", step.get("verdict").asText(), step::toString);
        }
        List<String> page = Files.readAllLines(folder.resolve("all/report.txt"));
        assertEquals(check.out().get(check.out().size() - 2), page.getLast());
        assertTrue(page.containsAll(check.out().subList(0, 3)), page::toString);
    }

    /** The driver loses the device in each process that replays a graph. */
    @Test
    void whatFailsIsNamedAndTheRestRuns() throws Exception {
        Finished check = check(
                Map.of("PLATEAU_FAULT", "cuGraphLaunch:1:719"),
                "--device",
                "cpu",
                "--steps",
                "10",
                "--only",
                "doctor,parity,kernels",
                "--out",
                "some");
        assertEquals(List.of("plateau: 1 of 3 steps failed: parity"), check.err());
        assertEquals(ExitCode.FAILED, check.code());
        List<JsonNode> steps = steps("some/report.json");
        assertEquals(
                List.of("ok", "ok", "FAILED"),
                steps.stream().map(step -> step.get("verdict").asText()).toList());
        assertTrue(steps.getLast().get("detail").asText().contains("CUDA_ERROR_LAUNCH_FAILED"), steps::toString);
        assertTrue(Files.exists(folder.resolve("some/logs/parity-1.txt")));
    }

    @Test
    void withoutAGpuNothingIsCheckedAndThatIsSaid() throws Exception {
        assumeFalse(Files.exists(Path.of("/proc/driver/nvidia/version")), "this machine has an NVIDIA driver");
        Finished check = check(Map.of());
        check.assertError(ExitCode.SKIPPED, "NO GPU: nothing was checked");
        assertTrue(check.out().contains("NO GPU: nothing was checked"));
        assertEquals(
                "wrote gpu-check/report.txt and gpu-check/report.json",
                check.out().getLast());
        assertEquals(1, steps("gpu-check/report.json").size());
        check(Map.of());
        assertTrue(Files.exists(folder.resolve("gpu-check-2/report.txt")), "an earlier report stays");
    }

    @Test
    void badUsageIsRefused() throws Exception {
        Finished.here("gpu-check", "--only", "doctor,nurse")
                .assertError(ExitCode.USAGE, "--only: 'nurse' is none of doctor");
        Finished.here("gpu-check", "--device", "auto").assertError(ExitCode.USAGE, "name the device");
        Files.writeString(folder.resolve("mine"), "");
        Finished.here("gpu-check", "--out", folder.toString()).assertError(ExitCode.FAILED, "name another");
    }

    /** As on a GPU, though the device is the CPU: what tells the two apart sees no difference. */
    private StepRun asOnAGpu(String step, long deadline, String overdue) throws IOException {
        StepRun.Setting setting = new StepRun.Setting(
                new OwnProgram().command(),
                List.of("--device", "cpu"),
                false,
                folder.toString(),
                folder,
                10,
                new AtomicBoolean());
        Files.createDirectories(setting.logs());
        Files.createDirectories(setting.runs());
        return new StepRun(setting, step, deadline, overdue);
    }

    private static GpuCheckStep step(String name, Optional<Path> peers) {
        return GpuCheckSteps.all(peers).stream()
                .filter(step -> step.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aGpusRunsAreComparedWithACpus() throws Exception {
        String found = step("parity", Optional.empty()).action().run(asOnAGpu("parity", NEVER, ""));
        assertEquals(
                "a second run and one without graphs give the same bits;"
                        + " a CPU's runs differ by 0.0e+00 at first, and by 0.0e+00 at the end",
                found);
    }

    private Path script(String name, String... lines) throws IOException {
        Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        assertTrue(file.toFile().setExecutable(true));
        return file;
    }

    /** It runs what it is given, behind its own seven words. */
    @Test
    void aSanitizerLooksAtAStepOfEachExperiment() throws Exception {
        script("compute-sanitizer", "echo \"$@\" >> " + folder.resolve("seen"), "shift 6", "exec \"$@\"");
        step("memcheck", Optional.empty()).action().run(asOnAGpu("memcheck", NEVER, ""));
        List<String> seen = Files.readAllLines(folder.resolve("seen"));
        assertEquals(6, seen.size());
        assertTrue(
                seen.stream().allMatch(line -> line.startsWith("--tool memcheck --error-exitcode 9 ")), seen::toString);
        assertTrue(seen.stream().allMatch(line -> line.contains(" --no-graph ")), seen::toString);
        script("compute-sanitizer", "echo '========= Invalid __global__ read'", "exit 9");
        StepRun run = asOnAGpu("memcheck-2", NEVER, "");
        StepEnded ended = assertThrows(
                StepEnded.class,
                () -> step("memcheck", Optional.empty()).action().run(run));
        assertEquals("parity: exit code 9: ========= Invalid __global__ read", ended.getMessage());
        assertEquals(Verdict.FAILED, ended.verdict());
    }

    @Test
    void peersAreMeasuredWhereTheyAre() throws Exception {
        Path peers = Files.writeString(folder.resolve("peers.py"), "");
        script("python3", "shift", "echo $1 $2 and $4 at once: 5 steps/s");
        StepRun run = asOnAGpu("peers", NEVER, "");
        step("peers-torch", Optional.of(peers)).action().run(run);
        assertEquals("torch parity and 30 at once: 5 steps/s", run.lines().getFirst());
        assertEquals(3, run.lines().size());
        script("python3", "echo not installed: torch", "exit 3");
        StepEnded ended = assertThrows(
                StepEnded.class,
                () -> step("peers-torch", Optional.of(peers)).action().run(run));
        assertEquals(Verdict.SKIPPED, ended.verdict());
        assertEquals("not installed: torch", ended.getMessage());
    }

    @Test
    void countersThatMayNotBeReadAreNoFailure() throws Exception {
        script("ncu", "echo '==ERROR== ERR_NVGPUCTRPERM - no permission'", "exit 1");
        StepRun run = asOnAGpu("ncu", NEVER, "");
        StepEnded ended = assertThrows(
                StepEnded.class, () -> step("ncu", Optional.empty()).action().run(run));
        assertEquals(Verdict.SKIPPED, ended.verdict());
    }

    @Test
    void whatHangsIsKilledWithAllThatItStarted() throws Exception {
        List<String> hanging = List.of("sh", "-c", "echo $$ > pid; sleep 1000 & echo $! >> pid; wait");
        StepRun run = asOnAGpu("hangs", System.nanoTime() + 2_000_000_000L, "it took longer than 2 s");
        StepEnded ended = assertThrows(StepEnded.class, () -> run.attempt(hanging));
        assertEquals(Verdict.FAILED, ended.verdict());
        assertTrue(ended.getMessage().startsWith("it took longer than 2 s"), ended.getMessage());
        for (String pid : Files.readAllLines(folder.resolve("runs/pid"))) {
            ProcessHandle.of(Long.parseLong(pid))
                    .ifPresent(left -> left.onExit().join());
        }
        StepRun late = asOnAGpu("late", System.nanoTime(), null);
        ended = assertThrows(StepEnded.class, () -> late.attempt(hanging));
        assertEquals(Verdict.SKIPPED, ended.verdict());
        assertEquals("the time was over", ended.getMessage());
    }

    @Test
    void otherBitsAreSeen() throws Exception {
        Path one = Files.createDirectory(folder.resolve("one")), other = Files.createDirectory(folder.resolve("other"));
        Files.writeString(one.resolve("metrics.csv"), "a\n");
        Files.writeString(other.resolve("metrics.csv"), "a\n");
        StepRun.requireSame(one, other, "a copy");
        Files.writeString(other.resolve("metrics.csv"), "b\n");
        assertThrows(StepEnded.class, () -> StepRun.requireSame(one, other, "a copy"));
    }
}
