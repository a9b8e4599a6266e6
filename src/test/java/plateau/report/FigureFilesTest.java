package plateau.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** The figure's files: that they are what their names say, and that every curve is drawn. */
class FigureFilesTest {
    private static final int BLUE = 0xFF0072B2;
    private static final int VERMILION = 0xFFD55E00;
    private static final Figure FIGURE = new Figure(new Panel(
            "Two curves",
            Panel.Axis.of("Steps", 0, 100),
            Panel.Axis.of("Accuracy", 0.4, 1.02),
            List.of(
                    new Panel.Curve("flat, near the top", List.of(0.0, 100.0), List.of(1.0, 1.0)),
                    new Panel.Curve("flat, near the bottom", List.of(0.0, 100.0), List.of(0.5, 0.5)))));

    @TempDir
    Path folder;

    @Test
    void pngShowsTheCurvesWhereTheyBelong() throws Exception {
        Path file = folder.resolve("figure.png");
        FigureFiles.writePng(FIGURE, file);
        BufferedImage image = ImageIO.read(file.toFile());
        assertEquals(900, image.getWidth());
        assertEquals(560, image.getHeight());
        int middle = 350; // within the plot
        int top = rowOf(image, middle, BLUE);
        int bottom = rowOf(image, middle, VERMILION);
        assertTrue(0 < top && top < 100 && 350 < bottom, "rows " + top + " and " + bottom);
    }

    @Test
    void aFileThatCannotBeMadeIsNamed() {
        Path file = folder.resolve("missing/figure");
        assertThrows(NoSuchFileException.class, () -> FigureFiles.writePng(FIGURE, file));
        assertThrows(NoSuchFileException.class, () -> FigureFiles.writeSvg(FIGURE, file));
    }

    @Test
    void panelsStandSideBySideAndBelow() throws Exception {
        Path file = folder.resolve("panels.png");
        Panel panel = FIGURE.panels().getFirst();
        Panel logarithmic = new Panel(
                "Falling",
                Panel.Axis.fitting("Steps"),
                Panel.Axis.logarithmic("Loss"),
                List.of(new Panel.Curve(
                        "loss", List.of(1.0, 2.0, 3.0), List.of(1.0, 0.01, 0.0), new Panel.Look(0xFF00FF, true))));
        FigureFiles.writePng(new Figure(2, List.of(panel, panel, logarithmic)), file);
        BufferedImage image = ImageIO.read(file.toFile());
        assertEquals(2 * 660, image.getWidth());
        assertEquals(2 * 420, image.getHeight());
        assertTrue(rowOf(image, 250, BLUE) < 100 && rowOf(image, 660 + 250, BLUE) == rowOf(image, 250, BLUE));
        assertTrue(rowOf(image, 660 / 4, 0xFFFF00FF) > 420, "the third panel is in the second row");
    }

    /** Pale where the band is, and the curve on top of it; white beyond. */
    @Test
    void aBandLiesAroundItsCurve() throws Exception {
        Path file = folder.resolve("band.png");
        List<Double> x = List.of(0.0, 50.0, 100.0);
        FigureFiles.writePng(
                new Figure(new Panel(
                        "Seeds",
                        Panel.Axis.of("Steps", 0, 100),
                        Panel.Axis.of("Accuracy", 0, 1),
                        List.of(new Panel.Curve(
                                "mean",
                                x,
                                List.of(0.5, 0.5, 0.5),
                                Panel.Look.PLAIN,
                                List.of(0.25, 0.25, 0.25),
                                List.of(0.75, 0.75, 0.75))))),
                file);
        BufferedImage image = ImageIO.read(file.toFile());
        int column = 320; // between two grid lines
        int curve = rowOf(image, column, BLUE);
        // the curve's blue has no red
        int[] pale = IntStream.range(0, image.getHeight())
                .filter(row -> Math.abs((image.getRGB(column, row) >> 16 & 0xFF) - (255 - 48)) <= 1)
                .toArray();
        assertTrue(
                pale.length > 180 && pale[0] < curve && curve < pale[pale.length - 1],
                () -> curve + " in " + Arrays.toString(pale));
        assertEquals(curve - pale[0], pale[pale.length - 1] - curve, 3);
        String svg = svg(new Figure(new Panel(
                "Seeds",
                Panel.Axis.of("Steps", 0, 100),
                Panel.Axis.logarithmic("Loss"),
                List.of(new Panel.Curve(
                        "mean",
                        x,
                        List.of(1.0, 0.1, 0.01),
                        Panel.Look.PLAIN,
                        List.of(0.5, 0.05, 0.0),
                        List.of(2.0, 0.2, 0.02))))));
        assertFalse(svg.contains("(band)"), "no band in the legend");
    }

    /**
     * A picture of 2 by 2 pixels has its black one to the right of the white one, and the grey one
     * below.
     */
    @Test
    void picturesAreDrawnPixelByPixel() throws Exception {
        Path file = folder.resolve("bitmap.png");
        FigureFiles.writePng(
                new Figure(
                        2,
                        List.of(
                                Panel.of("one", new Panel.Bitmap(2, new float[] {0, 1, 0.5f, 0})),
                                Panel.of("two", new Panel.Bitmap(2, new float[4])))),
                file);
        BufferedImage image = ImageIO.read(file.toFile());
        assertEquals(320, image.getWidth());
        assertEquals(180, image.getHeight());
        assertEquals(0xFFFFFFFF, image.getRGB(45, 65));
        assertEquals(0xFF000000, image.getRGB(115, 65));
        assertEquals(0xFF808080, image.getRGB(45, 135), "half way, rounded up");
        assertEquals(0xFFFFFFFF, image.getRGB(160 + 115, 65), "the other picture is blank");
    }

    private String svg(Figure figure) throws Exception {
        Path file = folder.resolve("figure.svg");
        FigureFiles.writeSvg(figure, file);
        return java.nio.file.Files.readString(file);
    }

    private static int rowOf(BufferedImage image, int column, int colour) {
        for (int row = 0; row < image.getHeight(); row++) {
            if (image.getRGB(column, row) == colour) {
                return row;
            }
        }
        return -1;
    }

    @Test
    void svgIsWellFormedAndHasTheCurves() throws Exception {
        Path file = folder.resolve("figure.svg");
        FigureFiles.writeSvg(FIGURE, file);
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        Element svg = factory.newDocumentBuilder().parse(file.toFile()).getDocumentElement();
        assertEquals("svg", svg.getTagName());
        String text = java.nio.file.Files.readString(file);
        assertTrue(text.contains("stroke:rgb(0,114,178)") && text.contains("stroke:rgb(213,94,0)"), "both colours");
    }
}
