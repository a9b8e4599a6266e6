package plateau.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import plateau.results.ResultFolder.Purpose;

/** What runs report is in the folder: in the files of the runs, in the tables, and read back. */
@Timeout(60)
class ResultStoreTest {
    private static final RunRecord.Speeds SPEEDS = new RunRecord.Speeds(18707.4, 18583.6, 0.0161, 0.0984);

    @TempDir
    Path temporary;

    private Path folder;

    @BeforeEach
    void name() {
        folder = temporary.resolve("parity");
    }

    private static Description description() {
        return new Description(
                "parity",
                "2026-11-27T02:20:23Z",
                new ObjectMapper().createObjectNode().put("steps", 250),
                MissingNode.getInstance(),
                "CPU",
                Map.of("java", "25"));
    }

    private static RunPlan plan(Object d, long seed, String... metrics) {
        return new RunPlan(RunKey.of("d", d, seed), List.of(metrics), Map.of("subset", List.of(0, 1, 3)), 250, 100);
    }

    private static LogRow row(long step, double... values) {
        return LogRow.of(step, values, new double[0]);
    }

    private ResultStore store(ResultFolder claimed, RunPlan... plans) throws IOException {
        return new ResultStore(claimed, description(), List.of(plans), Duration.ofMillis(5));
    }

    private ResultFolder claim(Purpose purpose) throws IOException {
        return ResultFolder.claim(folder, purpose, "a test");
    }

    private String text(String name) throws IOException {
        return Files.readString(folder.resolve(name));
    }

    /**
     * Two runs with other metrics, the later one first: tables have the order of the runs, and LF.
     */
    @Test
    void tablesHaveAllRowsOfAllRuns() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store =
                    store(claimed, plan(5, 1, "loss", "accuracy"), plan("deep, wide", 2, "distance", "loss"));
            store.start(1, 0);
            store.log(1, row(100, 1e-7f, 0.1));
            store.start(0, 0);
            store.log(0, row(100, 0.9867222f, 0.53000003f));
            store.log(0, row(200, -0.0, 1e10));
            store.finish(0, SPEEDS);
            store.fail(1, "loss is NaN after 101 steps");
            store.end(Status.FAILED, Optional.of("deep, wide: loss is NaN after 101 steps"));
            assertEquals(List.of("run.json", "metrics.csv", "metrics.jsonl"), store.written());
        }
        assertEquals("""
            d,seed,step,loss,accuracy,distance
            5,1,100,0.9867222,0.53000003,
            5,1,200,0.0,1.0E+10,
            "deep, wide",2,100,0.1,,1.0E-7
            """, text("metrics.csv"));
        assertEquals("""
            {"d":5,"seed":1,"step":100,"loss":0.9867222,"accuracy":0.53000003}
            {"d":5,"seed":1,"step":200,"loss":0.0,"accuracy":1.0E+10}
            {"d":"deep, wide","seed":2,"step":100,"loss":0.1,"distance":1.0E-7}
            """, text("metrics.jsonl"));
        Results results = Results.read(folder);
        assertEquals(Status.FAILED, results.description().status());
        assertEquals(
                Optional.of("deep, wide: loss is NaN after 101 steps"),
                results.description().error());
        assertEquals(
                List.of(Status.FINISHED, Status.FAILED),
                results.description().runs().stream().map(RunRecord::status).toList());
        History first = results.histories().getFirst();
        assertEquals(List.of(100L, 200L), first.steps());
        assertEquals(List.of("loss", "accuracy"), first.metrics());
        assertEquals(List.of(0, 1, 3), first.facts().get("subset"));
        assertEquals("deep, wide", results.histories().getLast().label());
        assertEquals(0.1, results.histories().getLast().last("loss"));
    }

    /** As earlier versions wrote it, field by field. */
    @Test
    void theDescriptionTellsOfEachRun() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plan(5, 1, "loss", "accuracy"));
            store.start(0, 0);
            store.log(0, row(100, 0.9867222f, Double.NaN));
            store.finish(0, SPEEDS);
            store.end(Status.FINISHED, Optional.empty());
        }
        String text = text("run.json")
                .replaceAll("\"seconds\" : [0-9.]+,\n  \"campaign\"", "\"seconds\" : 0,\n  \"campaign\"");
        assertEquals("""
            {
              "experiment" : "parity",
              "status" : "finished",
              "started" : "2026-11-27T02:20:23Z",
              "seconds" : 0,
              "campaign" : {
                "steps" : 250
              },
              "device" : "CPU",
              "versions" : {
                "java" : "25"
              },
              "runs" : [ {
                "d" : 5,
                "seed" : 1,
                "status" : "finished",
                "subset" : [ 0, 1, 3 ],
                "steps_per_second" : 18707,
                "steps_per_second_with_evaluation" : 18584,
                "seconds" : 0.016,
                "setup_seconds" : 0.098,
                "last" : {
                  "step" : 100,
                  "loss" : 0.9867222,
                  "accuracy" : "NaN"
                }
              } ]
            }
            """, text);
    }

    @Test
    void curvesAreATableOfPoints() throws IOException {
        SequencedMap<String, float[]> learnt = new LinkedHashMap<>();
        learnt.put("x", new float[] {0, 1e-5f});
        learnt.put("f", new float[] {0.5f});
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"), plan(5, 2, "loss"));
            store.start(1, 0);
            store.log(1, row(100, 1));
            store.keep(1, 100, learnt);
            store.finish(1, SPEEDS);
            store.end(Status.FINISHED, Optional.empty());
        }
        assertEquals("d,seed,step,point,x,f\n5,2,100,0,0.0,0.5\n5,2,100,1,1.0E-5,\n", text("curves.csv"));
        SequencedMap<String, float[]> read =
                Results.read(folder).histories().getFirst().curves().get(100L);
        assertEquals(1e-5f, read.get("x")[1]);
        assertEquals(1, read.get("f").length);
    }

    @Test
    void aRunGoesOnFromItsCheckpoint() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"), plan(5, 2, "loss"));
            store.begin();
            for (int run = 0; run < 2; run++) {
                store.start(run, 0);
                store.log(run, row(100, 0.5));
                store.checkpoint(run);
                store.log(run, row(200, 0.25));
            }
            store.end(Status.INTERRUPTED, Optional.empty());
        }
        String before = text("metrics.csv");
        try (ResultFolder claimed = claim(Purpose.CONTINUE)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"), plan(5, 2, "loss"));
            assertEquals(Status.INTERRUPTED, store.record(0).status());
            String message =
                    assertThrows(FileException.class, () -> store.start(0, 250)).getMessage();
            assertTrue(
                    message.startsWith(folder.resolve("runs/d-5-seed-1.csv") + ": 2 of the 3 rows up to step 250"),
                    message);
            store.fail(0, message);
            store.end(Status.FAILED, Optional.of(message));
        }
        assertEquals(before, text("metrics.csv"), "a run that cannot go on takes nothing away");
        try (ResultFolder claimed = claim(Purpose.CONTINUE)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"), plan(5, 2, "loss"));
            store.start(0, 100);
            assertEquals(0.5, store.record(0).last().orElseThrow().metrics().get("loss"));
            store.log(0, row(100, 0.5)); // seen before
            store.log(0, row(200, 0.125));
            store.end(Status.INTERRUPTED, Optional.empty());
        }
        assertEquals("d,seed,step,loss\n5,1,100,0.5\n5,1,200,0.125\n5,2,100,0.5\n5,2,200,0.25\n", text("metrics.csv"));
    }

    @Test
    void nothingIsLeftWhereNothingBegan() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"));
            store.fail(0, "out of memory");
            store.end(Status.FAILED, Optional.of("out of memory"));
        }
        assertFalse(Files.exists(folder));
    }

    @Test
    void earlierResultsStayWhereNothingBegan() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"));
            store.start(0, 0);
            store.log(0, row(100, 0.5));
            store.end(Status.INTERRUPTED, Optional.empty());
        }
        String before = text("run.json");
        for (Purpose purpose : List.of(Purpose.REPLACE, Purpose.CONTINUE)) {
            try (ResultFolder claimed = claim(purpose)) {
                ResultStore store = store(claimed, plan(5, 1, "loss"));
                store.fail(0, "out of memory");
                store.end(Status.FAILED, Optional.of("out of memory"));
            }
            assertEquals(before, text("run.json"));
            assertEquals("d,seed,step,loss\n5,1,100,0.5\n", text("metrics.csv"));
        }
    }

    /** Every run of ten thousand begins: the description of them all is not written each time. */
    @Test
    void aFolderIsBegunOnce() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store =
                    new ResultStore(claimed, description(), List.of(plan(5, 1, "loss"), plan(5, 2, "loss")));
            store.start(0, 0);
            Object first = Files.getAttribute(folder.resolve("run.json"), "unix:ino");
            store.begin();
            store.start(1, 0);
            assertEquals(first, Files.getAttribute(folder.resolve("run.json"), "unix:ino"));
            store.end(Status.INTERRUPTED, Optional.empty());
        }
    }

    /** For whoever looks, without anybody's asking. */
    @Test
    void tablesAreThereWhileRunsGoOn() throws Exception {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"), plan(5, 2, "loss"));
            store.start(1, 0);
            store.log(1, row(100, 0.5));
            awaitText("metrics.csv", "d,seed,step,loss\n5,2,100,0.5\n");
            store.log(1, row(200, 0.25));
            awaitText("metrics.csv", "d,seed,step,loss\n5,2,100,0.5\n5,2,200,0.25\n");
            assertEquals(
                    List.of(Status.WAITING, Status.RUNNING),
                    Description.read(folder).runs().stream()
                            .map(RunRecord::status)
                            .toList());
            store.end(Status.INTERRUPTED, Optional.empty());
        }
        assertEquals(
                Status.INTERRUPTED, Description.read(folder).runs().getLast().status());
    }

    private void awaitText(String name, String expected) throws Exception {
        String text = "";
        for (long start = System.nanoTime(); !text.equals(expected) && System.nanoTime() - start < 30e9; ) {
            Thread.sleep(2);
            text = Files.exists(folder.resolve(name)) ? text(name) : "";
        }
        assertEquals(expected, text);
    }

    /** Its run.json says that it is running, and its tables lack what came last. */
    @Test
    void aKilledCampaignGoesOnWithAllItsRows() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store =
                    new ResultStore(claimed, description(), List.of(plan(5, 1, "loss"), plan(5, 2, "loss")));
            store.begin();
            store.start(0, 0);
            store.log(0, row(100, 0.5));
            store.log(0, row(200, 0.25));
            store.log(0, row(250, 0.125));
            store.finish(0, SPEEDS);
            store.start(1, 0);
            store.log(1, row(100, 1));
            store.checkpoint(1);
        }
        try (ResultFolder claimed = claim(Purpose.CONTINUE)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"), plan(5, 2, "loss"), plan(5, 3, "loss"));
            assertEquals(
                    List.of(Status.FINISHED, Status.INTERRUPTED, Status.WAITING),
                    List.of(
                            store.record(0).status(),
                            store.record(1).status(),
                            store.record(2).status()));
            assertEquals(100, store.record(1).last().orElseThrow().step());
            store.begin();
            store.end(Status.FAILED, Optional.of("no device"));
        }
        assertEquals("d,seed,step,loss\n5,1,100,0.5\n5,1,200,0.25\n5,1,250,0.125\n5,2,100,1.0\n", text("metrics.csv"));
        RunRecord finished = Results.read(folder).description().runs().getFirst();
        assertEquals(0.125, finished.last().orElseThrow().metrics().get("loss"));
        assertEquals(18707, finished.speeds().orElseThrow().stepsPerSecond());
    }

    @Test
    void theTimeOfAllProcessesIsAddedUp() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"));
            store.begin();
            store.end(Status.INTERRUPTED, Optional.empty());
        }
        Path file = folder.resolve("run.json");
        Files.writeString(
                file,
                Files.readString(file)
                        .replaceFirst("\"seconds\" : [0-9.E-]+", "\"seconds\" : 1000.5")
                        .replace("2026-11-27", "2026-11-20"));
        try (ResultFolder claimed = claim(Purpose.CONTINUE)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"));
            store.begin();
            store.end(Status.INTERRUPTED, Optional.empty());
        }
        Description description = Description.read(folder);
        assertTrue(
                description.seconds() >= 1000.5 && description.seconds() < 1100,
                () -> "seconds " + description.seconds());
        assertEquals("2026-11-20T02:20:23Z", description.started());
    }

    /** A figure could not be drawn, say. */
    @Test
    void whatFailsAfterTheEndIsDescribedToo() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plan(5, 1, "loss"));
            store.start(0, 0);
            store.log(0, row(100, 0.5));
            store.finish(0, SPEEDS);
            store.end(Status.FINISHED, Optional.empty());
            store.end(Status.FAILED, Optional.of("parity.png: No space left on device"));
        }
        Results results = Results.read(folder);
        assertEquals(
                Optional.of("parity.png: No space left on device"),
                results.description().error());
        assertEquals(Status.FINISHED, results.description().runs().getFirst().status());
        assertEquals(1, results.histories().getFirst().logged());
    }

    @Test
    void filesOfOthersInTheWayOfRunsAreFoundBeforeAnyBegins() throws IOException {
        Path users = folder.resolve("runs/d-5-seed-2.csv");
        Files.createDirectories(users.getParent());
        Files.writeString(users, "the user's");
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            String message = assertThrows(
                            FolderException.Occupied.class,
                            () -> store(claimed, plan(5, 1, "loss"), plan(5, 2, "loss")))
                    .getMessage();
            assertTrue(message.startsWith(users + ": "), message);
        }
        assertEquals("the user's", Files.readString(users));
    }

    /** From many threads, while tables are written all the time. */
    @Test
    void manyRunsReportAtOnce() throws Exception {
        int count = 200;
        RunPlan[] plans = LongStream.range(0, count)
                .mapToObj(seed -> plan(5, seed, "loss"))
                .toArray(RunPlan[]::new);
        StringBuilder expected = new StringBuilder("d,seed,step,loss\n");
        for (int run = 0; run < count; run++) {
            for (long step = 1; step <= 20; step++) {
                expected.append("5,")
                        .append(run)
                        .append(',')
                        .append(step)
                        .append(',')
                        .append(run / 2.0)
                        .append('\n');
            }
        }
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plans);
            store.begin();
            try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
                for (Future<?> end : threads.invokeAll(IntStream.range(0, count)
                        .mapToObj(run -> reporting(store, run))
                        .toList())) {
                    end.get();
                }
            }
            store.end(Status.FINISHED, Optional.empty());
        }
        assertEquals(expected.toString(), text("metrics.csv"));
        assertEquals(count, Results.read(folder).histories().size());
    }

    private static Callable<Void> reporting(ResultStore store, int run) {
        return () -> {
            store.start(run, 0);
            for (long step = 1; step <= 20; step++) {
                store.log(run, row(step, run / 2.0));
            }
            store.finish(run, SPEEDS);
            return null;
        };
    }
}
