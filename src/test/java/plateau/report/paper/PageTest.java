package plateau.report.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.results.Table;
import plateau.results.Verdict;
import plateau.theory.Check;
import plateau.theory.Drawing;
import plateau.theory.Finding;
import plateau.theory.Findings;
import plateau.theory.Scale;
import plateau.theory.Statement;

/**
 * The page made of fixed results: one file that fetches nothing, in which all there is to say is
 * said.
 */
class PageTest {
    private static final Panel PANEL = new Panel(
            "Falling",
            Panel.Axis.fitting("Steps"),
            Panel.Axis.logarithmic("Loss"),
            List.of(
                    new Panel.Curve(
                            "with </script> in its name",
                            List.of(1.0, 2.0, 3.0),
                            List.of(1.0, Double.NaN, 0.123456789)),
                    new Panel.Curve(
                            "mean",
                            List.of(1.0, 2.0),
                            List.of(2.0, 3.0),
                            new Panel.Look(0xFF0000, true),
                            List.of(1.0, 2.0),
                            List.of(3.0, 4.0))));

    private static final Findings.Entry THEOREM = new Findings.Entry(
            new Scale(false, 1),
            "a device",
            4,
            new Finding(
                    List.of(new Check(
                            "theorem 0", "No more than <2>", "2", "3 ± 1", "holds up to 2", Verdict.DOES_NOT_HOLD)),
                    new Table(List.of("n"), List.of(List.of(3))),
                    List.of(new Drawing(
                            "theorem-0",
                            "Theorem 0",
                            "A hill.",
                            new Figure(Panel.of(
                                    "Hill",
                                    Panel.Axis.of("a", -1, 1),
                                    Panel.Axis.of("b", 0, 1),
                                    new Panel.Surface(
                                            3, new float[] {0, 0.123456789f, 0, 0.5f, 1, 0.5f, 0, 0, 0}, "F"))))),
                    List.of("They differ.")));

    @TempDir
    Path folder;

    @Test
    void isWellFormedAndFetchesNothing() throws Exception {
        String page = Page.render(report());
        String bare =
                page.replaceAll("(?s)(<script[^>]*>).*?(</script>)", "$1$2").replaceAll("(?s)<style>.*?</style>", "");
        DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(bare.getBytes(StandardCharsets.UTF_8)));
        assertFalse(
                Pattern.compile("\\ssrc=\"(?!data:)|@import|url\\(|\\bfetch\\(|XMLHttpRequest|\\bimport\\(")
                        .matcher(page)
                        .find(),
                "something is fetched");
        Matcher links = Pattern.compile("href=\"([^\"]*)\"").matcher(page);
        while (links.find()) {
            assertTrue(
                    links.group(1).matches("#.*|data:,|figure-0\\.(svg|png)|theory/theorem-[01]\\.(svg|png|csv)"),
                    links.group(1));
        }
        assertEquals(3, bare.split("<script").length - 1, "data, library, program");
        assertTrue(page.contains("Permission is hereby granted, free of charge"), "the library's licence");
    }

    @Test
    void saysWhatIsKnownAndWhatIsMissing() {
        String page = Page.render(report());
        assertTrue(page.contains("<b>1</b> holds")
                && page.contains("<b>1</b> does not hold")
                && page.contains("<b>1</b> undecided"));
        assertTrue(page.contains("A claim with &lt;b&gt;tags&lt;/b&gt; &amp; more"));
        assertTrue(page.contains("<span class=\"verdict holds\">holds</span>")
                && page.contains("<span class=\"verdict undecided\">undecided</span>"));
        assertTrue(page.contains("<code>plateau second --out b</code> – failed: the reason"));
        assertTrue(page.contains("plateau first --out a</code> <span class=\"outcome\">2 min 05 s</span>"));
        assertTrue(page.contains("<dt>batch</dt><dd>128</dd>"));
        assertTrue(page.contains("plateau 1, java 25"), "versions");
    }

    @Test
    void aTheoremIsThereWithItsBoundItsRuleAndItsNotes() {
        String page = Page.render(report());
        assertTrue(page.contains("<td>No more than &lt;2&gt; <span class=\"source\">theorem 0</span></td><td>2</td>"));
        assertTrue(page.contains("<div>3\u00a0±\u00a01</div><span class=\"p\">holds up to 2</span>"));
        assertTrue(page.contains("<span class=\"verdict does-not-hold\">does not hold</span>"));
        assertTrue(page.contains("<li>They differ.</li>"));
        assertTrue(page.contains("href=\"theory/theorem-1.csv\""), "its table, by the statement's name");
        assertTrue(page.contains("<code>plateau theory --out c/theory</code> – not run"));
        assertTrue(page.contains(Statement.ALL.getFirst().title()));
        assertFalse(page.contains(Statement.ALL.getLast().title()), "one that has not been computed");
    }

    @Test
    void figuresAreDataWithFewDigits() throws Exception {
        Matcher data = Pattern.compile("id=\"figures\">(.*?)</script>").matcher(Page.render(report()));
        assertTrue(data.find());
        JsonNode panel = new ObjectMapper().readTree(data.group(1)).at("/figure-0/panels/0");
        assertEquals("with </script> in its name", panel.at("/curves/0/name").asText());
        assertEquals("[1,null,0.12346]", panel.at("/curves/0/y").toString());
        assertEquals("[3,4]", panel.at("/curves/1/high").toString());
        assertEquals(0xFF0000, panel.at("/curves/1/rgb").asInt());
        assertTrue(panel.at("/curves/1/dashed").asBoolean()
                && panel.at("/y/logarithmic").asBoolean()
                && panel.at("/x/lowest").isNull());
        JsonNode hill = new ObjectMapper().readTree(data.group(1)).at("/theorem-0/panels/0");
        assertEquals(
                "[0,0.12346,0,0.5,1,0.5,0,0,0]", hill.at("/surface/heights").toString());
        assertEquals(3, hill.at("/surface/columns").asInt());
        assertEquals(-1, hill.at("/x/lowest").asInt());
    }

    @Test
    void durationsAreInWords() {
        assertEquals("1.5 s", Page.duration(1.5));
        assertEquals("2 min 05 s", Page.duration(125));
        assertEquals("2.5 h", Page.duration(9000));
    }

    @Test
    void aBrowserDrawsTheChartsAndHasNothingToComplainOf() throws Exception {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, "chromium"))),
                "chromium is not installed");
        Path page = Files.writeString(folder.resolve("index.html"), Page.render(report()));
        Process browser = new ProcessBuilder(
                        "chromium",
                        "--headless=new",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--user-data-dir=" + folder.resolve("profile"),
                        "--enable-logging=stderr",
                        "--virtual-time-budget=3000",
                        "--dump-dom",
                        page.toUri().toString())
                .redirectOutput(folder.resolve("dom").toFile())
                .redirectError(folder.resolve("log").toFile())
                .start();
        assertTrue(browser.waitFor(2, TimeUnit.MINUTES), "the browser hangs");
        String dom = Files.readString(folder.resolve("dom"));
        assertEquals(3, dom.split("<canvas").length - 1, "a canvas for the panel, two for the surface");
        assertEquals(2, dom.split("aria-pressed=\"true\"").length - 1, "a button for each curve");
        assertEquals(
                List.of(),
                Files.readString(folder.resolve("log"), StandardCharsets.ISO_8859_1)
                        .lines()
                        .filter(line -> line.contains("CONSOLE"))
                        .toList());
    }

    private static Report report() {
        Claim holds = new Claim(
                "section 1",
                "A claim with <b>tags</b> & more",
                new Evidence(List.of("5 of 5"), List.of("sign test"), 0.03, 1));
        Claim open = new Claim("section 2", "Another", new Evidence(List.of("no results"), List.of("t-test"), 1, 1));
        Report.Command done = new Report.Command("plateau first --out a", "finished", "", 125, Map.of("batch", "128"));
        Report.Command failed = new Report.Command("plateau second --out b", "failed", "the reason", 0, Map.of());
        PaperFigure drawing = new PaperFigure(
                "figure-0", "Figure 0", "What there is to see.", new Figure(1, List.of(PANEL, Panel.EMPTY)));
        return new Report(
                "today",
                "a device",
                new TreeMap<>(Map.of("plateau", "1", "java", "25")).descendingMap(),
                List.of(
                        new Report.Chapter(
                                Section.ALL.getFirst(), List.of(done, failed), List.of(holds, open), List.of(drawing)),
                        new Report.Chapter(Section.ALL.getLast(), List.of(), List.of(), List.of())),
                new Report.Theory(
                        new Report.Command("plateau theory --out c/theory", "not run", "", 0, Map.of()),
                        "theory",
                        Findings.none().with(Statement.ALL.getFirst(), THEOREM)));
    }
}
