package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.SparseRows;

/**
 * Adam over an arena whose first parameter is a table of rows, of which a batch reads few by index.
 * The updates that a row without a gradient misses are made up for, as one, whenever it is read,
 * and its values in the arena are those of the last update in which it had one: read them by
 * {@link Table#read}. Reading changes nothing, so it leaves no trace in the results.
 *
 * <p>Beside Adam's two arrays, of which the second holds the roots of the mean squares for the
 * table, the arena's end keeps per row the update in which it last had a gradient and four sums
 * over those it has missed since: with the step number, all that a later run needs.
 *
 * @param adam the rule
 * @param table (d, k), the first parameter that was declared
 */
public record RowAdam(Adam adam, Parameter table) implements Optimizer {

    /**
     * @throws IllegalArgumentException if the table is not the first parameter, or Adam's constants
     *     do not allow updates to be made up for
     */
    public RowAdam {
        rule(adam);
        if (table.offset() != 0) {
            throw new IllegalArgumentException("The table " + table.name() + " must be declared before all other parameters");
        }
    }

    @Override
    public float learningRate() {
        return adam.learningRate();
    }

    @Override
    public int stateArrays() {
        return 2;
    }

    @Override
    public int restWords() {
        return (1 + SparseRows.MOMENTS) * table.shape().rows();
    }

    /**
     * The table in a run.
     *
     * @param parameters allocated for this rule
     * @param step one uint32 on the device: the number of updates done
     */
    public Table table(Kernels kernels, Workspace workspace, Parameters parameters, DeviceBuffer step) {
        return new Table(this, kernels, workspace, parameters, step);
    }

    /**
     * Rows of the table, as of now.
     *
     * @param x which, (n) int32
     * @param catchUp what they have missed
     * @param values (n, k), once {@link Table#read} has run
     */
    public record Rows(DeviceBuffer x, DeviceBuffer catchUp, Tensor values) {}

    private static SparseRows.Rule rule(Adam adam) {
        return new SparseRows.Rule(adam.beta1(), adam.beta2(), adam.epsilon());
    }

    /** The table in a run: read and updated by rows. */
    public static final class Table {
        private final Kernels kernels;
        private final Workspace workspace;
        private final Parameters parameters;
        private final SparseRows.Rule rule;
        private final SparseRows.Table table;
        private final DeviceBuffer rate;
        private final DeviceBuffer step;

        private Table(RowAdam optimizer, Kernels kernels, Workspace workspace, Parameters parameters, DeviceBuffer step) {
            int d = optimizer.table.shape().rows();
            DeviceBuffer rest = parameters.rest();
            this.kernels = kernels;
            this.workspace = workspace;
            this.parameters = parameters;
            this.rule = rule(optimizer.adam);
            this.table =
                    new SparseRows.Table(
                            d,
                            optimizer.table.shape().columns(),
                            parameters.values(),
                            parameters.state(0),
                            parameters.state(1),
                            rest.slice(0, (long) Integer.BYTES * d),
                            rest.slice((long) Integer.BYTES * d, (long) SparseRows.MOMENTS * Float.BYTES * d));
            this.rate = workspace.words(1);
            this.step = step;
        }

        /** Allocates room for reading n rows at a time. */
        public Rows rows(String name, int n) {
            Tensor values = Tensor.of(name, Shape.of(n, table.k()), workspace.words((long) n * table.k()));
            return new Rows(workspace.words(n), workspace.words((long) SparseRows.CATCH_UP_WORDS * n), values);
        }

        /**
         * Reads the rows that {@code x} names, with what they have missed until the present step.
         */
        public Work read(Rows rows) {
            SparseRows launcher = kernels.sparseRows();
            int n = rows.values.rows();
            return Work.sequence(
                    "read rows",
                    List.of(
                            launcher.catchUp(rule, table, n, rows.x, step, rows.catchUp),
                            launcher.gather(table, n, rows.x, rows.catchUp, rows.values.values())));
        }

        /**
         * One update of everything: the rows just read by their gradient, those that were not by
         * missing it, and the other parameters by theirs, in the arena.
         *
         * @param gradient with respect to the rows' values, (n, k); overwritten where a row was
         *     read twice
         */
        public Work update(Rows rows, DeviceBuffer gradient) {
            SparseRows launcher = kernels.sparseRows();
            int n = rows.values.rows();
            DeviceBuffer links = workspace.words(2L * n);
            List<Work> works = new ArrayList<>();
            works.add(kernels.updates().rate(parameters.learningRate(), step, rule.beta1(), rule.beta2(), rate));
            works.add(launcher.links(n, rows.x, links));
            works.add(launcher.adam(rule, table, n, rate, step, rows.x, links, rows.catchUp, rows.values.values(), gradient));
            if (parameters.declared().size() > 1) {
                works.add(updateOthers());
            }
            return Work.sequence("update", works);
        }

        private Work updateOthers() {
            int others = parameters.elements() - parameters.declared().get(1).offset();
            return kernels.updates()
                    .adam(
                            others,
                            rate,
                            rule.beta1(),
                            rule.beta2(),
                            rule.epsilon(),
                            last(parameters.values(), others),
                            last(parameters.gradients(), others),
                            last(parameters.state(0), others),
                            last(parameters.state(1), others));
        }

        private static DeviceBuffer last(DeviceBuffer array, int elements) {
            long bytes = (long) Float.BYTES * elements;
            return array.slice(array.bytes() - bytes, bytes);
        }
    }
}
