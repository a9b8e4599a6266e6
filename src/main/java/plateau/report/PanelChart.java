package plateau.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.util.List;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;
import plateau.figure.Panel;

/** A panel of curves as the chart library draws it, in the paper's plain style. */
final class PanelChart {
    private static final double MARGIN = 0.04;
    private static final int BAND_ALPHA = 48;

    // Okabe and Ito's colours, which remain distinct to colour-blind readers.
    private static final Color[] COLOURS = {
        new Color(0x0072B2),
        new Color(0xD55E00),
        new Color(0x009E73),
        new Color(0xCC79A7),
        new Color(0xE69F00),
        new Color(0x56B4E9),
        new Color(0x000000)
    };

    private final Panel panel;

    private PanelChart(Panel panel) {
        this.panel = panel;
    }

    /** The panel as a chart of that many pixels. */
    static XYChart of(Panel panel, int width, int height) {
        return new PanelChart(panel.thinned()).chart(width, height);
    }

    private XYChart chart(int width, int height) {
        XYChart chart = new XYChartBuilder()
                .width(width)
                .height(height)
                .title(panel.title())
                .xAxisTitle(panel.horizontal().name())
                .yAxisTitle(panel.vertical().name())
                .theme(Styler.ChartTheme.Matlab)
                .build();
        style(chart.getStyler());
        for (int i = 0; i < panel.curves().size(); i++) { // all bands lie below all curves
            addBand(chart, panel.curves().get(i), colour(i));
        }
        for (int i = 0; i < panel.curves().size(); i++) {
            Panel.Curve curve = panel.curves().get(i);
            XYSeries series = chart.addSeries(
                    curve.name(),
                    curve.x(),
                    curve.y().stream().map(this::drawable).toList());
            series.setMarker(SeriesMarkers.NONE);
            series.setLineColor(colour(i));
            series.setLineStyle(stroke(curve.look().dashed()));
        }
        // XChart marks the data's own positions where they are equally spaced; this invisible
        // point, which breaks the spacing, makes it mark round numbers.
        double odd = lowest() + (highest() - lowest()) / Math.PI;
        chart.addSeries("round marks", List.of(odd), List.of(Double.NaN)).setShowInLegend(false);
        return chart;
    }

    private Color colour(int curve) {
        return colour(panel, curve);
    }

    /** What a panel's curve is drawn in. */
    static Color colour(Panel panel, int curve) {
        int rgb = panel.curves().get(curve).look().rgb();
        return rgb < 0 ? COLOURS[curve % COLOURS.length] : new Color(rgb);
    }

    /** A value that its axis has no place for becomes a gap. */
    private double drawable(double value) {
        return panel.vertical().logarithmic() && value <= 0 ? Double.NaN : value;
    }

    /** A polygon: along the upper edge from left to right, and back along the lower one. */
    private void addBand(XYChart chart, Panel.Curve curve, Color colour) {
        List<Integer> points = IntStream.range(0, curve.low().size())
                .filter(i -> Double.isFinite(drawable(curve.low().get(i)))
                        && Double.isFinite(drawable(curve.high().get(i))))
                .boxed()
                .toList();
        if (points.size() < 2) {
            return;
        }
        List<Double> x = Stream.concat(points.stream(), points.reversed().stream())
                .map(curve.x()::get)
                .toList();
        List<Double> y = Stream.concat(
                        points.stream().map(curve.high()::get),
                        points.reversed().stream().map(curve.low()::get))
                .toList();
        XYSeries band = chart.addSeries(curve.name() + " (band)", x, y);
        band.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.PolygonArea);
        band.setMarker(SeriesMarkers.NONE);
        band.setLineStyle(SeriesLines.NONE);
        band.setFillColor(new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), BAND_ALPHA));
        band.setShowInLegend(false);
    }

    private static BasicStroke stroke(boolean dashed) {
        return dashed
                ? new BasicStroke(2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1f, new float[] {7, 5}, 0)
                : new BasicStroke(2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
    }

    private double lowest() {
        return Double.isNaN(panel.horizontal().lowest())
                ? values(Panel.Curve::x).min().orElse(0)
                : panel.horizontal().lowest();
    }

    private double highest() {
        return Double.isNaN(panel.horizontal().highest())
                ? values(Panel.Curve::x).max().orElse(1)
                : panel.horizontal().highest();
    }

    private DoubleStream values(Function<Panel.Curve, List<Double>> which) {
        return panel.curves().stream()
                .flatMap(curve -> which.apply(curve).stream())
                .mapToDouble(value -> value);
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
        style.setXAxisMin(lowest());
        style.setXAxisMax(highest());
        style.setXAxisDecimalPattern("#,##0.###");
        style.setXAxisTickMarkSpacingHint(80);
        style.setYAxisLogarithmic(panel.vertical().logarithmic());
        if (!panel.vertical().logarithmic()) {
            double bottom = DoubleStream.concat(values(Panel.Curve::y), values(Panel.Curve::low))
                    .filter(Double::isFinite)
                    .min()
                    .orElse(0);
            double top = DoubleStream.concat(values(Panel.Curve::y), values(Panel.Curve::high))
                    .filter(Double::isFinite)
                    .max()
                    .orElse(1);
            double margin = top > bottom ? MARGIN * (top - bottom) : 1;
            style.setYAxisMin(
                    Double.isNaN(panel.vertical().lowest())
                            ? bottom - margin
                            : panel.vertical().lowest());
            style.setYAxisMax(
                    Double.isNaN(panel.vertical().highest())
                            ? top + margin
                            : panel.vertical().highest());
            style.setYAxisDecimalPattern("0.0##");
        }
    }
}
