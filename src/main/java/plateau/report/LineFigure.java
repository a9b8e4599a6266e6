package plateau.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Curves over a common axis, as PNG and SVG, in the paper's plain style.
 *
 * @param title above the plot
 * @param horizontal the horizontal axis' name
 * @param vertical the vertical axis' name
 * @param lowest of the vertical axis
 * @param highest of the vertical axis
 * @param curves what is drawn, in the order of the legend
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
     * @param x horizontal values
     * @param y vertical values, as many
     */
    public record Curve(String name, List<Double> x, List<Double> y) {}

    /** Writes the figure as a PNG. */
    public void writePng(Path file) throws IOException {
        try (OutputStream out = new FileOutputStream(file.toFile())) {
            BitmapEncoder.saveBitmap(chart(), out, BitmapEncoder.BitmapFormat.PNG);
        }
    }

    /** Writes the figure as an SVG. */
    public void writeSvg(Path file) throws IOException {
        try (OutputStream out = new FileOutputStream(file.toFile())) {
            VectorGraphicsEncoder.saveVectorGraphic(chart(), out, VectorGraphicsEncoder.VectorGraphicsFormat.SVG);
        }
    }

    private XYChart chart() {
        XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(horizontal).yAxisTitle(vertical).theme(Styler.ChartTheme.Matlab).build();
        Styler style = chart.getStyler();
        style.setChartBackgroundColor(Color.WHITE);
        style.setLegendPosition(Styler.LegendPosition.OutsideE);
        style.setLegendBorderColor(Color.WHITE);
        style.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 16));
        style.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        chart.getStyler().setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        chart.getStyler().setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        chart.getStyler().setPlotGridLinesColor(new Color(0xDDDDDD));
        chart.getStyler().setYAxisMin(lowest);
        chart.getStyler().setYAxisMax(highest);
        chart.getStyler().setXAxisDecimalPattern("#,###");
        chart.getStyler().setYAxisDecimalPattern("0.0#");
        for (int i = 0; i < curves.size(); i++) {
            Curve curve = curves.get(i);
            chart.addSeries(curve.name, curve.x, curve.y)
                    .setMarker(SeriesMarkers.NONE)
                    .setLineColor(COLOURS[i % COLOURS.length])
                    .setLineStyle(new BasicStroke(2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
        }
        return chart;
    }
}
