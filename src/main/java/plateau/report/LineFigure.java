package plateau.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Curves over a common axis that starts at 0, as PNG and SVG, in the paper's plain style.
 *
 * @param title above the plot
 * @param horizontal the horizontal axis' name
 * @param vertical the vertical axis' name
 * @param lowest of the vertical axis
 * @param highest of the vertical axis
 * @param curves what is drawn, in the order of the legend; their names differ
 */
public record LineFigure(String title, String horizontal, String vertical, double lowest, double highest, List<Curve> curves) {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 560;

    // Okabe and Ito's colours, which remain distinct to colour-blind readers.
    private static final Color[] COLOURS = {
        new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xCC79A7), new Color(0xE69F00), new Color(0x56B4E9), new Color(0x000000)
    };

    /**
     * One curve.
     *
     * @param name in the legend
     * @param x horizontal values, none negative
     * @param y vertical values, as many
     */
    public record Curve(String name, List<Double> x, List<Double> y) {}

    /**
     * Writes the figure as a PNG.
     *
     * @throws IOException if it cannot be written, or this machine has no fonts to draw with
     */
    public void writePng(Path file) throws IOException {
        write(file, (chart, out) -> BitmapEncoder.saveBitmap(chart, out, BitmapEncoder.BitmapFormat.PNG));
    }

    /**
     * Writes the figure as an SVG.
     *
     * @throws IOException if it cannot be written, or this machine has no fonts to draw with
     */
    public void writeSvg(Path file) throws IOException {
        write(file, (chart, out) -> VectorGraphicsEncoder.saveVectorGraphic(chart, out, VectorGraphicsEncoder.VectorGraphicsFormat.SVG));
    }

    private interface Encoder {
        void encode(XYChart chart, OutputStream out) throws IOException;
    }

    private void write(Path file, Encoder encoder) throws IOException {
        Fonts.require();
        try (OutputStream out = Files.newOutputStream(file)) {
            encoder.encode(chart(), out);
        }
    }

    private XYChart chart() {
        XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(horizontal).yAxisTitle(vertical).theme(Styler.ChartTheme.Matlab).build();
        style(chart.getStyler());
        for (int i = 0; i < curves.size(); i++) {
            Curve curve = curves.get(i);
            chart.addSeries(curve.name, curve.x, curve.y)
                    .setMarker(SeriesMarkers.NONE)
                    .setLineColor(COLOURS[i % COLOURS.length])
                    .setLineStyle(new BasicStroke(2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
        }
        // XChart marks the data's own positions where they are equally spaced; this invisible point, which breaks the spacing, makes it mark round numbers.
        chart.addSeries("round marks", List.of(rightmost() / Math.PI), List.of(Double.NaN)).setShowInLegend(false);
        return chart;
    }

    private double rightmost() {
        return curves.stream().flatMap(curve -> curve.x.stream()).mapToDouble(x -> x).max().orElse(1);
    }

    private void style(XYStyler style) {
        style.setChartBackgroundColor(Color.WHITE);
        style.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 16));
        style.setLegendPosition(Styler.LegendPosition.OutsideE);
        style.setLegendBorderColor(Color.WHITE);
        style.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        style.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        style.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        style.setPlotGridLinesColor(new Color(0xDDDDDD));
        style.setPlotGridLinesStroke(new BasicStroke(1f)); // dashes would become thousands of outlines in the SVG
        style.setPlotContentSize(1);
        style.setXAxisMin(0.0);
        style.setXAxisMax(rightmost());
        style.setXAxisDecimalPattern("#,###");
        style.setXAxisTickMarkSpacingHint(80);
        style.setYAxisMin(lowest);
        style.setYAxisMax(highest);
        style.setYAxisDecimalPattern("0.0#");
    }
}
