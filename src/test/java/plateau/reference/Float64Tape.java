package plateau.reference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * An oracle for gradients: reverse-mode differentiation in float64 over row-major matrices, one
 * obvious loop per operation. Nodes are recorded in the order in which they are computed, so that
 * walking the record backwards is a topological order.
 */
public final class Float64Tape {
    private final List<Node> nodes = new ArrayList<>();

    /**
     * A matrix, and after {@link Float64Tape#backward} the gradient of the root with respect to it.
     */
    public static final class Node {
        private final int rows;
        private final int columns;
        private final double[] values;
        private final double[] gradient;
        private Runnable backward = () -> {};

        private Node(int rows, int columns, double[] values) {
            if (values.length != rows * columns) {
                throw new IllegalArgumentException("%d values for %dx%d".formatted(values.length, rows, columns));
            }
            this.rows = rows;
            this.columns = columns;
            this.values = values;
            this.gradient = new double[values.length];
        }

        /** Row-major values. */
        public double[] values() {
            return values;
        }

        /** Row-major derivatives of the root. */
        public double[] gradient() {
            return gradient;
        }

        /** The value of a 1×1 matrix. */
        public double scalar() {
            if (values.length != 1) {
                throw new IllegalStateException("Not a scalar: %dx%d".formatted(rows, columns));
            }
            return values[0];
        }
    }

    /** Data or a parameter, (rows, columns). */
    public Node leaf(int rows, int columns, double... values) {
        Node node = new Node(rows, columns, values.clone());
        nodes.add(node);
        return node;
    }

    /** a b. */
    public Node product(Node a, Node b) {
        require(a.columns == b.rows);
        Node c = leaf(a.rows, b.columns, new double[a.rows * b.columns]);
        for (int i = 0; i < a.rows; i++) {
            for (int j = 0; j < b.columns; j++) {
                for (int k = 0; k < a.columns; k++) {
                    c.values[i * c.columns + j] += a.values[i * a.columns + k] * b.values[k * b.columns + j];
                }
            }
        }
        c.backward = () -> {
            for (int i = 0; i < a.rows; i++) {
                for (int j = 0; j < b.columns; j++) {
                    double g = c.gradient[i * c.columns + j];
                    for (int k = 0; k < a.columns; k++) {
                        a.gradient[i * a.columns + k] += g * b.values[k * b.columns + j];
                        b.gradient[k * b.columns + j] += g * a.values[i * a.columns + k];
                    }
                }
            }
        };
        return c;
    }

    /** a + b, where b has the shape of a, or is one row that is added to each row of a. */
    public Node sum(Node a, Node b) {
        require(a.columns == b.columns && (b.rows == a.rows || b.rows == 1));
        Node c = leaf(a.rows, a.columns, a.values);
        for (int i = 0; i < c.values.length; i++) {
            c.values[i] += b.values[i % b.values.length];
        }
        c.backward = () -> {
            for (int i = 0; i < c.gradient.length; i++) {
                a.gradient[i] += c.gradient[i];
                b.gradient[i % b.values.length] += c.gradient[i];
            }
        };
        return c;
    }

    /** The product of a and b, element by element. */
    public Node times(Node a, Node b) {
        require(a.rows == b.rows && a.columns == b.columns);
        Node c = leaf(a.rows, a.columns, a.values);
        for (int i = 0; i < c.values.length; i++) {
            c.values[i] *= b.values[i];
        }
        c.backward = () -> {
            for (int i = 0; i < c.gradient.length; i++) {
                a.gradient[i] += c.gradient[i] * b.values[i];
                b.gradient[i] += c.gradient[i] * a.values[i];
            }
        };
        return c;
    }

    /** f of each element, whose derivative at x is df(x). */
    public Node map(Node a, DoubleUnaryOperator f, DoubleUnaryOperator df) {
        Node c = leaf(a.rows, a.columns, Arrays.stream(a.values).map(f).toArray());
        c.backward = () -> {
            for (int i = 0; i < c.gradient.length; i++) {
                a.gradient[i] += c.gradient[i] * df.applyAsDouble(a.values[i]);
            }
        };
        return c;
    }

    /** The same elements as (rows, columns). */
    public Node reshape(Node a, int rows, int columns) {
        Node c = leaf(rows, columns, a.values);
        c.backward = () -> {
            for (int i = 0; i < c.gradient.length; i++) {
                a.gradient[i] += c.gradient[i];
            }
        };
        return c;
    }

    /** The mean of all elements, 1×1. */
    public Node mean(Node a) {
        Node c = leaf(1, 1, Arrays.stream(a.values).average().orElseThrow());
        c.backward = () -> {
            for (int i = 0; i < a.gradient.length; i++) {
                a.gradient[i] += c.gradient[0] / a.gradient.length;
            }
        };
        return c;
    }

    /** max(0, ·). */
    public Node relu(Node a) {
        return map(a, x -> Math.max(0, x), x -> x > 0 ? 1 : 0);
    }

    /** x w + b. */
    public Node dense(Node x, Node w, Node b) {
        return sum(product(x, w), b);
    }

    /**
     * The 2×2 maxima, stride 2, of the convolution of images with filters plus a bias, stride 1,
     * zero outside; the first of equal maxima takes the gradient.
     *
     * @param x (batch, rows · columns · in)
     * @param w (out, window · window · in)
     * @param b (1, out)
     */
    public Node convolutionPool(Node x, Node w, Node b, int rows, int columns, int window) {
        int out = w.rows, in = x.columns / (rows * columns), cells = rows / 2 * (columns / 2);
        require(x.columns == rows * columns * in
                && w.columns == window * window * in
                && b.rows == 1
                && b.columns == out);
        Node y = leaf(x.rows, cells * out, new double[x.rows * cells * out]);
        int[] winner = new int[y.values.length];
        Arrays.fill(y.values, Double.NEGATIVE_INFINITY);
        for (int i = 0; i < y.values.length; i++) {
            for (int quadrant = 0; quadrant < 4; quadrant++) {
                double sum = b.values[i % out];
                for (int tap = 0; tap < window * window; tap++) {
                    int at = source(i, quadrant, tap, out, rows, columns, window);
                    for (int c = 0; at >= 0 && c < in; c++) {
                        sum += x.values[at * in + c] * w.values[i % out * w.columns + tap * in + c];
                    }
                }
                if (sum > y.values[i]) {
                    y.values[i] = sum;
                    winner[i] = quadrant;
                }
            }
        }
        y.backward = () -> {
            for (int i = 0; i < y.values.length; i++) {
                b.gradient[i % out] += y.gradient[i];
                for (int tap = 0; tap < window * window; tap++) {
                    int at = source(i, winner[i], tap, out, rows, columns, window);
                    for (int c = 0; at >= 0 && c < in; c++) {
                        x.gradient[at * in + c] += y.gradient[i] * w.values[i % out * w.columns + tap * in + c];
                        w.gradient[i % out * w.columns + tap * in + c] += y.gradient[i] * x.values[at * in + c];
                    }
                }
            }
        };
        return y;
    }

    /**
     * The pixel, counted over the whole batch, that a tap meets for one quadrant of pooled output
     * i; -1 outside of the image.
     */
    private static int source(int i, int quadrant, int tap, int out, int rows, int columns, int window) {
        int cell = i / out, image = cell / (rows / 2 * (columns / 2)), inside = cell % (rows / 2 * (columns / 2));
        int row = inside / (columns / 2) * 2 + quadrant / 2 + tap / window - window / 2,
                column = inside % (columns / 2) * 2 + quadrant % 2 + tap % window - window / 2;
        return row < 0 || row >= rows || column < 0 || column >= columns ? -1 : (image * rows + row) * columns + column;
    }

    /** The mean over the batch of max(0, 1 − y·p), p and y (rows, 1). */
    public Node hinge(Node p, Node y) {
        return mean(map(times(y, p), m -> Math.max(0, 1 - m), m -> m < 1 ? -1 : 0));
    }

    /** Fills the gradients of all nodes with the derivatives of {@code root}, 1×1. */
    public void backward(Node root) {
        root.scalar();
        nodes.forEach(node -> Arrays.fill(node.gradient, 0));
        root.gradient[0] = 1;
        nodes.reversed().forEach(node -> node.backward.run());
    }

    private static void require(boolean condition) {
        if (!condition) {
            throw new IllegalArgumentException("Shapes do not fit");
        }
    }
}
