package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;

/**
 * Names, files and the numbers that are printed are the same in every locale: Turkish has another
 * small I, German another decimal point, Egyptian Arabic other digits.
 */
@Isolated
class LocalesTest {
    /**
     * So little of each experiment that all of them take a moment; a kind that is not named has two
     * steps.
     */
    private static final Map<String, List<String>> SMALL = Map.of(
            "parity", List.of("--d", "3", "--batch", "4", "--steps", "1200"),
            "tuple", List.of("--k", "1", "--batch", "2", "--steps", "2"),
            "snr", List.of("--k", "1", "--samples", "1000", "--batch", "10"),
            "stocks", List.of("--d", "8", "--k", "2", "--batch", "4", "--steps", "2"));

    /** Speeds, and when it was, in descriptions of results. */
    private static final Pattern TIMES =
            Pattern.compile("\"(started|[a-z_]*seconds|steps_per[a-z_]*)\" ?: ?(\"[^\"]*\"|[^,}\\n]*)");

    private final Locale before = Locale.getDefault();

    @TempDir
    Path folder;

    @AfterEach
    void restore() {
        Locale.setDefault(before);
    }

    @Test
    void theLocalesOfTheTestDiffer() {
        assertEquals("t\u0131tle", "TITLE".toLowerCase(Locale.of("tr", "TR")));
        assertEquals("1.234,5", String.format(Locale.of("de", "DE"), "%,.1f", 1234.5));
        assertTrue(String.format(Locale.of("ar", "EG"), "%d", 12).equals("\u0661\u0662"));
    }

    @Test
    void everyCommandSaysAndWritesTheSame() throws Exception {
        Finished.here("doctor", "--device", "cpu"); // which finds other libraries once a device has been opened
        Map<String, String> usual = everything("C", Locale.ROOT);
        for (String tag : List.of("tr-TR", "de-DE", "ar-EG")) {
            Map<String, String> there = everything(tag, Locale.forLanguageTag(tag));
            assertEquals(usual.keySet(), there.keySet());
            usual.forEach((what, text) -> assertEquals(text, there.get(what), tag + ": " + what));
        }
    }

    /**
     * Without what differs each time: speeds, and free memory. Each number is a 0, with its point.
     */
    private static String measured(String text) {
        return text.replaceAll("[0-9]+(,[0-9]{3})*", "0").replaceAll(" +", " ");
    }

    /** What all commands print, and what they write, by name; without what is measured. */
    private Map<String, String> everything(String name, Locale locale) throws Exception {
        Map<String, String> all = new LinkedHashMap<>();
        Path here = Files.createDirectory(folder.resolve(name));
        List<List<String>> commands = new ArrayList<>(List.of(
                List.of("--help"),
                List.of("doctor", "--device", "cpu"),
                List.of("bench", "--help"),
                List.of("completion")));
        for (Kind<?> kind : Kinds.all()) {
            List<String> train =
                    new ArrayList<>(List.of(kind.name(), "--device", "cpu", "--parallel", "1", "--seed", "1201"));
            train.addAll(SMALL.getOrDefault(kind.name(), List.of("--steps", "2")));
            String out = here.resolve(kind.name()).toString();
            train.addAll(List.of("--out", out));
            commands.add(train);
            commands.add(List.of("plot", out));
            commands.add(List.of(
                    "compare",
                    out,
                    out,
                    "--out",
                    here.resolve(kind.name() + "-compared").toString()));
            commands.add(
                    List.of("run", out + "/run.json", "--device", "cpu", "--parallel", "1", "--out", out + "-again"));
            commands.add(List.of(kind.name(), "--help"));
        }
        for (List<String> command : commands) {
            Locale.setDefault(locale);
            Finished finished = Finished.here(command.toArray(String[]::new));
            finished.assertOk();
            all.put(
                    String.join(" ", command).replace(here.toString(), ""),
                    measured(String.join("\n", finished.out()).replace(here.toString(), "")));
        }
        try (Stream<Path> files = Files.walk(here)) {
            for (Path file : files.filter(Files::isRegularFile)
                    .filter(file ->
                            !file.getFileName().toString().startsWith("compare.")) // whose legend has the folders
                    .sorted()
                    .toList()) {
                String text = Files.readString(file, StandardCharsets.ISO_8859_1);
                all.put(
                        here.relativize(file).toString(),
                        file.toString().endsWith(".json")
                                ? TIMES.matcher(text).replaceAll("")
                                : text.replace(here.toString(), ""));
            }
        }
        return all;
    }
}
