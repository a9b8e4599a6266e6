package plateau.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import plateau.cli.StepEnded.Verdict;
import plateau.results.ResultFolder;

/**
 * What the acceptance run has found so far: a page of text and the same as JSON, both whole at any
 * moment.
 */
final class GpuCheckReport {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private static final String PAGE = "report.txt";
    private static final String DATA = "report.json";

    private final ResultFolder folder;
    private final String device;
    private final Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final List<Entry> entries = new ArrayList<>();

    /**
     * A step that has ended.
     *
     * @param detail in one line
     * @param lines what else there is to say
     */
    record Entry(String step, Verdict verdict, double seconds, String detail, List<String> lines) {
        /** As it stands on the page, each line without its end. */
        List<String> text() {
            return Stream.concat(
                            Stream.of("%-8s %-13s %6.1f s  %s".formatted(verdict.text(), step, seconds, detail)),
                            lines.stream().map(line -> "                             " + line))
                    .toList();
        }
    }

    GpuCheckReport(ResultFolder folder, String device) {
        this.folder = folder;
        this.device = device;
    }

    Path page() {
        return folder.path().resolve(PAGE);
    }

    Path json() {
        return folder.path().resolve(DATA);
    }

    void add(Entry entry) throws IOException {
        entries.add(entry);
        write();
    }

    /** The names of the steps that ended so. */
    List<String> named(Verdict verdict) {
        return entries.stream()
                .filter(entry -> entry.verdict == verdict)
                .map(Entry::step)
                .toList();
    }

    /** All in one line. */
    String sum() {
        return Stream.of(Verdict.values())
                        .map(verdict -> {
                            List<String> names = named(verdict);
                            String which = verdict == Verdict.OK || names.isEmpty()
                                    ? ""
                                    : " (" + String.join(", ", names) + ")";
                            return names.size() + " " + verdict.text() + which;
                        })
                        .collect(Collectors.joining(", "))
                + "; %.0f s"
                        .formatted(entries.stream().mapToDouble(Entry::seconds).sum());
    }

    private void write() throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add("Plateau %s on device %s, %s".formatted(Version.program(), device, started));
        lines.add("");
        entries.forEach(entry -> lines.addAll(entry.text()));
        lines.add("");
        lines.add(sum());
        folder.write(PAGE, file -> Files.write(file, lines));
        ObjectNode report = JSON.createObjectNode();
        report.put("program", Version.program()).put("device", device).put("started", started.toString());
        ArrayNode steps = report.putArray("steps");
        for (Entry entry : entries) {
            ObjectNode step = steps.addObject()
                    .put("step", entry.step)
                    .put("verdict", entry.verdict.text())
                    .put("seconds", Math.round(entry.seconds * 1000) / 1000.0)
                    .put("detail", entry.detail);
            entry.lines.forEach(step.withArray("lines")::add);
        }
        folder.write(DATA, file -> JSON.writeValue(file.toFile(), report));
    }
}
