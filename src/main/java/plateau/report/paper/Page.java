package plateau.report.paper;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.samskivert.mustache.Mustache;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import plateau.report.Charts;
import plateau.results.Verdict;
import plateau.theory.Check;
import plateau.theory.Finding;
import plateau.theory.Statement;

/**
 * The report as one HTML file that fetches nothing: template, style, script and the chart library
 * (uPlot, from its WebJar) are put into it.
 */
public final class Page {
    private static final String WEBJAR = "/META-INF/resources/webjars/uplot/";
    private static final String WEBJAR_VERSION = "/META-INF/maven/org.webjars.npm/uplot/pom.properties";

    private Page() {}

    /** The page's text. */
    public static String render(Report report) {
        String uplot = WEBJAR + uplotVersion() + "/";
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("uplotStyle", text(uplot + "dist/uPlot.min.css"));
        model.put("uplotScript", text(uplot + "dist/uPlot.iife.min.js"));
        model.put("uplotLicense", text(uplot + "LICENSE"));
        model.put("style", text("page.css"));
        model.put("script", text("page.js"));
        model.put("figures", figures(report));
        model.put("made", report.made());
        model.put("device", report.device());
        model.put("versions", report.versions().entrySet());
        model.put("duration", duration(report.seconds()));
        model.put("missing", report.missing());
        model.put("anyMissing", !report.missing().isEmpty());
        model.put(
                "counts",
                List.of(
                        count(report, Verdict.HOLDS),
                        count(report, Verdict.DOES_NOT_HOLD),
                        count(report, Verdict.UNDECIDED)));
        model.put("level", Math.round(Evidence.LEVEL * 100));
        model.put("parts", report.parts().stream().map(Page::part).toList());
        List<Map<String, Object>> theorems = Statement.ALL.stream()
                .flatMap(statement -> report.theory().findings().of(statement).stream()
                        .map(entry -> theorem(report.theory().folder(), statement, entry.finding())))
                .toList();
        model.put("theorems", theorems);
        model.put("anyTheorems", !theorems.isEmpty());
        model.put("theoryCommand", command(report.theory().command()));
        return Mustache.compiler().compile(text("page.html")).execute(model);
    }

    private static Map<String, Object> count(Report report, Verdict verdict) {
        return Map.of("verdict", verdict.toString(), "class", style(verdict), "count", report.count(verdict));
    }

    private static Map<String, Object> part(Report.Chapter part) {
        return Map.of(
                "name", part.section().name(),
                "title", part.section().title(),
                "source", part.section().source(),
                "about", part.section().about(),
                "drawings", part.drawings().stream().map(Page::drawing).toList(),
                "empty", part.drawings().isEmpty(),
                "claims", part.claims().stream().map(Page::claim).toList(),
                "commands", part.commands().stream().map(Page::command).toList());
    }

    private static Map<String, Object> theorem(String folder, Statement statement, Finding finding) {
        return Map.of(
                "name", statement.name(),
                "title", statement.title(),
                "source", statement.source(),
                "about", statement.about(),
                "folder", folder,
                "drawings",
                        finding.drawings().stream()
                                .map(drawing -> Map.of(
                                        "name", drawing.name(), "title", drawing.title(), "caption", drawing.caption()))
                                .toList(),
                "checks", finding.checks().stream().map(Page::check).toList(),
                "notes", finding.notes(),
                "anyNotes", !finding.notes().isEmpty());
    }

    private static Map<String, Object> check(Check check) {
        return Map.of(
                "source", check.source(),
                "sentence", check.sentence(),
                "bound", check.bound(),
                "measured", check.measured().replace(" ± ", "\u00a0±\u00a0"),
                "rule", check.rule(),
                "verdict", check.verdict().toString(),
                "class", style(check.verdict()));
    }

    /** A chart for the script to draw, or a picture within the page. */
    private static Map<String, Object> drawing(PaperFigure drawing) {
        return Map.of(
                "name",
                drawing.name(),
                "title",
                drawing.title(),
                "caption",
                drawing.caption(),
                "chart",
                drawing.figure() != null,
                "picture",
                drawing.drawn() == null ? "" : base64(drawing.drawn()));
    }

    private static String base64(Path file) {
        try {
            return Base64.getEncoder().encodeToString(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, Object> claim(Claim claim) {
        Evidence evidence = claim.evidence();
        return Map.of(
                "source", claim.source(),
                "sentence", claim.sentence(),
                "measured",
                        evidence.measured().stream()
                                .map(line -> line.replace(" ± ", "\u00a0±\u00a0"))
                                .toList(),
                "tests", evidence.tests(),
                "probability", evidence.probability(),
                "verdict", evidence.verdict().toString(),
                "class", style(evidence.verdict()));
    }

    private static Map<String, Object> command(Report.Command command) {
        String outcome = command.isFinished()
                ? duration(command.seconds())
                : command.status() + (command.error().isEmpty() ? "" : ": " + command.error());
        return Map.of(
                "line",
                command.line(),
                "outcome",
                outcome,
                "settings",
                command.settings().entrySet());
    }

    private static String style(Verdict verdict) {
        return verdict.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Seconds or minutes, in words. */
    static String duration(double seconds) {
        return seconds < 100
                ? "%.1f s".formatted(seconds)
                : seconds < 6000
                        ? "%d min %02d s".formatted(Math.round(seconds) / 60, Math.round(seconds) % 60)
                        : "%.1f h".formatted(seconds / 3600);
    }

    /** By name; nothing in it ends the script element that it stands in. */
    private static String figures(Report report) {
        ObjectNode figures = new ObjectMapper().createObjectNode();
        report.parts()
                .forEach(part -> part.drawings().stream()
                        .filter(drawing -> drawing.figure() != null)
                        .forEach(drawing -> figures.set(drawing.name(), Charts.of(drawing.figure()))));
        report.theory()
                .findings()
                .statements()
                .values()
                .forEach(entry -> entry.finding()
                        .drawings()
                        .forEach(drawing -> figures.set(drawing.name(), Charts.of(drawing.figure()))));
        return figures.toString().replace("</", "<\\/");
    }

    private static String uplotVersion() {
        Properties properties = new Properties();
        try (InputStream in = Page.class.getResourceAsStream(WEBJAR_VERSION)) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version");
    }

    private static String text(String resource) {
        try (InputStream in = Page.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
