package plateau.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
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

/**
 * Curves over common axes, or a picture.
 *
 * @param title above the plot
 * @param horizontal axis
 * @param vertical axis
 * @param curves what is drawn, in the order of the legend; their names differ
 * @param bitmap a picture in the place of axes and curves; null: none
 */
public record Panel(String title, Axis horizontal, Axis vertical, List<Curve> curves, Bitmap bitmap) {
    /** A place in a figure that is left empty. */
    public static final Panel EMPTY = new Panel("", Axis.fitting(""), Axis.fitting(""), List.of());

    /** Curves over common axes. */
    public Panel(String title, Axis horizontal, Axis vertical, List<Curve> curves) {
        this(title, horizontal, vertical, curves, null);
    }

    /** A picture. */
    public static Panel of(String title, Bitmap bitmap) {
        return new Panel(title, Axis.fitting(""), Axis.fitting(""), List.of(), bitmap);
    }

    /**
     * A picture of few pixels, row by row.
     *
     * @param columns of it
     * @param pixels 0 is white, 1 black
     */
    public record Bitmap(int columns, float[] pixels) {}

    private static final double MARGIN = 0.04;
    private static final int BAND_ALPHA = 48;

    // Okabe and Ito's colours, which remain distinct to colour-blind readers.
    private static final Color[] COLOURS = {
        new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xCC79A7), new Color(0xE69F00), new Color(0x56B4E9), new Color(0x000000)
    };

    /**
     * An axis.
     *
     * @param name beside it
     * @param lowest value; NaN: the data's, less a margin on a vertical axis
     * @param highest value; NaN: the data's, likewise
     * @param logarithmic whether equal distances are equal ratios; values that are not positive are then left out
     */
    public record Axis(String name, double lowest, double highest, boolean logarithmic) {

        /** From lowest to highest. */
        public static Axis of(String name, double lowest, double highest) {
            return new Axis(name, lowest, highest, false);
        }

        /** Of everything that is logged in training. */
        public static Axis steps() {
            return new Axis("Training iterations", 0, Double.NaN, false);
        }

        /** As far as the data reach. */
        public static Axis fitting(String name) {
            return new Axis(name, Double.NaN, Double.NaN, false);
        }

        /** Logarithmic, as far as the data reach. */
        public static Axis logarithmic(String name) {
            return new Axis(name, Double.NaN, Double.NaN, true);
        }
    }

    /**
     * How a curve is drawn.
     *
     * @param rgb its colour; negative: the next of the panel's own
     * @param dashed or solid
     */
    public record Look(int rgb, boolean dashed) {
        /** Solid, in a colour of its own. */
        public static final Look PLAIN = new Look(-1, false);
    }

    /**
     * One curve.
     *
     * @param name in the legend
     * @param x horizontal values
     * @param y vertical values, as many; NaN is a gap
     * @param look how it is drawn
     * @param low lower edge of a band around it, as many values; empty: no band
     * @param high upper edge, likewise
     */
    public record Curve(String name, List<Double> x, List<Double> y, Look look, List<Double> low, List<Double> high) {

        /** A curve without a band. */
        public Curve(String name, List<Double> x, List<Double> y, Look look) {
            this(name, x, y, look, List.of(), List.of());
        }

        /** A plain curve. */
        public Curve(String name, List<Double> x, List<Double> y) {
            this(name, x, y, Look.PLAIN);
        }

        /** Of several runs, each a value by step, the mean; and, where there are several, a band from the lowest to the highest. */
        public static Curve mean(String name, Look look, List<? extends Map<Long, Double>> runs) {
            SortedMap<Long, DoubleSummaryStatistics> steps = new TreeMap<>();
            runs.forEach(run -> run.forEach((step, value) -> steps.computeIfAbsent(step, _ -> new DoubleSummaryStatistics()).accept(value)));
            List<Double> x = steps.keySet().stream().map(step -> (double) step).toList();
            List<Double> mean = steps.values().stream().map(DoubleSummaryStatistics::getAverage).toList();
            if (runs.size() == 1) {
                return new Curve(name, x, mean, look);
            }
            return new Curve(name, x, mean, look, steps.values().stream().map(DoubleSummaryStatistics::getMin).toList(), steps.values().stream().map(DoubleSummaryStatistics::getMax).toList());
        }
    }

    XYChart chart(int width, int height) {
        XYChart chart = new XYChartBuilder().width(width).height(height).title(title).xAxisTitle(horizontal.name).yAxisTitle(vertical.name).theme(Styler.ChartTheme.Matlab).build();
        style(chart.getStyler());
        for (int i = 0; i < curves.size(); i++) { // all bands lie below all curves
            addBand(chart, curves.get(i), colour(i));
        }
        for (int i = 0; i < curves.size(); i++) {
            Curve curve = curves.get(i);
            XYSeries series = chart.addSeries(curve.name, curve.x, curve.y.stream().map(this::drawable).toList());
            series.setMarker(SeriesMarkers.NONE);
            series.setLineColor(colour(i));
            series.setLineStyle(stroke(curve.look.dashed));
        }
        // XChart marks the data's own positions where they are equally spaced; this invisible point, which breaks the spacing, makes it mark round numbers.
        double odd = lowest() + (highest() - lowest()) / Math.PI;
        chart.addSeries("round marks", List.of(odd), List.of(Double.NaN)).setShowInLegend(false);
        return chart;
    }

    Color colour(int curve) {
        int rgb = curves.get(curve).look.rgb;
        return rgb < 0 ? COLOURS[curve % COLOURS.length] : new Color(rgb);
    }

    /** A value that its axis has no place for becomes a gap. */
    private double drawable(double value) {
        return vertical.logarithmic && value <= 0 ? Double.NaN : value;
    }

    /** A polygon: along the upper edge from left to right, and back along the lower one. */
    private void addBand(XYChart chart, Curve curve, Color colour) {
        List<Integer> points = IntStream.range(0, curve.low.size()).filter(i -> Double.isFinite(drawable(curve.low.get(i))) && Double.isFinite(drawable(curve.high.get(i)))).boxed().toList();
        if (points.size() < 2) {
            return;
        }
        List<Double> x = Stream.concat(points.stream(), points.reversed().stream()).map(curve.x::get).toList();
        List<Double> y = Stream.concat(points.stream().map(curve.high::get), points.reversed().stream().map(curve.low::get)).toList();
        XYSeries band = chart.addSeries(curve.name + " (band)", x, y);
        band.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.PolygonArea);
        band.setMarker(SeriesMarkers.NONE);
        band.setLineStyle(SeriesLines.NONE);
        band.setFillColor(new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), BAND_ALPHA));
        band.setShowInLegend(false);
    }

    private static BasicStroke stroke(boolean dashed) {
        return dashed ? new BasicStroke(2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1f, new float[] {7, 5}, 0) : new BasicStroke(2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
    }

    private double lowest() {
        return Double.isNaN(horizontal.lowest) ? values(Curve::x).min().orElse(0) : horizontal.lowest;
    }

    private double highest() {
        return Double.isNaN(horizontal.highest) ? values(Curve::x).max().orElse(1) : horizontal.highest;
    }

    private DoubleStream values(Function<Curve, List<Double>> which) {
        return curves.stream().flatMap(curve -> which.apply(curve).stream()).mapToDouble(value -> value);
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
        style.setYAxisLogarithmic(vertical.logarithmic);
        if (!vertical.logarithmic) {
            double bottom = DoubleStream.concat(values(Curve::y), values(Curve::low)).filter(Double::isFinite).min().orElse(0);
            double top = DoubleStream.concat(values(Curve::y), values(Curve::high)).filter(Double::isFinite).max().orElse(1);
            double margin = top > bottom ? MARGIN * (top - bottom) : 1;
            style.setYAxisMin(Double.isNaN(vertical.lowest) ? bottom - margin : vertical.lowest);
            style.setYAxisMax(Double.isNaN(vertical.highest) ? top + margin : vertical.highest);
            style.setYAxisDecimalPattern("0.0##");
        }
    }
}
