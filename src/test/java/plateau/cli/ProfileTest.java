package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Profiles: this program's own, and what NVIDIA's profilers are started with. */
class ProfileTest {
    @TempDir
    Path folder;

    private Finished parity(Path out, String... profile) {
        List<String> words = new ArrayList<>(List.of("profile"));
        words.addAll(List.of(profile));
        words.addAll(List.of("--out", out.toString(), "--"));
        words.addAll(List.of("parity", "--device", "cpu", "--d", "5", "--steps", "60", "--log-every", "15"));
        return Finished.here(words.toArray(String[]::new));
    }

    /** Steps 10 to 29, with evaluations after 15 and 30: nothing before, nothing after. */
    @Test
    void theStepsAskedForAreProfiledAndNothingElseChanges() throws IOException {
        Path out = folder.resolve("profile");
        Finished profile = parity(out, "none", "--skip", "10", "--steps", "20");
        profile.assertOk();
        assertTrue(profile.out().stream().anyMatch(line -> line.matches(" +sgd +20 .*%")), profile.out()::toString);
        List<String> rows = Files.readAllLines(out.resolve("kernels.csv"));
        Map<String, Integer> calls = new java.util.HashMap<>();
        double share = 0;
        for (String row : rows.subList(1, rows.size())) {
            String[] cells = row.split(",");
            calls.put(cells[0], Integer.valueOf(cells[1]));
            share += Double.parseDouble(cells[3]);
        }
        assertEquals(20, calls.get("sgd"));
        assertEquals(22, calls.get("parity_batch")); // two evaluate
        assertEquals(1, share, 1e-3);

        Path plain = folder.resolve("plain");
        Finished.here(("parity --device cpu --d 5 --steps 60 --log-every 15 --out " + plain).split(" "))
                .assertOk();
        assertArrayEquals(
                Files.readAllBytes(plain.resolve("metrics.csv")),
                Files.readAllBytes(out.resolve("results/metrics.csv")));
        parity(out, "none").assertError(ExitCode.FAILED, "there is something in that folder");
    }

    /** Every kernel lies in the range of its steps, on the track of its stream. */
    @Test
    void theTraceHasRangesAboveKernels() throws IOException {
        Path out = folder.resolve("profile");
        parity(out, "none", "--skip", "10", "--steps", "20").assertOk();
        JsonNode trace = new ObjectMapper().readTree(Files.readString(out.resolve("trace.json")));
        List<JsonNode> kernels = new ArrayList<>(), ranges = new ArrayList<>(), names = new ArrayList<>();
        for (JsonNode event : trace.path("traceEvents")) {
            boolean ofDevice = event.path("pid").asInt() == 1;
            if (event.path("ph").asText().equals("M")) {
                names.add(event.path("args").path("name"));
            } else if (ofDevice) {
                (event.path("cat").asText().equals("kernel") ? kernels : ranges).add(event);
            }
        }
        assertTrue(names.stream().anyMatch(name -> name.asText().equals("parity d 5, batch 128, lr 0.01, seed 1")));
        assertEquals(
                20,
                kernels.stream()
                        .filter(kernel -> kernel.path("name").asText().equals("sgd"))
                        .count());
        for (JsonNode kernel : kernels) {
            assertEquals(
                    1,
                    ranges.stream()
                            .filter(range -> !range.path("cat").asText().equals("run"))
                            .filter(range -> holds(range, kernel))
                            .count(),
                    kernel::toString);
        }
        for (int i = 1; i < kernels.size(); i++) { // one stream does one thing after the other
            assertTrue(begin(kernels.get(i)) >= end(kernels.get(i - 1)) - 0.002, kernels.get(i)::toString);
        }
    }

    private static boolean holds(JsonNode range, JsonNode kernel) {
        return begin(range) <= begin(kernel) + 0.002 && end(range) >= end(kernel) - 0.002;
    }

    private static double begin(JsonNode slice) {
        return slice.path("ts").asDouble();
    }

    private static double end(JsonNode slice) {
        return begin(slice) + slice.path("dur").asDouble();
    }

    @Test
    void whatCannotBeProfiledIsRefused() {
        Finished.here("profile").assertError(ExitCode.USAGE, "profile with what? none, nsys, ncu");
        Finished.here("profile", "none", "--", "plot", "x").assertError(ExitCode.USAGE, "'plot' cannot be profiled");
        Finished.here("profile", "none", "--", "parity", "--sceptre")
                .assertError(ExitCode.USAGE, "--sceptre", "in the command that is to be profiled");
        assertFalse(Files.exists(Path.of("profile")));
    }

    private Finished withTools(String script, String... words) throws Exception {
        Path tools = Files.createDirectories(folder.resolve("tools"));
        if (!script.isEmpty()) {
            Path tool = Files.writeString(tools.resolve(words[1]), "#!/bin/sh\n" + script);
            assertTrue(tool.toFile().setExecutable(true));
        }
        Process process = Finished.start(folder, List.of(), Map.of("PATH", tools + ":/usr/bin:/bin"), words);
        return Finished.await(folder, process);
    }

    /** A stand-in that runs the program, as it does, and leaves a report. */
    @Test
    void nsysGetsTheStepsAndTheNames() throws Exception {
        Finished profile =
                withTools("""
                    if [ "$1" = stats ]; then echo "Time (%)  sgd"; exit; fi
                    echo "$@" > options
                    echo "steps $PLATEAU_PROFILE_STEPS"
                    for word in "$@"; do
                      case $word in --output=*) echo report > "${word#--output=}";; esac
                    done
                    while [ "${1##*/}" != java ]; do shift; done
                    exec "$@"
                    """, "profile nsys --skip 5 --steps 7 -- parity --device cpu --d 5 --steps 30".split(" "));
        profile.assertOk();
        String options = Files.readString(folder.resolve("options"));
        for (String option : List.of(
                "--trace=cuda,nvtx,cublas,cudnn,osrt",
                "--cuda-graph-trace=node",
                "--capture-range=cudaProfilerApi",
                "--output=profile/plateau.nsys-rep")) {
            assertTrue(options.contains(option), options);
        }
        assertTrue(profile.out().contains("steps 5:7"), profile.out()::toString);
        assertTrue(profile.out().contains("Time (%)  sgd"), profile.out()::toString);
        assertTrue(Files.exists(folder.resolve("profile/results/metrics.csv")));
        assertEquals("Time (%)  sgd\n", Files.readString(folder.resolve("profile/summary.txt")));
    }

    @Test
    void whoMayNotReadTheCountersIsToldWhatToDo() throws Exception {
        Finished profile = withTools(
                "echo '==ERROR== ERR_NVGPUCTRPERM - The user does not have permission'; exit 1",
                "profile ncu --kernel sgd -- parity --device cpu --d 5".split(" "));
        profile.assertError(3, "NVreg_RestrictProfilingToAdminUsers=0", "plateau profile none");
    }

    @Test
    void aMissingToolIsNamed() throws Exception {
        withTools("", "profile nsys -- parity --d 5".split(" "))
                .assertError(3, "nsys was not found", "install NVIDIA Nsight Systems", "plateau profile none");
    }
}
