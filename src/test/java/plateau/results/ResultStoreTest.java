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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import plateau.results.ResultFolder.Purpose;

/** What runs report is in the folder: in the files of the runs, in the tables, and read back. */
@Timeout(60)
class ResultStoreTest {
    private static final RunRecord.Speeds SPEEDS = new RunRecord.Speeds(18707.4, 18583.6, 0.0161, 0.0984);

    @TempDir Path temporary;
    private Path folder;

    @BeforeEach
    void name() {
        folder = temporary.resolve("parity");
    }

    private static Description description() {
        return new Description("parity", "2026-11-27T02:20:23Z", new ObjectMapper().createObjectNode().put("steps", 250),
                MissingNode.getInstance(), "CPU", Map.of("java", "25"));
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

    /** Two runs with other metrics, the later one first: tables have the order of the runs, and LF. */
    @Test
    void tablesHaveAllRowsOfAllRuns() throws IOException {
        try (ResultFolder claimed = claim(Purpose.NEW)) {
            ResultStore store = store(claimed, plan(5, 1, "loss", "accuracy"), plan("deep, wide", 2, "distance", "loss"));
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
        assertEquals(Optional.of("deep, wide: loss is NaN after 101 steps"), results.description().error());
        assertEquals(List.of(Status.FINISHED, Status.FAILED), results.description().runs().stream().map(RunRecord::status).toList());
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
        String text = text("run.json").replaceAll("\"seconds\" : [0-9.]+,\n  \"campaign\"", "\"seconds\" : 0,\n  \"campaign\"");
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
        SequencedMap<String, float[]> read = Results.read(folder).histories().getFirst().curves().get(100L);
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
            String message = assertThrows(FileException.class, () -> store.start(0, 250)).getMessage();
            assertTrue(message.startsWith(folder.resolve("runs/d-5-seed-1.csv") + ": 2 of the 3 rows up to step 250"), message);
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
            store(claimed, plan(5, 1, "loss")).end(Status.FAILED, Optional.of("no device"));
        }
        assertFalse(Files.exists(folder));
    }
}
