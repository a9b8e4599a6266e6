package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.reference.Seeds;
import plateau.reference.Waiting;

/** Sweeps: shards in any order, killed and resumed, merge to the bytes of one process. */
class SweepCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What clocks and machines decide in a run.json. */
    private static final List<String> OF_THE_MACHINE = List.of("started", "seconds", "device", "versions", "settings");

    private static final List<String> OF_THE_CLOCK =
            List.of("steps_per_second", "steps_per_second_with_evaluation", "seconds", "setup_seconds");

    @TempDir
    Path folder;

    /** A campaign in which one run diverges. */
    private Path campaign() throws IOException {
        return Files.writeString(folder.resolve("campaign.json"), """
            {"experiment": "parity", "runs": [
              {"options": {"d": [5, 6], "batch": 8}, "steps": 200, "log-every": 30, "seeds": 3},
              {"options": {"d": 7, "batch": 8, "lr": 1e30}, "steps": 200, "log-every": 30},
              {"options": {"d": 8, "batch": 8}, "steps": 200, "log-every": 30, "seed": 7}]}
            """);
    }

    /** Sees that two folders hold the same, but for what clocks and machines decide. */
    static void assertSameResults(Path expected, Path actual) throws IOException {
        for (String name : List.of("metrics.csv", "metrics.jsonl", "curves.csv")) {
            assertEquals(Files.exists(expected.resolve(name)), Files.exists(actual.resolve(name)), name);
            if (Files.exists(expected.resolve(name))) {
                assertArrayEquals(
                        Files.readAllBytes(expected.resolve(name)), Files.readAllBytes(actual.resolve(name)), name);
            }
        }
        assertEquals(comparable(expected), comparable(actual));
    }

    private static String comparable(Path results) throws IOException {
        ObjectNode node = (ObjectNode) JSON.readTree(results.resolve("run.json").toFile());
        node.remove(OF_THE_MACHINE);
        for (JsonNode run : node.path("runs")) {
            ((ObjectNode) run).remove(OF_THE_CLOCK);
        }
        return node.toPrettyString();
    }

    @Test
    void shardsInAnyOrderMergeToTheBytesOfOneProcess() throws IOException {
        Path campaign = campaign();
        Path one = folder.resolve("one");
        Path cut = folder.resolve("cut");
        Finished.here("run", campaign.toString(), "--device", "cpu", "--out", one.toString())
                .assertError(ExitCode.FAILED, "d = 7, seed 1");
        for (int shard : List.of(3, 1)) {
            Finished.here(
                    "run", campaign.toString(), "--device", "cpu", "--shard", shard + "/3", "--out", cut.toString());
        }
        Finished.here("merge", cut.toString())
                .assertError(ExitCode.FAILED, "runs are not finished", "shards 1-2 of 3", "plateau sweep --out");
        assertTrue(Files.exists(cut.resolve("metrics.csv")));
        Finished status = Finished.here("status", cut.toString());
        status.assertOk();
        assertTrue(status.out().getFirst().startsWith("parity: 8 runs: "), status::toString);
        Finished.here("run", campaign.toString(), "--device", "cpu", "--shard", "2/3", "--out", cut.toString());
        Finished.here("merge", cut.toString())
                .assertError(ExitCode.FAILED, "1 of 8 runs are not finished, 1 of them failed (d = 7, seed 1");
        assertSameResults(one, cut);
        assertFalse(Files.exists(cut.resolve("runs")), "a merged folder has no runs of its own");
        Finished.here("plot", cut.toString()).assertOk();
        Finished.here(
                        "compare",
                        one.toString(),
                        cut.toString(),
                        "--out",
                        folder.resolve("compared").toString())
                .assertOk();
    }

    @Test
    void aSweepRunsHereAndAgainOnlyWhatIsMissing() throws IOException {
        Path out = folder.resolve("sweep");
        List<String> command = List.of(
                "sweep",
                "--device",
                "cpu",
                "--grid",
                "parity d=5..7 steps=300 batch=8 seeds=2",
                "--grid",
                "pwl variant=conv,conditioned steps=50 batch=8",
                "--shards",
                "3",
                "--out",
                out.toString());
        Finished first = Finished.here(command.toArray(String[]::new));
        first.assertOk();
        assertTrue(first.out().get(1).startsWith("8 runs in 3 shards: about "), first::toString);
        Finished.here(
                        "parity",
                        "--device",
                        "cpu",
                        "--d",
                        "5,6,7",
                        "--steps",
                        "300",
                        "--batch",
                        "8",
                        "--seeds",
                        "2",
                        "--out",
                        folder.resolve("parity").toString())
                .assertOk();
        Finished.here(
                        "pwl",
                        "conv",
                        "conditioned",
                        "--device",
                        "cpu",
                        "--steps",
                        "50",
                        "--batch",
                        "8",
                        "--out",
                        folder.resolve("pwl").toString())
                .assertOk();
        assertSameResults(folder.resolve("parity"), out.resolve("parity"));
        assertSameResults(folder.resolve("pwl"), out.resolve("pwl"));

        Path shard;
        try (Stream<Path> shards = Files.list(out.resolve("parity/shards"))) {
            shard = shards.sorted().findFirst().orElseThrow();
        }
        Path lost;
        try (Stream<Path> rows = Files.list(shard.resolve("runs"))) {
            lost = rows.filter(file -> file.toString().endsWith(".csv"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
        String name = lost.getFileName().toString().replace(".csv", "");
        Files.delete(lost);
        Finished again = Finished.here("sweep", "--device", "cpu", "--out", out.toString());
        again.assertOk();
        assertEquals(
                List.of(name.replaceAll("d-(\\d)-seed-(\\d)", "d = $1, seed $2")),
                again.out().stream()
                        .filter(line -> line.contains(" steps/s"))
                        .map(line -> line.substring(0, line.indexOf(':')))
                        .toList());
        assertSameResults(folder.resolve("parity"), out.resolve("parity"));
        Finished.here("sweep", "--device", "cpu", "--grid", "parity d=5", "--out", out.toString())
                .assertError(ExitCode.USAGE, "holds a sweep of other runs");
        Finished.here("sweep", "--device", "cpu", "--shards", "4", "--out", out.toString())
                .assertError(ExitCode.USAGE, "is cut into 3");
    }

    /** Signals and SIGKILL, at any moment; the shards know nothing of each other. */
    @Test
    void shardsThatAreKilledGoOnToTheSameBytes() throws Exception {
        Seeds seeds = Seeds.next();
        Path out = folder.resolve("killed");
        String[] grid = {
            "sweep",
            "--device",
            "cpu",
            "--grid",
            "step variant=forward-only,multiclass batch=32 steps=900 log-every=20 seeds=2",
            "--engine",
            "files",
            "--shards",
            "2",
            "--checkpoint-every",
            "100",
            "--out",
            out.toString()
        };
        Finished.here(grid).assertOk();
        List<String> signals = new ArrayList<>(List.of("KILL", "TERM", "USR1"));
        Collections.shuffle(signals, seeds.random());
        for (int i = 0; i < signals.size(); i++) {
            String shard = 1 + i % 2 + "/2";
            Process process = Finished.start(folder, List.of(), Map.of(), "run", out + "/sweep.json", "--shard", shard);
            Path rows = out.resolve("shards/%d-of-2/runs".formatted(1 + i % 2));
            Waiting.until(process, "its first rows", () -> Files.exists(rows));
            Thread.sleep(seeds.random().nextInt(500));
            new ProcessBuilder("kill", "-" + signals.get(i), Long.toString(process.pid()))
                    .start()
                    .waitFor();
            int code = Finished.await(folder, process).code();
            int expected = Map.of("KILL", 137, "TERM", 143, "USR1", 138).get(signals.get(i));
            assertTrue(code == expected || code == 0, () -> seeds.message("exit code " + code));
        }
        Finished.here(grid).assertOk();
        Process all = new ProcessBuilder("sh", out.resolve("tasks.txt").toString())
                .inheritIO()
                .start();
        assertEquals(0, all.waitFor());
        Process merge = new ProcessBuilder(out.resolve("run-merge").toString())
                .inheritIO()
                .start();
        assertEquals(0, merge.waitFor());
        Path one = folder.resolve("one");
        Finished.here(
                        "step",
                        "forward-only",
                        "multiclass",
                        "--device",
                        "cpu",
                        "--batch",
                        "32",
                        "--steps",
                        "900",
                        "--log-every",
                        "20",
                        "--seeds",
                        "2",
                        "--out",
                        one.toString())
                .assertOk();
        assertSameResults(one, out);
    }

    /** What Kubernetes does with the manifest: a container for each index, and then the merge. */
    @Test
    void theContainersOfAManifestRunASweep() throws Exception {
        Path out = folder.resolve("Sweep of mine");
        Path bin = Files.createDirectory(folder.resolve("bin"));
        Path program = bin.resolve("plateau");
        Files.writeString(
                program, "#!/bin/sh\nexec %s \"$@\"\n".formatted(String.join(" ", Finished.command(List.of()))));
        assertTrue(program.toFile().setExecutable(true));
        Finished.here(
                        "sweep",
                        "--device",
                        "cpu",
                        "--grid",
                        "parity d=5..7 steps=100 batch=4 seeds=2",
                        "--engine",
                        "k8s",
                        "--image",
                        "registry/plateau:1",
                        "--volume-claim",
                        "results",
                        "--gpus",
                        "2",
                        "--time",
                        "30",
                        "--array-parallelism",
                        "2",
                        "--shards",
                        "3",
                        "--out",
                        out.toString())
                .assertOk();
        JsonNode items =
                JSON.readTree(out.resolve("k8s/shards-1.json").toFile()).path("items");
        JsonNode job = items.get(1);
        assertEquals("plateau-sweep-of-mine-1", job.at("/metadata/name").asText());
        assertEquals(
                "batch/v1 Job",
                job.at("/apiVersion").asText() + " " + job.at("/kind").asText());
        JsonNode spec = job.path("spec");
        assertEquals("Indexed", spec.path("completionMode").asText());
        assertEquals(3, spec.path("completions").asInt());
        assertEquals(2, spec.path("parallelism").asInt());
        JsonNode rules = spec.at("/podFailurePolicy/rules");
        assertEquals("FailJob [2]", rules.at("/0/action").asText() + " " + rules.at("/0/onExitCodes/values"));
        assertEquals("Ignore [130,138,143]", rules.at("/1/action").asText() + " " + rules.at("/1/onExitCodes/values"));
        JsonNode pod = spec.at("/template/spec");
        assertEquals("Never", pod.path("restartPolicy").asText(), "which a podFailurePolicy needs");
        assertEquals(1800, pod.path("activeDeadlineSeconds").asInt());
        JsonNode container = pod.at("/containers/0");
        assertEquals(rules.at("/0/onExitCodes/containerName"), container.path("name"));
        assertEquals("2", container.at("/resources/limits/nvidia.com~1gpu").asText());
        Path volume = folder.resolve("volume");
        Path config = Files.createDirectory(folder.resolve("config"));
        Files.writeString(
                config.resolve("sweep.json"),
                items.get(0).at("/data/sweep.json").asText());
        for (int index : List.of(2, 0, 1)) {
            assertEquals(0, contained(container, bin, volume, config, index), "index " + index);
        }
        JsonNode merge = JSON.readTree(out.resolve("k8s/merge-1.json").toFile());
        assertEquals(0, contained(merge.at("/spec/template/spec/containers/0"), bin, volume, config, 0));
        Path one = folder.resolve("one");
        Finished.here(
                        "parity",
                        "--device",
                        "cpu",
                        "--d",
                        "5,6,7",
                        "--steps",
                        "100",
                        "--batch",
                        "4",
                        "--seeds",
                        "2",
                        "--out",
                        one.toString())
                .assertOk();
        assertSameResults(one, volume);
        assertTrue(Files.exists(volume.resolve("grid.png")));
    }

    /** Runs a container's command, with its mounts where they are here. */
    private int contained(JsonNode container, Path bin, Path volume, Path config, int index) throws Exception {
        List<String> command = new ArrayList<>();
        container
                .path("command")
                .forEach(word -> command.add(word.asText()
                        .replace(container.at("/volumeMounts/0/mountPath").asText(), volume.toString())
                        .replace("/sweep/", config + "/")));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("container").toFile());
        builder.environment().put("JOB_COMPLETION_INDEX", Integer.toString(index));
        builder.environment().put("PATH", bin + ":" + System.getenv("PATH"));
        return builder.start().waitFor();
    }
}
