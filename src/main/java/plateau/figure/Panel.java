package plateau.figure;

import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Curves over common axes, a picture, or a surface.
 *
 * @param title above the plot
 * @param horizontal axis
 * @param vertical axis
 * @param curves what is drawn, in the order of the legend; their names differ
 * @param bitmap a picture in the place of axes and curves; null: none
 * @param surface heights over both axes, in the place of curves; null: none
 */
public record Panel(String title, Axis horizontal, Axis vertical, List<Curve> curves, Bitmap bitmap, Surface surface) {
    /** A place in a figure that is left empty. */
    public static final Panel EMPTY = new Panel("", Axis.fitting(""), Axis.fitting(""), List.of());

    /** With curves of no more points than can be seen. */
    public Panel thinned() {
        return new Panel(
                title, horizontal, vertical, curves.stream().map(Curve::thinned).toList(), bitmap, surface);
    }

    /** Curves over common axes. */
    public Panel(String title, Axis horizontal, Axis vertical, List<Curve> curves) {
        this(title, horizontal, vertical, curves, null, null);
    }

    /** A picture. */
    public static Panel of(String title, Bitmap bitmap) {
        return new Panel(title, Axis.fitting(""), Axis.fitting(""), List.of(), bitmap, null);
    }

    /** A surface over axes that have a lowest and a highest value. */
    public static Panel of(String title, Axis horizontal, Axis vertical, Surface surface) {
        return new Panel(title, horizontal, vertical, List.of(), null, surface);
    }

    /** Whether there is nothing to draw. */
    public boolean isEmpty() {
        return curves.isEmpty() && bitmap == null && surface == null;
    }

    /**
     * Heights above a grid of equal distances that reaches from the lowest to the highest value of
     * both axes, row by row from the lowest.
     *
     * @param columns of the grid
     * @param heights finite
     * @param name of the heights
     */
    public record Surface(int columns, float[] heights, String name) {

        /** Rows of the grid. */
        public int rows() {
            return heights.length / columns;
        }

        /** The height in a row and a column. */
        public double at(int row, int column) {
            return heights[row * columns + column];
        }

        /** The smallest height. */
        public double lowest() {
            return IntStream.range(0, heights.length)
                    .mapToDouble(i -> heights[i])
                    .min()
                    .orElse(0);
        }

        /** The largest height. */
        public double highest() {
            return IntStream.range(0, heights.length)
                    .mapToDouble(i -> heights[i])
                    .max()
                    .orElse(0);
        }
    }

    /**
     * A picture of few pixels, row by row.
     *
     * @param columns of it
     * @param pixels 0 is white, 1 black
     */
    public record Bitmap(int columns, float[] pixels) {}

    /**
     * An axis.
     *
     * @param name beside it
     * @param lowest value; NaN: the data's, less a margin on a vertical axis
     * @param highest value; NaN: the data's, likewise
     * @param logarithmic whether equal distances are equal ratios; values that are not positive are
     *     then left out
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

        /** Solid, in the paper's red. */
        public static final Look RED = new Look(0xD40000, false);

        /** Solid, in the paper's blue. */
        public static final Look BLUE = new Look(0x0000D4, false);
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
        private static final int GROUPS = 1000;
        private static final int MOST_POINTS = 4 * GROUPS;

        /** A curve without a band. */
        public Curve(String name, List<Double> x, List<Double> y, Look look) {
            this(name, x, y, look, List.of(), List.of());
        }

        /** A plain curve. */
        public Curve(String name, List<Double> x, List<Double> y) {
            this(name, x, y, Look.PLAIN);
        }

        /**
         * A curve of a few thousand points at most that looks like this one: of each of as many
         * groups as a figure has columns of pixels, the first point, the last, the lowest and the
         * highest (M4; Jugel, Jerzak, Hackenbroich and Markl 2014), and a gap where there is one.
         */
        public Curve thinned() {
            if (x.size() <= MOST_POINTS) {
                return this;
            }
            List<Integer> kept = IntStream.range(0, GROUPS)
                    .mapToObj(group ->
                            keptOf((int) ((long) group * x.size() / GROUPS), (int) ((group + 1L) * x.size() / GROUPS)))
                    .flatMap(Set::stream)
                    .toList();
            return new Curve(name, of(x, kept), of(y, kept), look, of(low, kept), of(high, kept));
        }

        private SortedSet<Integer> keptOf(int from, int to) {
            SortedSet<Integer> kept = new TreeSet<>(List.of(from, to - 1));
            for (List<Double> values : List.of(y, low, high)) {
                int lowest = -1;
                int highest = -1;
                int gap = -1;
                for (int i = from; i < to && !values.isEmpty(); i++) {
                    double value = values.get(i);
                    if (Double.isNaN(value)) {
                        gap = i;
                    } else {
                        lowest = lowest < 0 || value < values.get(lowest) ? i : lowest;
                        highest = highest < 0 || value > values.get(highest) ? i : highest;
                    }
                }
                kept.addAll(List.of(lowest, highest, gap));
            }
            kept.remove(-1);
            return kept;
        }

        private static List<Double> of(List<Double> values, List<Integer> kept) {
            return values.isEmpty() ? values : kept.stream().map(values::get).toList();
        }
    }
}
