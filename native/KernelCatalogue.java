import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the kernel files say of their kernels, and what ptxas said of them when it compiled them, as
 * the JSON array that the program lists them from: a file an element, in the order of their names.
 */
final class KernelCatalogue {
    private static final Pattern KERNEL =
            Pattern.compile("extern\\s+\"C\"\\s+__global__\\s+void\\s+(?:__launch_bounds__\\((\\d+)\\)\\s*)?"
                    + "(\\w+)\\s*\\(([^{]*)\\)\\s*\\{");
    private static final Pattern COMPILING = Pattern.compile("Compiling entry function '(\\w+)' for '(sm_\\w+)'");
    private static final Pattern SPILLS =
            Pattern.compile("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
    private static final Pattern USED = Pattern.compile("Used (\\d+) registers(?:.*? (\\d+) bytes smem)?.*");

    /** Where one sentence ends and another begins. */
    private static final Pattern SENTENCES = Pattern.compile("(?<=[^.\\s][.;])\\s+(?=[^\\d])");

    /** How a sentence about the launch begins. */
    private static final Pattern OF_THE_LAUNCH =
            Pattern.compile("(?:Grid\\b|(?:A|One) (?:block|thread)(?: per |[.:])).*", Pattern.CASE_INSENSITIVE);

    private final Path root;
    private final List<String> files = new ArrayList<>();

    KernelCatalogue(Path root) {
        this.root = root;
    }

    /** Registers per thread; bytes of shared memory per block; bytes that are spilt per thread. */
    private record Use(String architecture, int registers, int shared, int spilled) {
        String json() {
            return "{\"architecture\": \"%s\", \"registers\": %d, \"sharedBytes\": %d, \"spilledBytes\": %d}"
                    .formatted(architecture, registers, shared, spilled);
        }
    }

    /**
     * Adds a file's kernels.
     *
     * @param log what ptxas said when it compiled them; it may be missing
     */
    void add(Path source, Path log) throws IOException {
        String text = Files.readString(source);
        String header =
                comment(text.lines().takeWhile(line -> line.startsWith("//")).toList());
        Map<String, List<Use>> uses = uses(log);
        List<String> kernels = new ArrayList<>();
        for (Matcher kernel = KERNEL.matcher(text); kernel.find(); ) {
            int line = (int) text.substring(0, kernel.start(2)).lines().count();
            kernels.add(kernel(kernel, line, above(text, kernel.start()), header, uses));
        }
        if (!kernels.isEmpty()) {
            files.add("{\"file\": %s, \"about\": %s, \"kernels\": [\n  %s]}"
                    .formatted(
                            quoted(root.relativize(source).toString()),
                            quoted(sentences(header).getFirst()),
                            String.join(",\n  ", kernels)));
        }
    }

    /** Writes it, where it is not so already. */
    void write(Path product) throws IOException {
        String content = "[\n" + String.join(",\n", files) + "\n]\n";
        if (!Files.exists(product) || !Files.readString(product).equals(content)) {
            Files.createDirectories(product.getParent());
            Files.writeString(product, content);
        }
    }

    private static String kernel(Matcher kernel, int line, String comment, String header, Map<String, List<Use>> uses) {
        String name = kernel.group(2);
        List<String> sentences = sentences(comment);
        List<String> ofTheLaunch = sentences.stream()
                .filter(sentence -> OF_THE_LAUNCH.matcher(sentence).matches())
                .toList();
        String summary = sentences.stream()
                .filter(sentence -> !ofTheLaunch.contains(sentence))
                .findFirst()
                .orElse(sentences(header).getFirst());
        String launch = ofTheLaunch.isEmpty()
                ? kernel.group(1) == null ? "A thread per element." : ""
                : String.join(" ", ofTheLaunch);
        return ("{\"name\": %s, \"line\": %d, \"bound\": %d, \"summary\": %s, \"comment\": %s, \"launch\": %s,"
                        + " \"parameters\": [%s], \"uses\": [%s]}")
                .formatted(
                        quoted(name),
                        line,
                        kernel.group(1) == null ? 0 : Integer.parseInt(kernel.group(1)),
                        quoted(summary),
                        quoted(comment),
                        quoted(launch),
                        Arrays.stream(kernel.group(3).split(","))
                                .filter(parameter -> !parameter.endsWith(" replica_stride"))
                                .map(parameter -> parameter(parameter, comment, header))
                                .collect(Collectors.joining(", ")),
                        uses.getOrDefault(name, List.of()).stream()
                                .map(Use::json)
                                .collect(Collectors.joining(", ")));
    }

    /** The type, the name, and for an array the shape that the comments give it. */
    private static String parameter(String declared, String comment, String header) {
        String text = declared.replace("__restrict__", " ").strip().replaceAll("\\s+", " ");
        String name = text.substring(text.lastIndexOf(' ') + 1);
        String type = text.substring(0, text.lastIndexOf(' ')).strip();
        return "{\"type\": %s, \"name\": %s, \"shape\": %s}"
                .formatted(
                        quoted(type),
                        quoted(name),
                        quoted(type.endsWith("*") ? shape(name, comment + " " + header) : ""));
    }

    /** As in {@code x(n, d)} or {@code x is (n, d)}; empty where none is told. */
    private static String shape(String name, String text) {
        Matcher told = Pattern.compile("(?<![\\w.])" + name + "(?: is )?(\\([^()=]*\\))")
                .matcher(text);
        return told.find() ? told.group(1) : "";
    }

    /** What stands directly above a place. */
    private static String above(String text, int place) {
        List<String> lines = text.substring(0, place).lines().toList();
        int first = lines.size();
        while (first > 0 && lines.get(first - 1).startsWith("//")) {
            first--;
        }
        return comment(lines.subList(first, lines.size()));
    }

    /** As one line of prose; a formula that stands on lines of its own ends a sentence. */
    private static String comment(List<String> lines) {
        StringBuilder prose = new StringBuilder();
        for (String line : lines) {
            String words = line.substring(2);
            prose.append(prose.isEmpty() ? "" : " ").append(words.strip());
            if (words.startsWith("   ") && !words.matches(".*[.,;:]")) {
                prose.append('.');
            }
        }
        return prose.toString();
    }

    private static List<String> sentences(String prose) {
        return SENTENCES
                .splitAsStream(prose)
                .map(sentence -> sentence.replaceFirst("[.;]?$", "."))
                .toList();
    }

    private static Map<String, List<Use>> uses(Path log) throws IOException {
        Map<String, List<Use>> uses = new LinkedHashMap<>();
        String name = null, architecture = null;
        int spilled = 0;
        for (String line : Files.exists(log) ? Files.readAllLines(log) : List.<String>of()) {
            Matcher compiling = COMPILING.matcher(line), spills = SPILLS.matcher(line), used = USED.matcher(line);
            if (compiling.find()) {
                name = compiling.group(1);
                architecture = compiling.group(2);
            } else if (spills.find()) {
                spilled = Integer.parseInt(spills.group(2)) + Integer.parseInt(spills.group(3));
            } else if (name != null && used.find()) {
                uses.computeIfAbsent(name, _ -> new ArrayList<>())
                        .add(new Use(
                                architecture,
                                Integer.parseInt(used.group(1)),
                                used.group(2) == null ? 0 : Integer.parseInt(used.group(2)),
                                spilled));
            }
        }
        return uses;
    }

    /** As JSON writes a string of printable characters. */
    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
