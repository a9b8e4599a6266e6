package plateau.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Path2D;
import java.awt.geom.Point2D;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import plateau.figure.Panel;
import plateau.results.Numbers;

/**
 * A panel's surface, drawn twice: at the left in space, seen from above and aside, at the right as
 * contours. Colours go by rank among the heights, so that a surface that is flat in most places
 * still has its hills and valleys told apart.
 */
final class SurfaceDrawing {
    private static final double AZIMUTH = Math.toRadians(-55);
    private static final double ELEVATION = Math.toRadians(35);

    /** Of a height of the whole range, to the sides of the square. */
    private static final double TALLNESS = 0.55;

    private static final double LEFT_SHARE = 0.56;
    private static final int MARGIN = 44;
    private static final int TITLE_BASELINE = 24;

    /** Patches along a side, at most: more cannot be told apart, and make large files. */
    private static final int MOST_PATCHES = 30;

    private static final int LEVELS = 9;

    /** From low to high, dark to light: even steps for the eye, and for colour-blind readers. */
    private static final Color[] SCALE = {
        new Color(0x440154), new Color(0x3B528B), new Color(0x21918C), new Color(0x5EC962), new Color(0xFDE725)
    };

    private final Panel panel;
    private final Panel.Surface surface;
    private final int width;
    private final int height;
    private final double[] sorted;

    /** In that many pixels. */
    SurfaceDrawing(Panel panel, int width, int height) {
        this.panel = panel;
        this.surface = panel.surface();
        this.width = width;
        this.height = height;
        float[] heights = surface.heights();
        this.sorted = IntStream.range(0, heights.length)
                .mapToDouble(i -> heights[i])
                .sorted()
                .toArray();
    }

    void paint(Graphics2D graphics) {
        graphics.setColor(Color.BLACK);
        graphics.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 16));
        graphics.drawString(panel.title(), MARGIN, TITLE_BASELINE);
        graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        paintInSpace(graphics);
        paintContours(graphics);
    }

    /** The colour of a height: that of the share of all heights that are below it. */
    private Color colour(double value) {
        double at = rank(value) * (SCALE.length - 1);
        int first = Math.min(SCALE.length - 2, (int) at);
        double part = at - first;
        Color low = SCALE[first];
        Color high = SCALE[first + 1];
        return new Color(
                mixed(low.getRed(), high.getRed(), part),
                mixed(low.getGreen(), high.getGreen(), part),
                mixed(low.getBlue(), high.getBlue(), part));
    }

    private static int mixed(int low, int high, double part) {
        return (int) Math.round(low + part * (high - low));
    }

    private double rank(double value) {
        int at = Arrays.binarySearch(sorted, value);
        return Math.clamp((double) (at < 0 ? -at - 1 : at) / Math.max(1, sorted.length - 1), 0, 1);
    }

    /** A corner of a patch, where it is seen, and how far it is from the eye. */
    private record Seen(Point2D place, double depth) {}

    private record Patch(List<Seen> corners, double value) {
        double depth() {
            return corners.stream().mapToDouble(Seen::depth).sum();
        }
    }

    /** The farthest patches first, so that the nearer ones cover them. */
    private void paintInSpace(Graphics2D graphics) {
        int[] rows = places(surface.rows());
        int[] columns = places(surface.columns());
        graphics.setStroke(new BasicStroke(0.4f));
        IntStream.range(0, rows.length - 1)
                .boxed()
                .flatMap(i -> IntStream.range(0, columns.length - 1)
                        .mapToObj(j -> patch(rows[i], rows[i + 1], columns[j], columns[j + 1])))
                .sorted(Comparator.comparingDouble(Patch::depth).reversed())
                .forEach(patch -> {
                    Path2D outline = new Path2D.Double();
                    outline.moveTo(
                            patch.corners.getFirst().place.getX(),
                            patch.corners.getFirst().place.getY());
                    patch.corners.stream()
                            .skip(1)
                            .forEach(corner -> outline.lineTo(corner.place.getX(), corner.place.getY()));
                    outline.closePath();
                    Color fill = colour(patch.value);
                    graphics.setColor(fill);
                    graphics.fill(outline);
                    graphics.setColor(fill.darker());
                    graphics.draw(outline);
                });
        graphics.setColor(Color.DARK_GRAY);
        graphics.drawString(
                "%s: %s … %s"
                        .formatted(
                                surface.name(), Numbers.rounded(surface.lowest()), Numbers.rounded(surface.highest())),
                MARGIN,
                height - 10);
    }

    /** From 0 to the last of so many, in even steps as far as can be. */
    private static int[] places(int count) {
        int patches = Math.min(MOST_PATCHES, count - 1);
        return IntStream.rangeClosed(0, patches)
                .map(i -> (int) ((long) i * (count - 1) / patches))
                .toArray();
    }

    private Patch patch(int row, int nextRow, int column, int nextColumn) {
        double mean = (surface.at(row, column)
                        + surface.at(row, nextColumn)
                        + surface.at(nextRow, nextColumn)
                        + surface.at(nextRow, column))
                / 4;
        return new Patch(
                List.of(seen(row, column), seen(row, nextColumn), seen(nextRow, nextColumn), seen(nextRow, column)),
                mean);
    }

    private Seen seen(int row, int column) {
        double x = (double) column / (surface.columns() - 1) - 0.5;
        double y = (double) row / (surface.rows() - 1) - 0.5;
        double range = surface.highest() - surface.lowest();
        double z = range > 0 ? TALLNESS * ((surface.at(row, column) - surface.lowest()) / range - 0.5) : 0;
        double across = x * Math.cos(AZIMUTH) - y * Math.sin(AZIMUTH);
        double away = x * Math.sin(AZIMUTH) + y * Math.cos(AZIMUTH);
        double scale = Math.min(width * LEFT_SHARE / 1.45, height / 1.35);
        return new Seen(
                new Point2D.Double(
                        width * LEFT_SHARE / 2 + scale * across,
                        height * 0.53 - scale * (z * Math.cos(ELEVATION) + away * Math.sin(ELEVATION))),
                away * Math.cos(ELEVATION) - z * Math.sin(ELEVATION));
    }

    private void paintContours(Graphics2D graphics) {
        double size = Math.min(width * (1 - LEFT_SHARE) - MARGIN - 12, height - 2.0 * MARGIN - 20);
        double left = width * LEFT_SHARE + MARGIN - 8;
        double top = MARGIN + (height - 2.0 * MARGIN - size) / 2;
        graphics.setStroke(new BasicStroke(1.3f));
        for (int level = 1; level <= LEVELS; level++) {
            double value = sorted[(int) ((long) level * (sorted.length - 1) / (LEVELS + 1))];
            Path2D lines = new Path2D.Double();
            for (int row = 0; row < surface.rows() - 1; row++) {
                for (int column = 0; column < surface.columns() - 1; column++) {
                    addCell(lines, row, column, value, left, top, size);
                }
            }
            graphics.setColor(colour(value));
            graphics.draw(lines);
        }
        graphics.setColor(Color.GRAY);
        graphics.setStroke(new BasicStroke(1f));
        graphics.drawRect((int) left, (int) top, (int) size, (int) size);
        graphics.setColor(Color.BLACK);
        String low = Numbers.rounded(panel.horizontal().lowest());
        String high = Numbers.rounded(panel.horizontal().highest());
        int below = (int) (top + size) + 16;
        graphics.drawString(low, (int) left, below);
        graphics.drawString(panel.horizontal().name(), (int) (left + size / 2), below);
        graphics.drawString(high, (int) (left + size) - 12, below);
        graphics.drawString(Numbers.rounded(panel.vertical().highest()), (int) left - 22, (int) top + 10);
        graphics.drawString(panel.vertical().name(), (int) left - 22, (int) (top + size / 2));
        graphics.drawString(Numbers.rounded(panel.vertical().lowest()), (int) left - 22, (int) (top + size));
    }

    /** The level's line through one cell of the grid, between the sides that it crosses. */
    private void addCell(Path2D lines, int row, int column, double level, double left, double top, double size) {
        double[] corners = {
            surface.at(row, column),
            surface.at(row, column + 1),
            surface.at(row + 1, column + 1),
            surface.at(row + 1, column)
        };
        int[] x = {0, 1, 1, 0};
        int[] y = {0, 0, 1, 1};
        Point2D open = null;
        for (int side = 0; side < 4; side++) {
            int next = (side + 1) % 4;
            double a = corners[side] - level;
            double b = corners[next] - level;
            if (a < 0 == b < 0) {
                continue;
            }
            double part = a / (a - b);
            double across = (column + x[side] + part * (x[next] - x[side])) / (surface.columns() - 1);
            double up = (row + y[side] + part * (y[next] - y[side])) / (surface.rows() - 1);
            Point2D here = new Point2D.Double(left + across * size, top + (1 - up) * size);
            if (open == null) {
                open = here;
            } else {
                lines.moveTo(open.getX(), open.getY());
                lines.lineTo(here.getX(), here.getY());
                open = null;
            }
        }
    }
}
