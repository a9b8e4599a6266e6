package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.results.Safetensors;

/**
 * Commands run in this process: what they write and print, their exit codes, and that nothing stays
 * on the device.
 */
class MainTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @Test
    void parityWritesItsResults() throws Exception {
        Path out = folder.resolve("p");
        Finished parity = parity(out, "--d", "5,8", "--steps", "250", "--subset-size", "3", "--seed", "7");
        parity.assertOk();
        assertTrue(
                parity.out().getFirst().startsWith("device: cpu:0 CPU ("),
                parity.out().getFirst());
        assertEquals(
                "wrote run.json, metrics.csv, metrics.jsonl, parity.png, parity.svg to " + out,
                parity.out().getLast());
        assertEquals(Set.of("metrics.csv", "metrics.jsonl", "run.json", "parity.png", "parity.svg"), names(out));

        List<String> lines = Files.readAllLines(out.resolve("metrics.csv"));
        assertEquals("d,seed,step,loss,accuracy", lines.getFirst());
        List<String> keys = lines.stream()
                .skip(1)
                .map(line -> line.replaceFirst("(,[^,]*){2}$", ""))
                .toList();
        assertEquals(List.of("5,7,100", "5,7,200", "5,7,250", "8,7,100", "8,7,200", "8,7,250"), keys);

        JsonNode run = JSON.readTree(out.resolve("run.json").toFile());
        assertEquals("parity", run.at("/experiment").asText());
        assertEquals("finished", run.at("/status").asText());
        assertEquals(
                JSON.readTree("{\"d\": 8, \"subset-size\": 3, \"batch\": 128, \"lr\": 0.01}"),
                run.at("/campaign/runs/1/options"));
        assertEquals(250, run.at("/campaign/runs/1/steps").asInt());
        assertEquals("cpu", run.at("/settings/device").asText());
        assertTrue(run.at("/device").asText().startsWith("cpu:0 CPU ("));
        assertTrue(run.at("/versions").has("java") && run.at("/versions").has("plateau"), run::toString);
        assertEquals(2, run.at("/runs").size());
        assertEquals(8, run.at("/runs/1/d").asInt());
        assertEquals(7, run.at("/runs/1/seed").asInt());
        assertEquals(3, run.at("/runs/1/subset").size());
        assertEquals(250, run.at("/runs/1/last/step").asInt());
        assertTrue(run.at("/runs/1/steps_per_second").asDouble() > 0);
        assertTrue(
                lines.getLast().endsWith("," + run.at("/runs/1/last/accuracy").asText()), lines.getLast());
    }

    @Test
    void seedsOfOneKindStandTogetherAndShareACurve() throws Exception {
        Path out = folder.resolve("p");
        Finished parity = parity(out, "--d", "5,8", "--steps", "120", "--seed", "7", "--seeds", "3", "--parallel", "4");
        parity.assertOk();
        assertEquals(
                6,
                parity.out().stream()
                        .filter(line -> line.matches("d = [58], seed [789]: loss .* after 120 steps, .* steps/s"))
                        .count(),
                parity.out()::toString);
        List<String> keys = Files.readAllLines(out.resolve("metrics.csv")).stream()
                .skip(1)
                .map(line -> line.replaceFirst("(,[^,]*){2}$", ""))
                .toList();
        assertEquals(
                List.of(
                        "5,7,100", "5,7,120", "5,8,100", "5,8,120", "5,9,100", "5,9,120", "8,7,100", "8,7,120",
                        "8,8,100", "8,8,120", "8,9,100", "8,9,120"),
                keys);
        JsonNode run = JSON.readTree(out.resolve("run.json").toFile());
        assertEquals(
                List.of(7, 8, 9, 7, 8, 9),
                run.at("/runs")
                        .valueStream()
                        .map(each -> each.at("/seed").asInt())
                        .toList());
        assertTrue(
                run.at("/runs")
                        .valueStream()
                        .allMatch(each -> each.at("/status").asText().equals("finished")),
                run::toString);

        parity(folder.resolve("alone"), "--d", "8", "--steps", "120", "--seed", "9", "--parallel", "1")
                .assertOk();
        assertEquals(
                Files.readAllLines(folder.resolve("alone/metrics.csv")).subList(1, 3),
                Files.readAllLines(out.resolve("metrics.csv")).subList(11, 13));
    }

    @Test
    void stepKeepsWhatWasLearnt() throws Exception {
        Path out = folder.resolve("s");
        Finished step = Finished.here(
                "step", "--device", "cpu", "--steps", "100", "--log-every", "50", "--out", out.toString());
        step.assertOk();
        assertEquals(
                Set.of(
                        "metrics.csv",
                        "metrics.jsonl",
                        "curves.csv",
                        "run.json",
                        "step.png",
                        "step.svg",
                        "step-learnt.png",
                        "step-learnt.svg"),
                names(out));
        List<String> metrics = Files.readAllLines(out.resolve("metrics.csv"));
        assertEquals("variant,seed,step,loss,squared_error,exact", metrics.getFirst());
        assertEquals(1 + 4 * 2, metrics.size());
        List<String> curves = Files.readAllLines(out.resolve("curves.csv"));
        assertEquals("variant,seed,step,point,score,label,hypothesis,smooth", curves.getFirst());
        assertTrue(curves.get(1).startsWith("approximation,1,100,0,"), curves.get(1));
        assertTrue(curves.getLast().matches("forward-only,1,100,\\d+,.*,"), curves.getLast());
        JsonNode run = JSON.readTree(out.resolve("run.json").toFile());
        assertEquals(
                List.of("approximation", "e2e", "multiclass", "forward-only"),
                run.at("/campaign/runs").findValuesAsText("variant"));
        assertEquals("program", run.at("/campaign/runs/0/options/smoothing").asText());
    }

    @Test
    void jsonLinesSayWhatTheTableSays() throws Exception {
        Path out = folder.resolve("w");
        Finished.here(
                        "pwl",
                        "conv",
                        "autoencoder",
                        "--device",
                        "cpu",
                        "--steps",
                        "20",
                        "--batch",
                        "10",
                        "--log-every",
                        "10",
                        "--out",
                        out.toString())
                .assertOk();
        List<String> table = Files.readAllLines(out.resolve("metrics.csv"));
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(out.resolve("metrics.jsonl"))) {
            lines.add(JSON.readTree(line));
        }
        assertEquals(table.size() - 1, lines.size());
        for (int i = 0; i < lines.size(); i++) {
            String[] cells = table.get(i + 1).split(",", -1);
            JsonNode line = lines.get(i);
            assertEquals(
                    List.of(cells),
                    Stream.of("variant", "seed", "step", "loss", "distance")
                            .map(name -> line.path(name).asText())
                            .toList());
            assertEquals(cells[4].isEmpty(), line.path("distance").isMissingNode());
        }
    }

    @Test
    void exportWritesParametersAndCurvesForOtherPrograms() throws Exception {
        Path out = folder.resolve("s");
        Finished.here(
                        "step",
                        "forward-only",
                        "e2e",
                        "--device",
                        "cpu",
                        "--steps",
                        "120",
                        "--log-every",
                        "50",
                        "--checkpoint-every",
                        "50",
                        "--out",
                        out.toString())
                .assertOk();
        Finished export = Finished.here("export", out.toString());
        export.assertOk();
        Path exported = out.resolve("export");
        assertEquals(
                Set.of(
                        "e2e-seed-1.safetensors",
                        "e2e-seed-1.csv",
                        "e2e-seed-1-curves.csv",
                        "forward-only-seed-1.safetensors",
                        "forward-only-seed-1.csv",
                        "forward-only-seed-1-curves.csv"),
                names(exported));
        Safetensors weights = Safetensors.read(exported.resolve("forward-only-seed-1.safetensors"));
        Safetensors checkpoint = Safetensors.read(out.resolve("checkpoints/forward-only-seed-1.safetensors"));
        assertEquals(2, weights.arrays().size(), "v and b");
        weights.arrays()
                .forEach((name, values) ->
                        assertArrayEquals(checkpoint.arrays().get(name).toInts(), values.toInts(), name));
        assertEquals("120", weights.metadata().get("step"));

        List<String> metrics = Files.readAllLines(out.resolve("metrics.csv"));
        List<String> logged = Files.readAllLines(exported.resolve("forward-only-seed-1.csv"));
        assertEquals("step,loss,squared_error,exact", logged.getFirst());
        assertEquals(
                metrics.stream()
                        .filter(line -> line.startsWith("forward-only,"))
                        .map(line -> line.substring("forward-only,1,".length()))
                        .toList(),
                logged.subList(1, logged.size()));
        List<String> curves = Files.readAllLines(exported.resolve("e2e-seed-1-curves.csv"));
        assertEquals("step,point,score,label,hypothesis", curves.getFirst());
        assertEquals(
                Files.readAllLines(out.resolve("curves.csv")).stream()
                        .filter(line -> line.startsWith("e2e,"))
                        .map(line -> line.substring("e2e,1,".length()).replaceFirst(",$", ""))
                        .sorted()
                        .toList(),
                curves.stream().skip(1).sorted().toList());

        Files.writeString(out.resolve("checkpoints/e2e-seed-1.safetensors"), "nonsense");
        Finished.here("export", out.toString(), "--out", folder.resolve("x").toString())
                .assertError(ExitCode.FAILED, "e2e-seed-1.safetensors cannot be used");
        parity(folder.resolve("p"), "--d", "5", "--steps", "10").assertOk();
        Finished.here("export", folder.resolve("p").toString())
                .assertError(ExitCode.FAILED, "holds no checkpoints to export; train with --checkpoint-every N");
    }

    @Test
    void tensorboardGetsAFileForEachRun() throws Exception {
        Path out = folder.resolve("p");
        parity(out, "--d", "5", "--steps", "120", "--seeds", "2", "--tensorboard")
                .assertOk();
        assertEquals(Set.of("d-5-seed-1", "d-5-seed-2"), names(out.resolve("tensorboard")));
        byte[] events = Files.readAllBytes(out.resolve("tensorboard/d-5-seed-2/events.out.tfevents.plateau"));
        // The version's record, and two of 59 bytes and the framing's 16: time 9, step 2, summary 2
        // of loss 2 + 6 + 5 and accuracy 2 + 10 + 5.
        assertEquals(16 + 24 + 2 * (16 + 9 + 2 + 2 + 13 + 17), events.length);
    }

    @Test
    void pwlKeepsDecodedCurvesAndLeavesOutWhatAVariantDoesNotMeasure() throws Exception {
        Path out = folder.resolve("w");
        Finished pwl = Finished.here(
                "pwl",
                "conv",
                "autoencoder",
                "--device",
                "cpu",
                "--steps",
                "550",
                "--batch",
                "10",
                "--log-every",
                "250",
                "--out",
                out.toString());
        pwl.assertOk();
        assertEquals(
                Set.of(
                        "metrics.csv",
                        "metrics.jsonl",
                        "curves.csv",
                        "run.json",
                        "pwl.png",
                        "pwl.svg",
                        "pwl-learnt.png",
                        "pwl-learnt.svg"),
                names(out));
        List<String> metrics = Files.readAllLines(out.resolve("metrics.csv"));
        assertEquals("variant,seed,step,loss,distance", metrics.getFirst());
        assertEquals(1 + 2 * 3, metrics.size());
        assertTrue(metrics.get(1).matches("conv,1,250,[^,]+,[^,]+"), metrics.get(1));
        assertTrue(metrics.getLast().matches("autoencoder,1,550,[^,]+,"), metrics.getLast());
        List<String> curves = Files.readAllLines(out.resolve("curves.csv"));
        assertEquals("variant,seed,step,point,original,decoded", curves.getFirst());
        assertEquals(1 + 2 * 2 * 200, curves.size(), "two curves of 100 points at steps 500 and 550 of either run");
    }

    @Test
    void stocksTellTheNoiseFromTheStart() throws Exception {
        Path out = folder.resolve("k");
        Finished stocks = Finished.here(
                "stocks",
                "--d",
                "50",
                "--k",
                "4,70",
                "--device",
                "cpu",
                "--steps",
                "60",
                "--log-every",
                "25",
                "--out",
                out.toString());
        stocks.assertOk();
        assertEquals(
                Set.of(
                        "metrics.csv",
                        "metrics.jsonl",
                        "run.json",
                        "stocks.png",
                        "stocks.svg",
                        "stocks-noise.png",
                        "stocks-noise.svg"),
                names(out));
        List<String> metrics = Files.readAllLines(out.resolve("metrics.csv"));
        assertEquals(
                "k,mode,seed,step,loss,exact_loss,accuracy,noise_e2e,noise_dec,noise_ratio,moment_e2e,moment_dec",
                metrics.getFirst());
        List<String> keys = metrics.stream()
                .skip(1)
                .map(line -> line.replaceFirst("(,[^,]*){10}$", ""))
                .toList();
        assertEquals(
                List.of(
                        "4,e2e", "4,e2e", "4,e2e", "4,dec", "4,dec", "4,dec", "70,e2e", "70,e2e", "70,e2e", "70,dec",
                        "70,dec", "70,dec"),
                keys);
        JsonNode run = JSON.readTree(out.resolve("run.json").toFile());
        assertEquals(50, run.at("/campaign/runs/0/options/d").asInt());
        assertEquals("dec", run.at("/runs/3/mode").asText());
        assertEquals(70, run.at("/runs/3/start/noise_ratio").asDouble(), 7);
        assertEquals(-1 / 70.0, run.at("/runs/3/start/exact_loss").asDouble(), 1e-3);
    }

    /** CUDA's grids have at most 65,535 blocks along y and z; the CPU driver refuses more, too. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "parity --d 5 --batch 70000",
                "parity --d 5 --batch 70000 --gemm cublas",
                "step e2e --batch 70000",
                "step approximation --batch 70000",
                "pwl conv --batch 65536",
            })
    void batchesMayBeLargerThanAGridIsWide(String command) {
        Finished.here((command + " --steps 2 --device cpu --out " + folder.resolve("out")).split(" "))
                .assertOk();
    }

    @Test
    void tupleWritesItsAccuracyAndSomeImages() throws Exception {
        Path out = folder.resolve("t");
        Finished tuple = Finished.here(
                "tuple",
                "--device",
                "cpu",
                "--k",
                "1",
                "--steps",
                "2",
                "--batch",
                "4",
                "--raster",
                "program",
                "--out",
                out.toString());
        tuple.assertOk();
        assertEquals(
                Set.of(
                        "metrics.csv",
                        "metrics.jsonl",
                        "run.json",
                        "tuple.png",
                        "tuple.svg",
                        "tuple-samples.png",
                        "tuple-samples.svg"),
                names(out));
        List<String> lines = Files.readAllLines(out.resolve("metrics.csv"));
        assertEquals("k,mode,seed,step,loss,tuple_accuracy,image_accuracy", lines.getFirst());
        List<String> keys = lines.stream()
                .skip(1)
                .map(line -> line.replaceFirst("(,[^,]*){3}$", ""))
                .toList();
        assertEquals(List.of("1,e2e,1,2", "1,dec,1,2"), keys);
        String[] single = lines.getLast().split(",");
        assertEquals(0.5, Float.parseFloat(single[5]), 0.2, "accuracy on 2,000 tuples after two steps");
        JsonNode run = JSON.readTree(out.resolve("run.json").toFile());
        assertEquals("program", run.at("/campaign/runs/0/options/raster").asText());
        assertEquals("dec", run.at("/runs/1/mode").asText());
        assertTrue(Files.readString(out.resolve("tuple-samples.svg")).contains("y = -1"));
    }

    @Test
    void snrTellsBothApproachesOverFreshNetworks() throws Exception {
        Path out = folder.resolve("n");
        Finished snr = Finished.here(
                "snr",
                "--device",
                "cpu",
                "--k",
                "1,2",
                "--samples",
                "40",
                "--batch",
                "20",
                "--inits",
                "2",
                "--log-every",
                "1",
                "--out",
                out.toString());
        snr.assertOk();
        assertEquals(Set.of("metrics.csv", "metrics.jsonl", "run.json", "snr.png", "snr.svg"), names(out));
        List<String> lines = Files.readAllLines(out.resolve("metrics.csv"));
        assertEquals(
                "k,seed,step,e2e_sig,e2e_noi,e2e_ratio,e2e_log_ratio,e2e_unbiased,e2e_error,"
                        + "dec_sig,dec_noi,dec_ratio,dec_log_ratio,dec_unbiased,dec_error",
                lines.getFirst());
        assertEquals(
                List.of("1,1,1", "1,1,2", "1,2,1", "1,2,2", "2,1,1", "2,1,2", "2,2,1", "2,2,2"),
                lines.stream()
                        .skip(1)
                        .map(line -> line.replaceFirst("(,[^,]*){12}$", ""))
                        .toList());
        assertTrue(snr.out().contains("40 tuples, 2 networks each"), snr.out()::toString);
        for (int k = 1; k <= 2; k++) {
            for (String approach : List.of("e2e", "dec")) {
                int column = approach.equals("e2e") ? 3 : 9, network = k;
                double sig = lines.stream()
                        .filter(line -> line.matches(network + ",\\d,2,.*"))
                        .mapToDouble(line -> Double.parseDouble(line.split(",")[column]))
                        .average()
                        .orElseThrow();
                String row = "%3d  %-8s  %9.2e".formatted(k, approach, sig);
                assertTrue(
                        snr.out().stream().anyMatch(line -> line.startsWith(row) && line.contains(" +- ")),
                        row + " in " + snr.out());
            }
        }
    }

    @Test
    void sameArgumentsGiveTheSameMetrics() throws Exception {
        parity(folder.resolve("a"), "--d", "6", "--steps", "300").assertOk();
        parity(folder.resolve("b"), "--d", "6", "--steps", "300", "--no-graph").assertOk();
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("a/metrics.csv")),
                Files.readAllBytes(folder.resolve("b/metrics.csv")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "parity --d 0                      | d must be between 1 and 1000, not 0",
                "parity --d 5,x                    | d must be a number without a fraction, not 'x'",
                "parity --d 5,5                    | d names a value twice: [5, 5]",
                "parity --d 5 --subset-size 6      | subset-size must be between 0 and d = 5, not 6",
                "parity --steps -5                 | steps must be between 1 and 4294967295, not -5",
                "parity --batch 0                  | batch must be between 1 and 1048576, not 0",
                "parity --lr NaN                   | lr must be positive, not NaN",
                "parity --log-every 0              | log-every must be at least 1, not 0",
                "parity --unroll 0                 | unroll must be between 1 and 4096, not 0",
                "parity --device tpu               | unknown device 'tpu': use auto, cpu, cuda, cpu:N or cuda:N",
                "parity --gemm magic               | gemm: 'magic' is none of auto, cublas, kernels",
                "parity --conv magic               | conv: 'magic' is none of auto, cudnn, kernels",
                "parity --libcuda none.so          | --libcuda: there is no file none.so",
                "parity --seeds 0                  | seeds must be at least 1, not 0",
                "parity --checkpoint-every 0       | checkpoint-every must be at least 1, not 0",
                "parity --parallel 0               | parallel must be at least 1, not 0",
                "parity --device cpu,cpu           | several devices must be different ones of one kind",
                "parity --device cpu,cpu:0         | several devices must be different ones of one kind",
                "parity --device cpu,cuda          | several devices must be different ones of one kind",
                "parity --device auto,auto         | several devices must be different ones of one kind",
                "parity --device cpu:              | unknown device 'cpu:': use auto, cpu, cuda, cpu:N or cuda:N",
                "parity --d 1000 --batch 1048576   | batch 1048576 times the 10000 hidden units of d = 1000 must be at"
                        + " most 2147483647, not 10485760000",
                "parity --d 5 --seeds 2147483647   | 2147483647 runs are more than the 100000",
                "parity --d \u0663                | d must be a number without a fraction, not '\u0663'",
                "parity --steps \u0663            | '\u0663' is no whole number",
                "parity --steps 9223372036854775808 | 9223372036854775808 is beyond 9223372036854775807",
                "parity --d 99999999999            | d 99999999999 is beyond all that it can be",
                "parity --sceptre 3                | Unknown option",
                "stocks --k 10,10                  | k names a value twice: [10, 10]",
                "stocks --k 1                      | k must be between 2 and 1048576, not 1",
                "stocks --mode none                | mode: 'none' is none of e2e, dec",
                "stocks --lr 0                     | lr must be positive, not 0.0",
                "step sideways                     | 'sideways' is none of approximation, e2e, multiclass,"
                        + " forward-only",
                "step e2e e2e                      | variant names a value twice: [e2e, e2e]",
                "step e2e --lr 0                   | lr must be positive, not 0.0",
                "step e2e --batch 0                | batch must be between 1 and 1048576, not 0",
                "step e2e --smoothing none         | smoothing: 'none' is none of paper, program",
                "pwl circular                      | 'circular' is none of linear, conv, conditioned, autoencoder",
                "pwl conv --batch 0                | batch must be between 1 and 65536, not 0",
                "tuple --k 0                       | k must be between 1 and 16, not 0",
                "tuple --k 2,2                     | k names a value twice: [2, 2]",
                "tuple --mode neither              | mode: 'neither' is none of e2e, dec",
                "tuple --raster none               | raster: 'none' is none of paper, program",
                "tuple --batch 5000                | batch must be between 1 and 4096, not 5000",
                "tuple --lr 0                      | lr must be positive, not 0.0",
                "snr --batch 1                     | batch must be at least 2, for there to be noise, not 1",
                "snr --samples 500001              | samples must be a multiple of the batch, 200, not 500001",
                "snr --inits 0                     | seeds must be at least 1, not 0",
                "parity --seed 9223372036854775807 --seeds 2 | seed 9223372036854775807 is too large for 2 seeds",
                "parity --d 5,                     | --d has a value that is empty",
                "snr --inits 2 --seeds 3           | should be specified only once",
                "snr --steps 5                     | Unknown option",
                "run none.json                     | there is no file none.json",
                "bench                             | bench what?",
                "bench parity --windows 1000000000 | windows must be between 1 and 10000, not 1000000000",
                "bench elementwise --n 5,          | '' is no whole number",
                "doctor --device cuda:0,cuda:1     | unknown device 'cuda:0,cuda:1'",
                "reproduce --only parity,          | --only has a value that is empty",
                "bench parity --windows 0          | windows must be between 1 and 10000, not 0",
                "bench elementwise --n 0           | n must be between 1 and 100000000, not 0",
                "doctor --device cuda:x            | unknown device 'cuda:x'",
                "parrot                            | Unmatched argument"
            })
    void badUsageIsOneLine(String arguments, String message) throws Exception {
        String line = !arguments.startsWith("bench") && arguments.matches("(parity|pwl|step|tuple|snr) .*")
                ? arguments + " --out " + folder.resolve("out")
                : arguments;
        Finished.here(line.split(" +")).assertError(ExitCode.USAGE, message);
        assertEquals(Set.of(), names(folder));
    }

    @Test
    void anUnwritableFolderIsSeenBeforeAnyWork() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "mine");
        parity(file, "--d", "5").assertError(ExitCode.FAILED, file + ": cannot write there (");
        parity(file.resolve("below"), "--d", "5")
                .assertError(ExitCode.FAILED, file.resolve("below") + ": cannot write there (");
        assertEquals("mine", Files.readString(file));
    }

    @Test
    void resultsAreReplacedOnlyWhenAsked() throws Exception {
        Path out = folder.resolve("p");
        parity(out, "--d", "5", "--steps", "10").assertOk();
        byte[] before = Files.readAllBytes(out.resolve("run.json"));
        parity(out, "--d", "6", "--steps", "10")
                .assertError(ExitCode.FAILED, "holds the results of an earlier run", "--overwrite");
        assertArrayEquals(before, Files.readAllBytes(out.resolve("run.json")));
        parity(out, "--d", "6", "--steps", "10", "--overwrite").assertOk();
        assertEquals(
                6,
                JSON.readTree(out.resolve("run.json").toFile()).at("/runs/0/d").asInt());
    }

    @Test
    void resumeTakesItsOptionsFromTheFolder() throws Exception {
        Path out = folder.resolve("s");
        Finished.here(
                        "step",
                        "e2e",
                        "forward-only",
                        "--device",
                        "cpu",
                        "--steps",
                        "100",
                        "--log-every",
                        "50",
                        "--smoothing",
                        "paper",
                        "--seed",
                        "4",
                        "--checkpoint-every",
                        "60",
                        "--out",
                        out.toString())
                .assertOk();
        byte[] before = Files.readAllBytes(out.resolve("metrics.csv"));
        Files.delete(out.resolve("metrics.csv"));
        Path moved = Files.move(out, folder.resolve("moved"));
        Finished again = Finished.here("step", "--resume", moved.toString(), "--parallel", "1", "--smoothing", "paper");
        again.assertOk();
        assertEquals(
                "wrote run.json, metrics.csv, metrics.jsonl, curves.csv, step.png, step.svg, step-learnt.png,"
                        + " step-learnt.svg to "
                        + moved,
                again.out().getLast());
        assertArrayEquals(before, Files.readAllBytes(moved.resolve("metrics.csv")));
        JsonNode run = JSON.readTree(moved.resolve("run.json").toFile());
        assertEquals(List.of("e2e", "forward-only"), run.at("/campaign/runs").findValuesAsText("variant"));
        assertEquals(4, run.at("/campaign/runs/0/seed").asInt());
        assertEquals(1, run.at("/settings/parallel").asInt());

        String[] start = {"step", "--resume", moved.toString()};
        refused(start, "--steps 101 contradicts", "--steps", "101");
        refused(start, "VARIANT e2e contradicts the runs in " + moved + ", which have e2e,forward-only", "e2e");
        refused(start, "--out has no place beside --resume", "--out", "elsewhere");
        refused(start, "--overwrite has no place beside --resume", "--overwrite");
        Finished.here("parity", "--resume", moved.toString())
                .assertError(ExitCode.USAGE, "it holds runs of another command; use: plateau step --resume " + moved);
        Finished.here("parity", "--resume", folder.toString()).assertError(ExitCode.FAILED, "there is no such file");
        parity(folder.resolve("p"), "--d", "5", "--steps", "10").assertOk();
        Finished.here("parity", "--resume", folder.resolve("p").toString())
                .assertError(ExitCode.FAILED, "were started without --checkpoint-every");

        // Damage is told in one line, and the one before serves; a new start forgets them all.
        Path newest = moved.resolve("checkpoints/e2e-seed-4.safetensors");
        Files.writeString(newest, "nonsense, of more than eight bytes");
        Finished damaged = Finished.here(start);
        assertEquals(
                List.of("plateau: checkpoint " + newest
                        + " cannot be used: it does not begin as a safetensors file does; going on from the"
                        + " one before it"),
                damaged.err());
        assertEquals(ExitCode.OK, damaged.code());
        assertArrayEquals(before, Files.readAllBytes(moved.resolve("metrics.csv")));
        Files.writeString(newest, "nonsense");
        Files.delete(moved.resolve("checkpoints/e2e-seed-4.previous.safetensors"));
        Finished.here(start).assertError(ExitCode.FAILED, "e2e: checkpoint " + newest + " cannot be used");
        assertEquals(
                "failed",
                JSON.readTree(moved.resolve("run.json").toFile()).at("/status").asText());
        Finished.here("step", "e2e", "--device", "cpu", "--steps", "10", "--overwrite", "--out", moved.toString())
                .assertOk();
        assertFalse(Files.exists(moved.resolve("checkpoints")), "those of the runs that were replaced");
    }

    private static void refused(String[] start, String message, String... more) {
        Finished.here(Stream.concat(Stream.of(start), Stream.of(more)).toArray(String[]::new))
                .assertError(ExitCode.USAGE, message);
    }

    @Test
    void divergenceStopsTheRunAndLeavesNoEmptyFolder() {
        parity(folder.resolve("p"), "--d", "5", "--lr", "1e30")
                .assertError(ExitCode.FAILED, "training diverged; try a smaller learning rate");
        assertFalse(Files.exists(folder.resolve("p")));
    }

    @Test
    void doctorFindsTheCpu() {
        Finished doctor = Finished.here("doctor", "--device", "cpu");
        doctor.assertOk();
        assertTrue(
                doctor.out().stream().anyMatch(line -> line.matches("ok +CPU driver .*kernels for x86-64-v[34]")),
                doctor.out()::toString);
        assertTrue(
                doctor.out().stream().anyMatch(line -> line.matches("ok +cuDNN in use +version 90501, .*")),
                doctor.out()::toString);
        assertTrue(doctor.out().stream().anyMatch(line -> line.matches("ok +self-check .*")), doctor.out()::toString);
    }

    @Test
    void benchParityNamesEveryKernelOfAStep() {
        Finished bench =
                Finished.here("bench", "parity", "--device", "cpu", "--d", "5", "--steps", "100", "--windows", "1");
        bench.assertOk();
        assertTrue(
                bench.out().stream()
                        .anyMatch(line -> line.matches("parity d = 5, batch = 128, lr = 0.01: [0-9,]+ steps/s.*")),
                bench.out()::toString);
        Set<String> kernels = bench.out().stream()
                .filter(line -> line.startsWith("  "))
                .map(line -> line.trim().split(" ")[0])
                .collect(Collectors.toSet());
        assertTrue(
                kernels.containsAll(
                        Set.of("parity_batch", "hinge_forward_backward", "sgd", "loss_and_accuracy", "advance_step")),
                kernels::toString);
        String floor = bench.out().stream()
                .filter(line -> line.startsWith("  the step reaches "))
                .findFirst()
                .orElseThrow();
        // two products of 128 x 5 x 50, and less
        assertTrue(
                floor.matches(".* % of its floor, .* arithmetic: 0\\.1\\d\\d MFLOP at [1-9]\\d* GFLOP/s, .*,"
                        + " [1-9][0-9.,]* KB at [1-9][0-9.]* GB/s, .*, and 0\\.\\d\\d us a node"),
                floor);
    }

    @Test
    void benchStepMeasuresTheVariantsThatAreNamed() {
        Finished bench =
                Finished.here("bench", "step", "forward-only", "--device", "cpu", "--steps", "100", "--windows", "1");
        bench.assertOk();
        assertEquals(
                1,
                bench.out().stream()
                        .filter(line ->
                                line.matches("step forward-only, batch = 256, lr = 0.001, program: [0-9,]+ steps/s.*"))
                        .count(),
                bench.out()::toString);
    }

    @Test
    void benchSnrNamesWhatSumsTheGradients() {
        Finished bench =
                Finished.here("bench", "snr", "--device", "cpu", "--k", "2", "--steps", "10", "--windows", "1");
        bench.assertOk();
        assertTrue(
                bench.out().stream().anyMatch(line -> line.matches("snr k = 2, .*batch = 200: [0-9,]+ steps/s.*")),
                bench.out()::toString);
        assertEquals(
                2,
                bench.out().stream()
                        .filter(line -> line.trim().startsWith("gradient_moments "))
                        .count(),
                "one for each approach");
    }

    @Test
    void benchElementwiseComparesWithLoops() {
        Finished bench = Finished.here("bench", "elementwise", "--device", "cpu", "--n", "100");
        bench.assertOk();
        assertEquals(
                4,
                bench.out().stream()
                        .filter(line -> line.contains("of the loop's speed"))
                        .count());
    }

    @Test
    void benchLaunchPrintsThreeCosts() {
        Finished bench = Finished.here("bench", "launch", "--device", "cpu");
        bench.assertOk();
        assertEquals(
                3,
                bench.out().stream()
                        .filter(line -> line.matches(".*: +\\d+ ns a (launch|kernel)"))
                        .count(),
                bench.out()::toString);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "parity",
                "pwl",
                "step",
                "reproduce",
                "run",
                "plot",
                "compare",
                "export",
                "completion",
                "doctor",
                "kernels",
                "kernels check",
                "gpu-check",
                "bench",
                "bench parity",
                "bench pwl",
                "bench step",
                "bench launch",
                "bench elementwise",
                "tuple",
                "snr",
                "bench tuple",
                "bench snr"
            })
    void everyCommandHasHelp(String command) {
        Finished help = Finished.here((command + " --help").trim().split(" "));
        help.assertOk();
        assertTrue(help.out().getFirst().startsWith("Usage: plateau " + command), help.out()::toString);
    }

    @Test
    void helpNamesDefaultsAndTheirSource() {
        String help = String.join(" ", Finished.here("parity", "--help").out()).replaceAll(" +", " ");
        assertTrue(help.contains("training steps (default: 50000)"), help);
        assertTrue(help.contains("(default: 5,10,15,20,25,30)"), help);
    }

    /** Each of which has modules, memory and handles of its own, whichever was opened last. */
    @Test
    void severalDevicesShareTheRunsOut() throws Exception {
        Path one = folder.resolve("one"), two = folder.resolve("two");
        for (String products : new String[] {"kernels", "cublas"}) {
            String[] runs = {"--d", "5,8", "--seeds", "2", "--steps", "120", "--gemm", products, "--overwrite"};
            parity(one, runs).assertOk();
            Finished shared = Finished.here(Stream.concat(
                            Stream.of("parity --device cpu:1,cpu:0 --parallel 4 --out " + two)
                                    .flatMap(words -> Stream.of(words.split(" "))),
                            Stream.of(runs))
                    .toArray(String[]::new));
            shared.assertOk();
            assertTrue(
                    shared.out().getFirst().matches("device: cpu:1 CPU \\(.*; cpu:0 CPU \\(.*"),
                    shared.out().getFirst());
            assertEquals(Files.readString(one.resolve("metrics.csv")), Files.readString(two.resolve("metrics.csv")));
        }
        Finished.here(
                        "parity",
                        "--device",
                        "cpu:7",
                        "--out",
                        two.resolve("none").toString())
                .assertError(
                        ExitCode.FAILED,
                        "there is no device cpu:7: CPU devices are numbered from 0, and there are 2;"
                                + " PLATEAU_CPU_DEVICES says how many");
    }

    private static Finished parity(Path out, String... arguments) {
        return Finished.here(
                Stream.concat(Stream.of("parity", "--device", "cpu", "--out", out.toString()), Stream.of(arguments))
                        .toArray(String[]::new));
    }

    private static Set<String> names(Path folder) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith(".plateau-") && !name.equals("runs"))
                    .collect(Collectors.toSet());
        }
    }
}
