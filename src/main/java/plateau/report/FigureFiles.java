package plateau.report;

import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.results.AtomicFiles;
import plateau.results.FileException;
import plateau.results.ResultFolder;

/** Figures as PNG and SVG, in the paper's plain style. Panels of pictures alone are small. */
public final class FigureFiles {
    private static final String PNG = ".png";
    private static final String SVG = ".svg";
    private static final int ALONE_WIDTH = 900;
    private static final int ALONE_HEIGHT = 560;
    private static final int WIDTH = 660;
    private static final int HEIGHT = 420;
    private static final int BITMAP_WIDTH = 160;
    private static final int BITMAP_HEIGHT = 180;
    private static final int BITMAP_MARGIN = 10;
    private static final int TITLE_BASELINE = 18;

    private final Figure figure;

    private FigureFiles(Figure figure) {
        this.figure = figure;
    }

    /** The names of a figure's files. */
    public static List<String> names(String name) {
        return List.of(name + PNG, name + SVG);
    }

    /**
     * Writes a figure into a folder of results, as NAME.png and NAME.svg.
     *
     * @throws IOException if it cannot be written, or this machine has no fonts to draw with
     */
    public static void write(ResultFolder folder, String name, Figure figure) throws IOException {
        folder.write(name + PNG, file -> writePng(figure, file));
        folder.write(name + SVG, file -> writeSvg(figure, file));
    }

    /**
     * Draws a figure of results anew, in their folder; another process may be writing to that.
     *
     * @return the names of the files
     * @throws IOException if it cannot be written, or files of these names are not the folder's own
     */
    public static List<String> redraw(Path folder, String name, Figure figure) throws IOException {
        ResultFolder.replace(folder, name + PNG, file -> writePng(figure, file));
        ResultFolder.replace(folder, name + SVG, file -> writeSvg(figure, file));
        return names(name);
    }

    /**
     * Writes a figure that has been drawn already into a folder of results.
     *
     * @param png the one file, beside which the other one lies
     */
    public static void copy(ResultFolder folder, String name, Path png) throws IOException {
        folder.write(name + PNG, file -> Files.copy(png, file));
        folder.write(name + SVG, file -> Files.copy(Path.of(png.toString().replaceFirst("png$", "svg")), file));
    }

    /**
     * Writes a figure into any folder, as NAME.png and NAME.svg.
     *
     * @param overwrite whether files of these names may be replaced
     * @return the names
     * @throws IOException if it cannot be written, or files of these names are there
     */
    public static List<String> write(Path folder, String name, Figure figure, boolean overwrite) throws IOException {
        List<String> names = names(name);
        for (String each : names) {
            if (!overwrite && Files.exists(folder.resolve(each))) {
                throw new FileException(
                        folder.resolve(each), "it is there already; move it away, name another folder, or replace it");
            }
        }
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw FileException.of(folder, e);
        }
        AtomicFiles.write(folder.resolve(names.getFirst()), file -> writePng(figure, file));
        AtomicFiles.write(folder.resolve(names.getLast()), file -> writeSvg(figure, file));
        return names;
    }

    /**
     * Writes the figure as a PNG.
     *
     * @throws IOException if it cannot be written, or this machine has no fonts to draw with
     */
    public static void writePng(Figure figure, Path file) throws IOException {
        Fonts.require();
        FigureFiles files = new FigureFiles(figure);
        BufferedImage image = new BufferedImage(files.totalWidth(), files.totalHeight(), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        files.paint(graphics);
        graphics.dispose();
        try (OutputStream out = Files.newOutputStream(file);
                ImageOutputStream png = new MemoryCacheImageOutputStream(out)) {
            ImageIO.write(image, "png", png);
        }
    }

    /**
     * Writes the figure as an SVG.
     *
     * @throws IOException if it cannot be written, or this machine has no fonts to draw with
     */
    public static void writeSvg(Figure figure, Path file) throws IOException {
        Fonts.require();
        FigureFiles files = new FigureFiles(figure);
        VectorGraphics2D graphics = new VectorGraphics2D();
        files.paint(graphics);
        try (OutputStream out = Files.newOutputStream(file)) {
            Processors.get("svg")
                    .getDocument(graphics.getCommands(), new PageSize(files.totalWidth(), files.totalHeight()))
                    .writeTo(out);
        }
    }

    private int width() {
        return isOfBitmaps() ? BITMAP_WIDTH : figure.panels().size() == 1 ? ALONE_WIDTH : WIDTH;
    }

    private int height() {
        return isOfBitmaps() ? BITMAP_HEIGHT : figure.panels().size() == 1 ? ALONE_HEIGHT : HEIGHT;
    }

    private boolean isOfBitmaps() {
        return figure.panels().stream().allMatch(panel -> panel.bitmap() != null);
    }

    private int totalWidth() {
        return figure.columns() * width();
    }

    private int totalHeight() {
        return figure.rows() * height();
    }

    private void paint(Graphics2D graphics) {
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, totalWidth(), totalHeight());
        AffineTransform origin = graphics.getTransform();
        for (int i = 0; i < figure.panels().size(); i++) {
            graphics.translate(i % figure.columns() * width(), i / figure.columns() * height());
            if (figure.panels().get(i).bitmap() != null) {
                paintBitmap(graphics, figure.panels().get(i));
            } else if (figure.panels().get(i).surface() != null) {
                new SurfaceDrawing(figure.panels().get(i), width(), height()).paint(graphics);
            } else if (!figure.panels().get(i).curves().isEmpty()) {
                PanelChart.of(figure.panels().get(i), width(), height()).paint(graphics, width(), height());
            }
            graphics.setClip(null);
            graphics.setTransform(origin);
        }
    }

    /** The title above black squares in a frame. */
    private void paintBitmap(Graphics2D graphics, Panel panel) {
        Panel.Bitmap bitmap = panel.bitmap();
        int size = (width() - 2 * BITMAP_MARGIN) / bitmap.columns(),
                top = height() - BITMAP_MARGIN - bitmap.pixels().length / bitmap.columns() * size;
        graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        graphics.setColor(Color.BLACK);
        graphics.drawString(panel.title(), BITMAP_MARGIN, TITLE_BASELINE);
        for (int i = 0; i < bitmap.pixels().length; i++) {
            int shade = Math.round(255 * (1 - bitmap.pixels()[i]));
            if (shade < 255) {
                graphics.setColor(new Color(shade, shade, shade));
                graphics.fillRect(
                        BITMAP_MARGIN + i % bitmap.columns() * size, top + i / bitmap.columns() * size, size, size);
            }
        }
        graphics.setColor(Color.GRAY);
        graphics.drawRect(
                BITMAP_MARGIN, top, bitmap.columns() * size, bitmap.pixels().length / bitmap.columns() * size);
    }
}
