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
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was measured once is kept with the results, and decides when they are repeated. */
class MeasuredPathsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private Path run(String out, String... words) {
        Path results = folder.resolve(out);
        String[] line = new String[words.length + 2];
        System.arraycopy(words, 0, line, 0, words.length);
        line[words.length] = "--out";
        line[words.length + 1] = results.toString();
        Finished.here(line).assertOk();
        return results;
    }

    private Path train(String out, String gemm) {
        return run(out, "parity", "--device", "cpu", "--d", "30", "--steps", "40", "--log-every", "4", "--gemm", gemm);
    }

    private static ObjectNode campaign(Path results) throws IOException {
        return (ObjectNode) JSON.readTree(results.resolve("run.json").toFile()).get("campaign");
    }

    /** The same campaign, where a library was the faster one for every shape, or for none. */
    private Path changed(ObjectNode campaign, boolean library) throws IOException {
        ObjectNode copy = campaign.deepCopy();
        for (JsonNode shape : copy.get("measured")) {
            ((ObjectNode) shape).put("library", library);
        }
        Path file = folder.resolve(library + ".json");
        JSON.writeValue(file.toFile(), copy);
        return file;
    }

    private static byte[] rows(Path results) throws IOException {
        return Files.readAllBytes(results.resolve("metrics.csv"));
    }

    @Test
    void whatWasMeasuredIsRepeated() throws Exception {
        Path measured = train("measured", "measured");
        ObjectNode campaign = campaign(measured);
        assertTrue(campaign.get("measured").has("dense_forward 128 x 300 x 30, bias, ReLU"), campaign::toString);
        Path again = run(
                "again", "run", "--device", "cpu", measured.resolve("run.json").toString());
        assertEquals(campaign, campaign(again), "nothing is measured anew");
        assertArrayEquals(rows(measured), rows(again));

        byte[] kernels = rows(train("kernels", "kernels"));
        byte[] cublas = rows(train("cublas", "cublas"));
        assertFalse(Arrays.equals(kernels, cublas), "one tells who computed");
        assertArrayEquals(
                cublas,
                rows(run(
                        "all", "run", "--device", "cpu", changed(campaign, true).toString())));
        assertArrayEquals(
                kernels,
                rows(run(
                        "none",
                        "run",
                        "--device",
                        "cpu",
                        changed(campaign, false).toString())));
    }

    @Test
    void whatWasMeasuredHoldsWhereRunsGoOn() throws Exception {
        Path results = run(
                "on",
                "run",
                "--device",
                "cpu",
                "--checkpoint-every",
                "20",
                changed(campaign(train("first", "measured")), true).toString());
        Path description = results.resolve("run.json");
        ObjectNode json = (ObjectNode) JSON.readTree(description.toFile());
        assertTrue(json.at("/campaign/measured").findValues("library").stream().allMatch(JsonNode::asBoolean));
        Finished.here("parity", "--resume", results.toString()).assertOk();
        assertEquals(json.get("campaign"), campaign(results));
    }

    @Test
    void damagedMeasurementsAreOneLine() throws Exception {
        Path file = folder.resolve("campaign.json");
        Files.writeString(
                file,
                "{\"experiment\": \"parity\", \"measured\": {\"dense\": {\"library\": 3}}, \"runs\": [{\"steps\":"
                        + " 4}]}");
        Finished.here("run", file.toString(), "--out", folder.resolve("out").toString())
                .assertError(ExitCode.USAGE, "\"dense\" must say whether a library computes it");
    }
}
