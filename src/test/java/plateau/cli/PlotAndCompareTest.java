package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Commands that work on results that are there: they draw what the command drew, and tell results
 * apart.
 */
class PlotAndCompareTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "parity --d 4,5 --seeds 2 --steps 200 --log-every 50 | parity.png",
                "stocks --d 20 --k 3,4 --steps 100 --log-every 50 | stocks.png",
                "step forward-only approximation --smoothing paper --steps 100 --log-every 50 | step-learnt.png",
                "pwl conditioned linear --steps 100 --log-every 50 | pwl-learnt.png"
            })
    void plotDrawsWhatTheCommandDrew(String command, String figure) throws Exception {
        Path out = folder.resolve("r");
        run((command + " --device cpu --out " + out).split(" ")).assertOk();
        byte[] drawn = Files.readAllBytes(out.resolve(figure));
        Files.delete(out.resolve(figure));
        Finished plot = run("plot", out.toString());
        plot.assertOk();
        assertTrue(
                plot.out().getFirst().startsWith("wrote ")
                        && plot.out().getFirst().contains(figure),
                plot.out()::toString);
        assertArrayEquals(drawn, Files.readAllBytes(out.resolve(figure)));
    }

    @Test
    void compareNamesWhatDiffersAndHowItEnded() throws Exception {
        Path a = folder.resolve("a");
        Path b = folder.resolve("b");
        write(
                a,
                "{\"experiment\": \"parity\", \"status\": \"finished\", \"campaign\": {\"experiment\": \"parity\","
                        + " \"runs\": [{\"options\": {\"d\": 5, \"lr\": 0.01}, \"seeds\": 2}]}, \"device\": \"CPU\","
                        + " \"runs\": [{\"d\": 5, \"seed\": 1, \"status\": \"finished\", \"steps_per_second\": 100},"
                        + " {\"d\": 5, \"seed\": 2, \"status\": \"finished\", \"steps_per_second\": 300}]}",
                "d,seed,step,loss\r\n5,1,100,1\r\n5,1,200,0.5\r\n5,2,200,0.7\r\n");
        write(
                b,
                "{\"experiment\": \"parity\", \"status\": \"finished\", \"campaign\": {\"experiment\": \"parity\","
                        + " \"runs\": [{\"options\": {\"d\": 5, \"lr\": 0.02}, \"seeds\": 1}]}, \"device\": \"CPU\","
                        + " \"runs\": [{\"d\": 5, \"seed\": 1, \"status\": \"finished\"}]}",
                "d,seed,step,loss\r\n5,1,100,0.25\r\n");
        Finished compare = run("compare", a.toString(), b.toString(), "--out", folder.toString());
        compare.assertOk();
        List<List<String>> cells =
                compare.out().stream().map(line -> List.of(line.split(" {2,}"))).toList();
        assertEquals(List.of("", a.toString(), b.toString()), cells.get(0));
        assertEquals(List.of("lr", "0.01", "0.02"), cells.get(1));
        assertEquals(List.of("seeds", "2", "1"), cells.get(2));
        assertEquals(List.of("d = 5: loss", "0.60 ± 0.14", "0.25"), cells.get(3));
        assertEquals(List.of("d = 5: steps/s", "200 ± 141", "-"), cells.get(4));
        assertEquals(
                "wrote compare.png, compare.svg to " + folder, compare.out().getLast());
        assertTrue(Files.size(folder.resolve("compare.png")) > 0);
    }

    @Test
    void whatCannotBeReadIsNamed() throws Exception {
        Path parity = folder.resolve("p");
        Path step = folder.resolve("s");
        Path other = folder.resolve("o");
        write(
                parity,
                description("parity", "{\"d\": 5, \"seed\": 1, \"status\": \"finished\"}"),
                "d,seed,step,loss\n5,1,100,1\n");
        write(
                step,
                description("step", "{\"variant\": \"e2e\", \"seed\": 1, \"status\": \"finished\"}"),
                "variant,seed,step,loss\ne2e,1,100,1\n");
        write(other, description("doctor", ""), "seed,step,loss\n");
        run("compare", parity.toString(), step.toString(), "--out", folder.toString())
                .assertError(ExitCode.FAILED, "holds results of 'parity'", "of 'step'; name those of one command");
        run("plot", folder.toString())
                .assertError(ExitCode.FAILED, folder + ": there are no results in it (no run.json)");
        run("plot", other.toString())
                .assertError(
                        ExitCode.FAILED,
                        other.resolve("run.json")
                                + ": its campaign is damaged: there is no experiment 'doctor', but parity, ");
        write(
                other,
                "{\"experiment\": \"parity\", \"status\": \"finished\", \"arguments\": {}, \"runs\": []}",
                "seed,step,loss\n");
        run("plot", other.toString())
                .assertError(
                        ExitCode.FAILED,
                        other.resolve("run.json")
                                + ": it has no campaign, since an earlier version of this program wrote it");
        Files.writeString(parity.resolve("metrics.csv"), "d,seed,step,loss\n5,1,100,1\n5,1,two,1\n");
        run("plot", parity.toString()).assertError(ExitCode.FAILED, parity.resolve("metrics.csv") + " line 3: ");
        run("plot").assertError(ExitCode.USAGE, "Missing required parameter: 'DIR'");
        run("compare", parity.toString()).assertError(ExitCode.USAGE, "requires at least 2 values");
    }

    @Test
    void completionKnowsCommandsAndOptions() throws Exception {
        Finished completion = run("completion");
        completion.assertOk();
        String script = String.join("\n", completion.out()) + """

            compopt() { :; } # only there while a shell completes
            complete_words() {
                COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _complete_plateau; echo "${COMPREPLY[@]}"
            }
            complete_words plateau par
            complete_words plateau parity --subset
            """;
        Process bash = new ProcessBuilder("bash", "--norc")
                .redirectInput(
                        Files.writeString(folder.resolve("script"), script).toFile())
                .redirectOutput(folder.resolve("words").toFile())
                .redirectErrorStream(true)
                .start();
        assertEquals(0, bash.waitFor());
        assertEquals(
                List.of("parity", "--subset-size"),
                Files.readAllLines(folder.resolve("words")).stream()
                        .map(String::trim)
                        .toList());
    }

    private static Finished run(String... arguments) {
        return Finished.here(arguments);
    }

    private static String description(String experiment, String runs) {
        return ("{\"experiment\": \"%s\", \"status\": \"finished\", "
                        + "\"campaign\": {\"experiment\": \"%s\", \"runs\": [{}]}, \"runs\": [%s]}")
                .formatted(experiment, experiment, runs);
    }

    private static void write(Path folder, String description, String metrics) throws Exception {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("run.json"), description);
        Files.writeString(folder.resolve("metrics.csv"), metrics);
    }
}
