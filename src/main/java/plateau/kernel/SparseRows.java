package plateau.kernel;

import java.util.List;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * A table of d rows of k weights that batches read by index, under Adam: the updates that a row
 * without a gradient misses are made up for when it is next read ({@code kernels/rows.cu}). A row's
 * w, m and s, the root of Adam's v, are kept as of the last update in which it had a gradient.
 */
public final class SparseRows {
    /** Words that {@link #catchUp} writes per sample. */
    public static final int CATCH_UP_WORDS = 6;

    /** Floats per row in which the missed updates are summed up. */
    public static final int MOMENTS = 4;

    private static final int THREADS = 256;

    /** Of what one row has missed, by count in the source, four exponentials among them. */
    private static final int CATCH_UP_OPERATIONS = 130;

    private final KernelModule module;

    /**
     * What the updates keep beside the table.
     *
     * @param w weights, (d, k)
     * @param m means, (d, k)
     * @param s roots of the mean squares, (d, k)
     * @param last updates done when a row last had a gradient, (d) uint32
     * @param missed moments of the updates missed since, (4, d)
     */
    public record Table(
            int d, int k, DeviceBuffer w, DeviceBuffer m, DeviceBuffer s, DeviceBuffer last, DeviceBuffer missed) {
        /** @throws IllegalArgumentException if one of them is too small */
        public Table {
            Buffers.of("SparseRows.Table")
                    .floats("w", w, d, k)
                    .floats("m", m, d, k)
                    .floats("s", s, d, k)
                    .ints("last", last, d)
                    .floats("missed", missed, MOMENTS, d);
        }
    }

    /**
     * The constants of Adam with ε outside the bias correction.
     *
     * @throws IllegalArgumentException if β₂ forgets too fast beside β₁ for missed updates to be
     *     made up for to a float's accuracy
     */
    public record Rule(float beta1, float beta2, float epsilon) {
        /** Relative error of what is made up for, at most: that of a few roundings. */
        private static final double TOLERANCE = 1e-6;

        /** Checks the error of the quadrature, which the kernel file derives. */
        public Rule {
            double gamma = beta1 * Math.pow(beta2, -0.25);
            double lambda = -Math.log(beta2) / 4;
            if (!(gamma < 1
                    && 5.0 / 24 * Math.pow(lambda, 4) * 4 * gamma * gamma / Math.pow(1 - gamma, 4) < TOLERANCE)) {
                throw new IllegalArgumentException(
                        "Adam's beta2 = %s forgets too fast beside beta1 = %s to make up for missed updates at once"
                                .formatted(beta2, beta1));
            }
        }

        float logBeta1() {
            return (float) Math.log(beta1);
        }

        float logBeta2() {
            return (float) Math.log(beta2);
        }

        float logGamma() {
            return (float) (Math.log(beta1) - Math.log(beta2) / 4);
        }
    }

    /** Loads the kernels. */
    public SparseRows(Device device) {
        module = device.module("rows");
    }

    /**
     * links(2, n): for each sample the one before it and the one behind it that read the same row
     * x(n); −1 where there is none.
     */
    public Work links(int n, DeviceBuffer x, DeviceBuffer links) {
        Buffers.of("SparseRows.links").ints("x", x, n).ints("links", links, 2, n);
        return module.replicated("row_links").elementwise(n, n, x, links);
    }

    /**
     * catchUp(n, 6): what the rows x(n) have missed until this step.
     *
     * @param x int32 in [0, d)
     * @param step one uint32: updates done
     */
    public Work catchUp(Rule rule, Table table, int n, DeviceBuffer x, DeviceBuffer step, DeviceBuffer catchUp) {
        Buffers.of("SparseRows.catchUp")
                .ints("x", x, n)
                .ints("step", step, 1)
                .ints("catchUp", catchUp, n, CATCH_UP_WORDS);
        return module.replicated("row_catch_up")
                .elementwise(
                        n,
                        n,
                        table.d,
                        rule.logBeta1(),
                        rule.logBeta2(),
                        rule.epsilon,
                        x,
                        step,
                        table.last,
                        table.missed,
                        catchUp)
                .costing(CATCH_UP_OPERATIONS * (double) n, n * (2.0 + MOMENTS + CATCH_UP_WORDS) * Float.BYTES);
    }

    /** rows(n, k): the rows x(n) of the table as of the step of {@link #catchUp}. */
    public Work gather(Table table, int n, DeviceBuffer x, DeviceBuffer catchUp, DeviceBuffer rows) {
        Buffers.of("SparseRows.gather")
                .ints("x", x, n)
                .ints("catchUp", catchUp, n, CATCH_UP_WORDS)
                .floats("rows", rows, n, table.k);
        return module.replicated("gather_rows")
                .cooperative(Dim.of(n), THREADS, table.k, x, catchUp, table.w, table.m, table.s, rows)
                .costing(8.0 * n * table.k, 4.0 * n * table.k * Float.BYTES);
    }

    /**
     * One update of Adam: the rows x(n) by their gradients, all others by missing it.
     *
     * @param rate one float: this step's learning rate with both bias corrections
     * @param links of x
     * @param catchUp of x at this step
     * @param rows what {@link #gather} gave
     * @param gradient (n, k), a row per sample; overwritten where a row was read twice
     */
    public Work adam(
            Rule rule,
            Table table,
            int n,
            DeviceBuffer rate,
            DeviceBuffer step,
            DeviceBuffer x,
            DeviceBuffer links,
            DeviceBuffer catchUp,
            DeviceBuffer rows,
            DeviceBuffer gradient) {
        Buffers.of("SparseRows.adam")
                .floats("rate", rate, 1)
                .ints("step", step, 1)
                .ints("x", x, n)
                .ints("links", links, 2, n)
                .ints("catchUp", catchUp, n, CATCH_UP_WORDS)
                .floats("rows", rows, n, table.k)
                .floats("gradient", gradient, n, table.k);
        return Work.sequence(
                "adam of rows",
                List.of(
                        module.replicated("miss_update")
                                .elementwise(table.d, table.d, rule.logGamma(), rate, step, table.last, table.missed)
                                .costing(30.0 * table.d),
                        module.replicated("adam_rows")
                                .cooperative(
                                        Dim.of(n),
                                        THREADS,
                                        n,
                                        table.d,
                                        table.k,
                                        rule.beta1,
                                        rule.beta2,
                                        rule.epsilon,
                                        rate,
                                        step,
                                        x,
                                        links,
                                        catchUp,
                                        rows,
                                        gradient,
                                        table.w,
                                        table.m,
                                        table.s,
                                        table.last,
                                        table.missed)
                                .costing(15.0 * n * table.k, 8.0 * n * table.k * Float.BYTES)));
    }
}
