package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.SparseRows;

/**
 * Adam over an arena whose first parameter is a table of rows, of which a batch reads few by index. The updates that a row without a gradient misses are made
 * up for, as one, whenever it is read, and its values in the arena are those of the last update in which it had one: read them by {@link #read}. Reading changes nothing, so it
 * leaves no trace in the results.
 *
 * <p>Beside Adam's two arrays, of which the second holds the roots of the mean squares for the table, the arena's end keeps per row the update in which it last
 * had a gradient and four sums over those it has missed since: with the step number, all that a later run needs.
 */
public final class RowAdam {
    private static final int STATE_ARRAYS = 2;

    private final Kernels kernels;
    private final SparseRows launcher;
    private final SparseRows.Rule rule;
    private final SparseRows.Table table;
    private final Parameters parameters;
    private final DeviceBuffer learningRate;
    private final DeviceBuffer rate;
    private final DeviceBuffer step;

    /**
     * Allocates the arena and what the updates keep.
     *
     * @param first the table, (d, k), the first parameter that was declared
     * @param step one uint32 on the device: the number of updates done
     * @throws IllegalArgumentException if the table is not the first parameter, or Adam's constants do not allow updates to be made up for
     */
    public RowAdam(Kernels kernels, Workspace workspace, Parameters.Declaration declaration, Parameter first, Adam adam, DeviceBuffer step) {
        if (first.offset() != 0) {
            throw new IllegalArgumentException("The table " + first.name() + " must be declared before all other parameters");
        }
        int d = first.shape().rows();
        int k = first.shape().columns();
        this.kernels = kernels;
        this.launcher = new SparseRows(kernels.device());
        this.rule = new SparseRows.Rule(adam.beta1(), adam.beta2(), adam.epsilon());
        this.parameters = declaration.allocate(workspace, STATE_ARRAYS, (1 + SparseRows.MOMENTS) * d);
        DeviceBuffer rows = parameters.rest();
        this.table =
                new SparseRows.Table(
                        d,
                        k,
                        parameters.values(),
                        parameters.state(0),
                        parameters.state(1),
                        rows.slice(0, (long) Integer.BYTES * d),
                        rows.slice((long) Integer.BYTES * d, (long) SparseRows.MOMENTS * Float.BYTES * d));
        this.learningRate = workspace.floats(adam.learningRate());
        this.rate = workspace.words(1);
        this.step = step;
    }

    /** The arena. */
    public Parameters parameters() {
        return parameters;
    }

    /**
     * Rows of the table, as of now.
     *
     * @param x which, (n) int32
     * @param catchUp what they have missed
     * @param values (n, k), once {@link #read} has run
     */
    public record Rows(DeviceBuffer x, DeviceBuffer catchUp, Tensor values) {}

    /** Allocates room for reading n rows at a time. */
    public Rows rows(Workspace workspace, String name, int n) {
        return new Rows(workspace.words(n), workspace.words((long) SparseRows.CATCH_UP_WORDS * n), Tensor.of(name, Shape.of(n, table.k()), workspace.words((long) n * table.k())));
    }

    /** Reads the rows that {@code x} names, with what they have missed until the present step. */
    public Work read(Rows rows) {
        int n = rows.values.rows();
        return Work.sequence(
                "read rows", List.of(launcher.catchUp(rule, table, n, rows.x, step, rows.catchUp), launcher.gather(table, n, rows.x, rows.catchUp, rows.values.values())));
    }

    /**
     * One update of everything: the rows just read by their gradient, those that were not by missing it, and the other parameters by theirs, in the arena.
     *
     * @param gradient with respect to the rows' values, (n, k); overwritten where a row was read twice
     */
    public Work update(Workspace workspace, Rows rows, DeviceBuffer gradient) {
        int n = rows.values.rows();
        DeviceBuffer links = workspace.words(2L * n);
        List<Work> works = new ArrayList<>();
        works.add(kernels.updates().rate(learningRate, step, rule.beta1(), rule.beta2(), rate));
        works.add(launcher.links(n, rows.x, links));
        works.add(launcher.adam(rule, table, n, rate, step, rows.x, links, rows.catchUp, rows.values.values(), gradient));
        if (parameters.declared().size() > 1) {
            int others = parameters.elements() - parameters.declared().get(1).offset();
            DeviceBuffer w = last(parameters.values(), others);
            DeviceBuffer g = last(parameters.gradients(), others);
            works.add(kernels.updates().adam(others, rate, rule.beta1(), rule.beta2(), rule.epsilon(), w, g, last(parameters.state(0), others), last(parameters.state(1), others)));
        }
        return Work.sequence("update", works);
    }

    private static DeviceBuffer last(DeviceBuffer array, int elements) {
        long bytes = (long) Float.BYTES * elements;
        return array.slice(array.bytes() - bytes, bytes);
    }
}
