package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import plateau.reference.Seeds;

/**
 * Signals at any moment, a third of them within two seconds of the start, while runs are trained
 * and while the paper is repeated: what lies in the folder is whole, and the next command goes on
 * there. {@code -Dplateau.kills=40} sends more than a few.
 */
@Isolated
class KilledTest {
    private static final List<String> SIGNALS = List.of("TERM", "KILL", "INT");
    private static final Map<String, Integer> CODES = Map.of("TERM", 143, "KILL", 137, "INT", 130);
    private static final int FEW = 3;
    private static final int EARLY = 2000;
    private static final int LATE = 5000;

    private static final String TRAINED = "step forward-only multiclass --device cpu --seeds 2 --seed 3 --steps 1500"
            + " --batch 32 --log-every 20 --checkpoint-every 100";
    private static final String REPEATED = "reproduce --full --only parity --seeds 1 --device cpu --out repeated";

    /**
     * What Java itself says when it is ended before it has come to this program, and then may end
     * with 1: its own handler of signals logs, while the first classes are being loaded.
     */
    private static final String TOO_EARLY = "Runtime.exit(";

    @TempDir
    Path folder;

    @Test
    void anyMomentWillDo(TestReporter reporter) throws Exception {
        int kills = Integer.getInteger("plateau.kills", FEW);
        Seeds seeds = Seeds.next();
        List<String> wrong = new ArrayList<>();
        int ended = 0;
        for (int i = 0; i < kills; i++) {
            boolean trains = i % 4 != 1;
            Path out = folder.resolve(trains ? "killed" : "repeated");
            String signal = SIGNALS.get(seeds.random().nextInt(SIGNALS.size()));
            int moment =
                    i % 3 == 0 ? seeds.random().nextInt(EARLY) : seeds.random().nextInt(EARLY, LATE);
            String[] words = (trains ? trained() : REPEATED).split(" ");
            Process process = Finished.start(folder, List.of(), Map.of(), words);
            if (!process.waitFor(moment, TimeUnit.MILLISECONDS)) {
                new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                        .start()
                        .waitFor();
            }
            Finished finished = Finished.await(folder, process);
            String what = "%s after %d ms of %s".formatted(signal, moment, String.join(" ", words));
            if (finished.code() == ExitCode.OK) {
                ended++; // before the signal came
                DamagedFilesTest.delete(out);
            } else if (finished.err().stream().anyMatch(line -> !line.startsWith(TOO_EARLY))
                    || finished.code() != CODES.get(signal)
                            && !(finished.code() == ExitCode.FAILED
                                    && !finished.err().isEmpty())) {
                wrong.add(what + ": exit code " + finished.code() + " " + finished.err());
            }
            broken(out, signal, process.pid()).ifPresent(problem -> wrong.add(what + ": " + problem));
        }
        reporter.publishEntry("%d kills, %d ended before, %d wrong".formatted(kills, ended, wrong.size()));
        assertEquals(List.of(), wrong, () -> seeds.message("\n" + String.join("\n", wrong) + "\n"));
        run(trained().split(" ")).assertOk();
        run((TRAINED + " --out whole").split(" ")).assertOk();
        for (String name : List.of("metrics.csv", "metrics.jsonl", "curves.csv")) {
            assertArrayEquals(
                    Files.readAllBytes(folder.resolve("whole").resolve(name)),
                    Files.readAllBytes(folder.resolve("killed").resolve(name)),
                    seeds.message(name));
        }
        if (kills > FEW) { // the paper's parities take a minute
            run(REPEATED.split(" ")).assertOk();
            assertTrue(Files.exists(folder.resolve("repeated/index.html")));
        }
    }

    private String trained() {
        return Files.exists(folder.resolve("killed/run.json")) ? "step --resume killed" : TRAINED + " --out killed";
    }

    private Finished run(String... words) throws Exception {
        return Finished.await(folder, Finished.start(folder, List.of(), Map.of(), words));
    }

    /** Whether a file claims the folder for that process; one that was killed leaves its own. */
    private static boolean isClaimOf(Path file, long pid) throws IOException {
        return file.getFileName().toString().equals(".plateau-claim")
                && Files.readAllLines(file).contains("pid=" + pid);
    }

    /**
     * What is not as it should be in a folder after a signal. The log of a run may end in a torn
     * line where nothing could be done about it.
     */
    private static Optional<String> broken(Path out, String signal, long pid) throws IOException {
        if (!Files.exists(out)) {
            return Optional.empty();
        }
        try (Stream<Path> all = Files.walk(out)) {
            List<Path> files = all.filter(Files::isRegularFile).toList();
            boolean killed = signal.equals("KILL");
            if (!killed && files.isEmpty()) {
                return Optional.of("an empty folder is left");
            }
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (!killed && (name.endsWith(".tmp") || isClaimOf(file, pid))) {
                    return Optional.of(file + " is left");
                }
                boolean isLog = file.getParent().getFileName().toString().equals("runs");
                if (name.matches(".*\\.(csv|jsonl?)") && !name.startsWith(".") && !(killed && isLog)) {
                    String text = Files.readString(file);
                    if (!text.isEmpty() && !text.endsWith("\n")) {
                        return Optional.of(file + " does not end with a whole line");
                    }
                    if (name.endsWith(".json")) {
                        new ObjectMapper().readTree(text);
                    }
                }
            }
        }
        return Optional.empty();
    }
}
