package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import plateau.reference.Seeds;
import plateau.results.ResultFolder.Purpose;

/** Results are read back; those that are damaged are refused with one line that says where. */
@Timeout(120)
class ResultsTest {
    private static final List<RunPlan> PLANS = List.of(
            new RunPlan(
                    RunKey.of("d", 0.1f, 1), List.of("loss", "accuracy"), Map.of("subset", List.of(0, 1)), 300, 100),
            new RunPlan(RunKey.of("d", 0.1f, 2), List.of("loss"), Map.of(), 300, 100));

    @TempDir
    Path temporary;

    private Path folder;

    @BeforeEach
    void write() throws IOException {
        folder = temporary.resolve("p");
        write(Optional.of(Status.FINISHED));
    }

    /** Two runs of three rows; without a status their process goes on. */
    private void write(Optional<Status> end) throws IOException {
        try (ResultFolder claimed = ResultFolder.claim(folder, Purpose.REPLACE, "a test")) {
            Description description = new Description(
                    "parity",
                    "2026-11-27T02:20:23Z",
                    MissingNode.getInstance(),
                    MissingNode.getInstance(),
                    "CPU",
                    Map.of("java", "25"));
            ResultStore store = new ResultStore(claimed, description, PLANS);
            store.begin();
            Map<String, float[]> learnt = new LinkedHashMap<>();
            learnt.put("x", new float[] {1, 2});
            learnt.put("f", new float[] {3});
            for (int run = 0; run < PLANS.size(); run++) {
                store.start(run, 0);
                for (long step = 100; step <= 300; step += 100) {
                    double[] values = {1.0 / step, 0.5};
                    store.log(
                            run,
                            LogRow.of(
                                    step,
                                    Arrays.copyOf(
                                            values, PLANS.get(run).metrics().size()),
                                    new double[0]));
                }
                store.keep(run, 300, learnt);
                store.checkpoint(run);
                if (end.isPresent()) {
                    store.finish(run, new RunRecord.Speeds(1, 2, 3, 4));
                }
            }
            if (end.isPresent()) {
                store.end(end.get(), Optional.empty());
            }
        }
    }

    private void assertWhole(Results results) {
        assertEquals(2, results.histories().size());
        History first = results.histories().getFirst();
        assertEquals(List.of(100L, 200L, 300L), first.steps());
        assertEquals(List.of("loss", "accuracy"), first.metrics());
        assertEquals(List.of(0.01, 0.005, 1.0 / 300), first.values("loss"));
        assertEquals(Map.of("subset", List.of(0, 1)), first.facts());
        assertEquals(2, first.curves().get(300L).get("x")[1]);
        assertEquals(1, first.curves().get(300L).get("f").length);
        assertEquals(List.of("loss"), results.histories().getLast().metrics());
        assertEquals(2, results.histories().getLast().seed());
    }

    @Test
    void whatWasWrittenIsRead() throws IOException {
        Results results = Results.read(folder);
        assertWhole(results);
        assertEquals("parity", results.description().experiment());
        assertEquals(
                Optional.of(new RunRecord.Speeds(1, 2, 3, 4)),
                results.description().runs().getFirst().speeds());
    }

    /** Rows that the tables do not have yet are in the files of the runs. */
    @Test
    void runsThatGoOnAreReadFromTheirOwnFiles() throws IOException {
        write(Optional.empty());
        Files.writeString(folder.resolve("runs/d-0.1-seed-1.csv"), "400,0.", StandardOpenOption.APPEND);
        Results results = Results.read(folder);
        assertEquals(Status.RUNNING, results.description().status());
        assertWhole(results);
    }

    /** The user's change counts. */
    @Test
    void theTablesOfRunsThatHaveEndedMayBeEdited() throws IOException {
        edit("metrics.csv", "0.1,1,200,0.005,0.5\n", "");
        assertEquals(
                List.of(100L, 300L), Results.read(folder).histories().getFirst().steps());
    }

    @Test
    void foldersOfEarlierVersionsAreRead() throws IOException {
        Files.writeString(folder.resolve("run.json"), """
            {"experiment": "parity", "status": "interrupted", "started": "2026-11-27T02:20:23Z",
             "arguments": {"d": [5]}, "device": "CPU", "versions": {},
             "runs": [{"d": 5, "seed": 1, "status": "running", "subset": [2]}]}\
            """);
        Files.writeString(
                folder.resolve("metrics.csv"), "\uFEFFd,seed,step,loss\r\n5,1,100,0.5\r\n5,1,200,0.25\r\n\r\n");
        Files.delete(folder.resolve("curves.csv"));
        Results results = Results.read(folder);
        assertEquals(List.of(0.5, 0.25), results.histories().getFirst().values("loss"));
        assertEquals(List.of(2), results.histories().getFirst().facts().get("subset"));
        assertEquals(5, results.description().others().at("/arguments/d/0").asInt());
    }

    @Test
    void manyRowsAreThinned() throws IOException {
        StringBuilder rows = new StringBuilder("d,seed,step,loss\n");
        int count = 1010;
        for (int step = 1; step <= count; step++) {
            rows.append("0.1,1,").append(step).append(",1.0\n");
        }
        Files.writeString(folder.resolve("metrics.csv"), rows);
        History history = Results.read(folder, 200).histories().getFirst();
        assertEquals(count, history.logged());
        assertEquals(count, history.lastStep());
        assertTrue(history.steps().size() <= 101);
    }

    private void edit(String name, String before, String after) throws IOException {
        String text = Files.readString(folder.resolve(name));
        assertTrue(text.contains(before), text);
        Files.writeString(folder.resolve(name), text.replace(before, after));
    }

    private void assertRefused(String message) {
        assertEquals(
                folder + "/" + message,
                assertThrows(FileException.class, () -> Results.read(folder)).getMessage());
    }

    @Test
    void whatIsWrongWithATableIsToldWithItsLine() throws IOException {
        Map<String, String> damages = new LinkedHashMap<>();
        damages.put("0.1,1,200,0.005", "line 3: it has 4 cells, the header 5");
        damages.put("0.1,1,200,0.005,0.5,1", "line 3: it has 6 cells, the header 5");
        damages.put("0.1,1,200,0.O05,0.5", "line 3: its loss is '0.O05', which is no number");
        damages.put("0.1,1,2e2,0.005,0.5", "line 3: its step is '2e2', which is no whole number");
        damages.put("0.1,1,400,0.005,0.5", "line 4: step 300 is out of order");
        damages.put("0.1,1,-1,0.005,0.5", "line 3: step -1 is out of order");
        damages.put("0.1,1,200,,0.5", "line 3: it has no loss, which the run's rows before have");
        damages.put("0.1,7,200,0.005,0.5", "line 3: run.json has no run of that key and seed");
        damages.put("0.1,seven,200,0.005,0.5", "line 3: its seed is 'seven', which is no whole number");
        damages.put("0.1,1,200,\"0.0\"05,0.5", "line 3: a quotation mark is out of place");
        for (Map.Entry<String, String> damage : damages.entrySet()) {
            edit("metrics.csv", "0.1,1,200,0.005,0.5", damage.getKey());
            assertRefused("metrics.csv " + damage.getValue());
            edit("metrics.csv", damage.getKey(), "0.1,1,200,0.005,0.5");
        }
        edit("metrics.csv", "0.1,2,200,0.005,", "0.1,2,200,0.005,1");
        assertRefused("metrics.csv line 6: the run's rows before have no accuracy");
        edit("metrics.csv", "0.1,2,200,0.005,1", "0.1,2,200,0.005,");
        edit("metrics.csv", "loss", "mse");
        assertRefused("metrics.csv line 1: no run in run.json has a metric 'mse'");
        edit("metrics.csv", "mse", "accuracy");
        assertRefused("metrics.csv line 1: two columns have the same name");
        edit("metrics.csv", "d,seed", "seed");
        assertRefused("metrics.csv line 1: its first columns are not d, seed, step");
        edit("curves.csv", "0.1,1,300,1", "0.1,1,300,2");
        Files.writeString(folder.resolve("metrics.csv"), "d,seed,step,loss\n0.1,1,100,1\n");
        assertRefused("curves.csv line 3: point 2 is out of order");
    }

    @Test
    void filesThatAreNoneAreNamed() throws IOException {
        Files.write(folder.resolve("metrics.csv"), "d,seed,step,l\u00f6ss\n".getBytes(StandardCharsets.ISO_8859_1));
        assertRefused("metrics.csv: it is not UTF-8 text");
        Files.writeString(folder.resolve("metrics.csv"), "");
        assertRefused("metrics.csv: it is empty");
        Files.delete(folder.resolve("metrics.csv"));
        assertWhole(Results.read(folder));
        Files.move(folder.resolve("runs"), folder.resolve("away"));
        assertRefused("metrics.csv: there is no such file or folder");
        Files.createDirectory(folder.resolve("metrics.csv"));
        assertRefused("metrics.csv: a folder is where a file should be");
        Files.writeString(folder.resolve("run.json"), "{\n  \"experiment\" : parity\n}");
        assertRefused("run.json line 2: it is damaged from there on: no JSON");
        Files.writeString(folder.resolve("run.json"), "[]");
        assertRefused("run.json: it is damaged: no JSON object");
        Files.writeString(folder.resolve("run.json"), "{\"status\": \"done\"}");
        assertRefused("run.json: it is damaged: there is no status 'done'");
        Files.writeString(folder.resolve("run.json"), "{\"status\": \"finished\", \"runs\": [{\"d\": 5}]}");
        assertRefused("run.json: it is damaged: a run has no seed");
        Files.delete(folder.resolve("run.json"));
        assertEquals(
                folder + ": there are no results in it (no run.json)",
                assertThrows(FileException.class, () -> Results.read(folder)).getMessage());
    }

    /**
     * Cut, flipped, deleted and inserted bytes: either they do not matter, or one line names the
     * file.
     */
    @Test
    void whateverIsDamagedIsReadOrRefused() throws IOException {
        Seeds seeds = Seeds.next();
        for (Optional<Status> end : List.of(Optional.of(Status.FINISHED), Optional.<Status>empty())) {
            write(end);
            List<Path> files;
            try (Stream<Path> walk = Files.walk(folder)) {
                files = walk.filter(file -> file.toString().matches(".*/(run.json|metrics.csv|curves.csv|runs/.*csv)"))
                        .sorted()
                        .toList();
            }
            for (int i = 0; i < 400; i++) {
                Path file = files.get(seeds.random().nextInt(files.size()));
                byte[] whole = Files.readAllBytes(file);
                Files.write(file, damaged(whole, seeds.random()));
                try {
                    Results.read(folder);
                } catch (FileException e) {
                    // Where two files contradict each other, it may be the other one.
                    assertTrue(e.getMessage().startsWith(folder + "/"), seeds.message(e.getMessage()));
                    assertEquals(1, e.getMessage().lines().count(), seeds.message(e.getMessage()));
                    assertTrue(
                            !e.getMessage().matches("(?s).*(Exception|java\\.|fasterxml).*"),
                            seeds.message(e.getMessage()));
                } catch (RuntimeException e) {
                    throw new AssertionError(seeds.message(Files.readString(file, StandardCharsets.ISO_8859_1)), e);
                }
                Files.write(file, whole);
            }
        }
    }

    private static byte[] damaged(byte[] whole, RandomGenerator random) {
        int at = random.nextInt(whole.length);
        byte[] some = new byte[random.nextInt(1, 4)];
        random.nextBytes(some);
        byte[] telling = "\",\n\r{}[]:-.0\u0000".getBytes(StandardCharsets.UTF_8);
        if (random.nextBoolean()) {
            some = new byte[] {telling[random.nextInt(telling.length)]};
        }
        byte[] head = Arrays.copyOf(whole, at);
        return switch (random.nextInt(4)) {
            case 0 -> head;
            case 1 ->
                joined(head, some, Arrays.copyOfRange(whole, Math.min(at + some.length, whole.length), whole.length));
            case 2 -> joined(head, some, Arrays.copyOfRange(whole, at, whole.length));
            default ->
                joined(head, new byte[0], Arrays.copyOfRange(whole, random.nextInt(at, whole.length), whole.length));
        };
    }

    private static byte[] joined(byte[] head, byte[] middle, byte[] tail) {
        byte[] all = Arrays.copyOf(head, head.length + middle.length + tail.length);
        System.arraycopy(middle, 0, all, head.length, middle.length);
        System.arraycopy(tail, 0, all, head.length + middle.length, tail.length);
        return all;
    }
}
