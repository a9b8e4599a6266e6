package plateau.autograd;

import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * A static record of operations over tensors of fixed shape, from which work is made. Recording
 * runs nothing; it allocates the outputs.
 *
 * <p>A network is a function from tape and input to output, so that the same code makes the
 * training and the evaluation network: two tapes over one set of {@link Parameters}, each with its
 * own batch. Memory for gradients is only taken by {@link #backward}.
 */
public final class Tape {
    private final Kernels kernels;
    private final Workspace workspace;
    private final Parameters parameters;
    private final Map<Tensor, Operation> producers = new IdentityHashMap<>();

    /** An empty tape; tensors are allocated in {@code workspace}. */
    public Tape(Kernels kernels, Workspace workspace, Parameters parameters) {
        this.kernels = kernels;
        this.workspace = workspace;
        this.parameters = parameters;
    }

    /** The launchers for operations. */
    public Kernels kernels() {
        return kernels;
    }

    /** The values of a parameter, which all its users share. */
    public Tensor parameter(Parameter parameter) {
        return parameters.tensor(parameter);
    }

    /** A new tensor: an input, or the output of an operation about to be recorded. */
    public Tensor tensor(String name, Shape shape) {
        return Tensor.of(name, shape, workspace.words(shape.elements()));
    }

    /** As {@link #tensor}, for the output of a fused ReLU. */
    public Tensor rectified(String name, Shape shape) {
        return Tensor.rectified(name, shape, workspace.words(shape.elements()));
    }

    /**
     * Memory that belongs to one operation: what its forward keeps for its backward. Its content is
     * undefined.
     */
    public DeviceBuffer scratch(long bytes) {
        return workspace.words(Math.ceilDiv(bytes, Float.BYTES));
    }

    /**
     * Adds an operation.
     *
     * @throws IllegalArgumentException if one of its outputs already has a producer
     */
    public void record(Operation operation) {
        for (Tensor output : operation.outputs()) {
            if (producers.putIfAbsent(output.base(), operation) != null) {
                throw new IllegalArgumentException(output + " is written by two operations");
            }
        }
    }

    /** Whether training needs this tensor's gradient: it is computed, or a parameter. */
    boolean isDifferentiable(Tensor tensor) {
        return producers.containsKey(tensor.base()) || parameters.tensors().contains(tensor.base());
    }

    /** Computes these tensors and all that they depend on. */
    public Work forward(Tensor... outputs) {
        return Work.sequence(
                "forward",
                order(List.of(outputs)).stream().map(Operation::forward).toList());
    }

    /**
     * The forward and backward halves of a training step: loss values, and the gradients of the
     * tape's parameters. A loss computes its value in its backward, so its forward is left out.
     *
     * @param losses outputs of {@link Loss} operations; what is differentiated is the sum of their
     *     means
     */
    public Work training(Tensor... losses) {
        List<Work> works = new ArrayList<>(order(List.of(losses)).stream()
                .filter(operation -> !(operation instanceof Loss))
                .map(Operation::forward)
                .toList());
        works.add(backward(List.of(losses), parameters.tensors()).work());
        return Work.sequence("training", works);
    }

    /**
     * Plans the gradients of some tensors, parameters or not. The work assumes that the forward of
     * everything below the losses has run, and computes the loss values itself. Operations that no
     * wanted tensor feeds do not run. A wanted parameter's gradient lands in its {@link Parameters}
     * arena.
     *
     * @param losses outputs of {@link Loss} operations; what is differentiated is the sum of their
     *     means
     * @param wanted the tensors to differentiate with respect to; for a rectified tensor see there
     * @throws IllegalArgumentException if a loss is no loss
     */
    public Backward backward(List<Tensor> losses, Collection<Tensor> wanted) {
        for (Tensor loss : losses) {
            if (!(producers.get(loss.base()) instanceof Loss)) {
                throw new IllegalArgumentException(loss + " is not the output of a loss");
            }
        }
        return new Backward(kernels, workspace, parameters, order(losses), wanted);
    }

    /**
     * The operations that these tensors depend on, each after the ones it depends on itself: a
     * depth-first topological sort.
     */
    private List<Operation> order(List<Tensor> outputs) {
        List<Operation> sorted = new ArrayList<>();
        Map<Operation, Boolean> visited = new IdentityHashMap<>();
        outputs.forEach(output -> visit(output, visited, sorted));
        return sorted;
    }

    private void visit(Tensor tensor, Map<Operation, Boolean> visited, List<Operation> sorted) {
        Operation producer = producers.get(tensor.base());
        if (producer != null && visited.put(producer, true) == null) {
            producer.inputs().forEach(input -> visit(input, visited, sorted));
            sorted.add(producer);
        }
    }
}
