package plateau.autograd;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * The planned backward half of a tape: which operations run, in reverse order, and where every
 * gradient lies. The first consumer of a tensor writes its gradient; each further one writes
 * scratch memory, which is then added: the order of the sum is always that of the works.
 */
public final class Backward {
    private final Kernels kernels;
    private final Workspace workspace;
    private final Parameters parameters;
    /** The wanted tensors and everything computed from them. */
    private final Set<Tensor> differentiated = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<Tensor, DeviceBuffer> gradients = new IdentityHashMap<>();
    private final Work work;

    Backward(Kernels kernels, Workspace workspace, Parameters parameters, List<Operation> order, Collection<Tensor> wanted) {
        this.kernels = kernels;
        this.workspace = workspace;
        this.parameters = parameters;
        wanted.forEach(tensor -> differentiated.add(tensor.base()));
        List<Work> works = new ArrayList<>();
        for (Operation operation : order) {
            if (operation.inputs().stream().anyMatch(this::isDifferentiated)) {
                operation.outputs().forEach(output -> differentiated.add(output.base()));
            }
        }
        for (Operation operation : order.reversed()) {
            if (operation.inputs().stream().anyMatch(this::isDifferentiated)) {
                Contribution contribution = new Contribution();
                works.add(operation.backward(contribution));
                works.addAll(contribution.sums);
            } else if (operation instanceof Loss) {
                works.add(operation.forward());
            }
        }
        this.work = Work.sequence("backward", works);
    }

    /** Computes the losses and all gradients, given the forward of everything below the losses. */
    public Work work() {
        return work;
    }

    /**
     * The gradient of a tensor, in its shape, after the work has run.
     *
     * @throws IllegalArgumentException if it is neither wanted nor on the way, or no loss depends
     *     on it
     */
    public DeviceBuffer of(Tensor tensor) {
        DeviceBuffer gradient = gradients.get(tensor.base());
        if (gradient == null) {
            throw new IllegalArgumentException("No gradient reaches " + tensor);
        }
        return gradient;
    }

    private boolean isDifferentiated(Tensor tensor) {
        return differentiated.contains(tensor.base());
    }

    /** What one operation adds: its view of the plan, and the sums that have to follow it. */
    private final class Contribution implements Operation.Gradients {
        private final List<Work> sums = new ArrayList<>();

        @Override
        public boolean wanted(Tensor input) {
            return isDifferentiated(input);
        }

        @Override
        public DeviceBuffer into(Tensor input) {
            int elements = input.shape().elements();
            DeviceBuffer sum = gradients.get(input.base());
            if (sum == null) {
                DeviceBuffer first = parameters.gradient(input.base()).orElseGet(() -> workspace.words(elements));
                gradients.put(input.base(), first);
                return first;
            }
            DeviceBuffer term = workspace.words(elements);
            sums.add(kernels.accumulate().add(elements, term, sum));
            return term;
        }

        @Override
        public DeviceBuffer of(Tensor output) {
            return Backward.this.of(output);
        }
    }
}
