package plateau.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A command's files, read back. */
class RecordedTest {
    @TempDir Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("run.json"), "{\"experiment\": \"pwl\", \"status\": \"finished\", \"runs\": [{\"variant\": \"conv\", \"seed\": 2, \"speed\": 7}]}");
        Files.writeString(folder.resolve("metrics.csv"), "variant,seed,step,loss,distance\r\nconv,1,100,0.5,2\r\nconv,1,200,0.25,1.5\r\nautoencoder,1,100,7,\r\nconv,2,100,3,4\r\n");
        Files.writeString(folder.resolve("curves.csv"), "variant,seed,step,point,original,decoded\r\nconv,1,200,0,1,2\r\nconv,1,200,1,3,4\r\n");
    }

    @Test
    void runsAreToldApartByKeyAndSeed() throws IOException {
        Recorded recorded = Recorded.read(folder);
        assertEquals("pwl", recorded.experiment());
        assertEquals("finished", recorded.status());
        assertEquals(List.of("conv 1", "autoencoder 1", "conv 2"), recorded.histories().stream().map(run -> run.label() + " " + run.seed()).toList());
        History first = recorded.histories().getFirst();
        assertEquals(List.of(100L, 200L), first.steps());
        assertEquals(Map.of("loss", List.of(0.5, 0.25), "distance", List.of(2.0, 1.5)), first.metrics());
        assertEquals(Map.of(200L, Map.of("original", List.of(1.0, 3.0), "decoded", List.of(2.0, 4.0))), first.curves());
        assertEquals(7, recorded.histories().get(2).description().path("speed").asInt());
        assertTrue(first.description().isMissingNode());
        assertEquals(Map.of("loss", List.of(7.0)), recorded.histories().get(1).metrics(), "what it does not measure is left out");
    }

    @Test
    void aHistorySumsUp() {
        History run = new History(Map.of("d", "5"), 1, List.of(10L, 20L, 30L), Map.of("loss", List.of(4.0, 1.0, 2.5)), new TreeMap<>(), MissingNode.getInstance());
        assertEquals("d = 5", run.label());
        assertEquals(2.5, run.last("loss"));
        assertEquals(2.5, run.mean("loss"));
        assertEquals(2.5, run.tail("loss"), "a tenth of three values is one");
        assertEquals(OptionalLong.of(20), run.firstAtMost("loss", 2));
        assertEquals(OptionalLong.empty(), run.firstAtMost("loss", 0.5));
    }

    @Test
    void aSpikeDoesNotMoveTheTail() {
        List<Double> values = new ArrayList<>(Collections.nCopies(99, 1.0));
        values.add(1e6);
        assertEquals(1, new History(Map.of(), 1, LongStream.rangeClosed(1, 100).boxed().toList(), Map.of("loss", values), new TreeMap<>(), MissingNode.getInstance()).tail("loss"));
    }

    @Test
    void whatIsNotThereOrDamagedIsNamed() throws IOException {
        assertTrue(assertThrows(IOException.class, () -> Recorded.read(folder.resolve("none"))).getMessage().contains("none holds no results of a command"));
        Files.writeString(folder.resolve("metrics.csv"), "variant,seed,step,loss\r\nconv,1,x,0.5\r\n");
        assertTrue(assertThrows(IOException.class, () -> Recorded.read(folder)).getMessage().contains("are damaged"));
    }
}
