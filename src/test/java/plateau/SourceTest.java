package plateau;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Sources can be read without scrolling: the formatters leave prose and long literals alone. */
class SourceTest {
    private static final int CODE = 120;
    private static final int PROSE = 100;
    private static final int SHOWN = 20;
    private static final Path ROOT = Path.of(System.getProperty("plateau.basedir"));
    private static final Path GENERATED = Path.of("src/main/java/plateau/cudnn/bindings");

    @Test
    void codeIsAtMost120ColumnsWideAndProse100() {
        List<String> wide = Stream.of("src", "kernels", "native")
                .flatMap(folder -> sources(ROOT.resolve(folder)))
                .flatMap(file -> wideLines(ROOT.relativize(file).toString(), read(file)).stream())
                .toList();
        assertEquals("", wide.stream().limit(SHOWN).collect(Collectors.joining("\n")), wide.size() + " lines are wide");
    }

    /** Where it is told, a Turkish reader's program has the same names as everybody's. */
    @Test
    void theCaseOfATextIsChangedInALocaleThatIsTold() {
        List<String> without = sources(ROOT.resolve("src/main"))
                .filter(file -> read(file).matches("(?s).*\\.to(Lower|Upper)Case\\(\\).*"))
                .map(Path::toString)
                .toList();
        assertEquals(List.of(), without);
    }

    @Test
    void aLineIsProseFromTheStartOfItsCommentToTheEnd() {
        String words = "x".repeat(PROSE - 10);
        String source = String.join(
                "\n",
                "int a = b" + " ".repeat(20) + words + ";",
                "    // " + words + "yyy",
                "    // " + words + "yyyy",
                "    /*",
                "     * " + words + "yyyy",
                "       " + words + "yyyy */",
                "       * " + words + "yyyy;",
                "int c; // " + words + "yyyy",
                "/** " + words + "yyyy */ int d;",
                "\"\"\"" + words + " ".repeat(31));
        assertEquals(List.of("a:3: 101", "a:5: 101", "a:6: 104", "a:9: 108", "a:10: 124"), wideLines("a", source));
    }

    /** Where a source is too wide, as {@code file:line: columns}. */
    private static List<String> wideLines(String file, String source) {
        List<String> wide = new ArrayList<>();
        boolean inBlock = false;
        int number = 0;
        for (String line : source.split("\n")) {
            number++;
            String text = line.strip();
            inBlock |= text.startsWith("/*");
            int columns = line.codePointCount(0, line.length());
            if (columns > (inBlock || text.startsWith("//") ? PROSE : CODE)) {
                wide.add(file + ":" + number + ": " + columns);
            }
            inBlock &= !text.contains("*/");
        }
        return wide;
    }

    private static Stream<Path> sources(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files
                    .filter(file -> file.toString().matches(".*\\.(java|cu|cuh|h|cpp)"))
                    .filter(file -> !ROOT.relativize(file).startsWith(GENERATED))
                    .sorted()
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
