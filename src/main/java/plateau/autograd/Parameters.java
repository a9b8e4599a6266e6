package plateau.autograd;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;

/**
 * All that a network learns, in one contiguous arena on the device: the values, their gradients,
 * and the arrays that the optimiser keeps, each of the same layout. One launch updates everything,
 * and one copy saves it.
 */
public final class Parameters {
    /**
     * Every parameter starts on a 128-byte boundary, one cache line of a GPU. The gaps are zero and
     * stay zero under every optimiser.
     */
    private static final int ALIGNMENT = 128 / Float.BYTES;

    private final List<Parameter> declared;
    private final int elements;
    private final int arrays;
    private final DeviceBuffer arena;
    private final DeviceBuffer learningRate;
    private final List<Tensor> tensors;
    private final Map<Tensor, DeviceBuffer> gradients = new IdentityHashMap<>();

    private Parameters(Declaration declaration, Workspace workspace, Optimizer optimizer) {
        this.declared = List.copyOf(declaration.declared);
        this.elements = declaration.end;
        this.arrays = 2 + optimizer.stateArrays();
        this.arena = workspace.words((long) arrays * elements + optimizer.restWords());
        this.learningRate = workspace.floats(optimizer.learningRate());
        this.tensors = declared.stream()
                .map(p -> Tensor.of(p.name(), p.shape(), part(values(), p)))
                .toList();
        for (Parameter parameter : declared) {
            gradients.put(tensor(parameter), part(gradients(), parameter));
        }
    }

    /**
     * What a network learns, while it is being put together. Layers declare their parameters here.
     */
    public static final class Declaration {
        private final List<Parameter> declared = new ArrayList<>();
        private int end;
        private boolean allocated;

        /**
         * Declares one parameter.
         *
         * @param name unique, without a slash, which the names of saved arrays have a use for
         * @throws IllegalArgumentException if the name is taken, or has a slash
         * @throws IllegalStateException if the parameters are allocated already
         */
        public Parameter declare(String name, Shape shape, Initial initial) {
            if (allocated) {
                throw new IllegalStateException(
                        "Parameter %s is declared after the others were allocated".formatted(name));
            }
            if (name.contains("/")) {
                throw new IllegalArgumentException("The name of a parameter has no slash: " + name);
            }
            if (declared.stream().anyMatch(parameter -> parameter.name().equals(name))) {
                throw new IllegalArgumentException("Two parameters are named " + name);
            }
            Parameter parameter = new Parameter(name, shape, end, declared.size(), initial);
            declared.add(parameter);
            end = Math.addExact(end, Math.ceilDiv(shape.elements(), ALIGNMENT) * ALIGNMENT);
            return parameter;
        }

        /**
         * Allocates the arena, with what {@code optimizer} keeps. Its content is undefined before
         * {@link Parameters#initialise}.
         *
         * @throws IllegalStateException if there are no parameters
         */
        public Parameters allocate(Workspace workspace, Optimizer optimizer) {
            if (declared.isEmpty()) {
                throw new IllegalStateException("No parameter is declared: there is nothing to learn");
            }
            allocated = true;
            return new Parameters(this, workspace, optimizer);
        }
    }

    /** The parameters in the order of their declaration. */
    public List<Parameter> declared() {
        return declared;
    }

    /** Elements of each of the arena's arrays, gaps included. */
    public int elements() {
        return elements;
    }

    /** The whole arena: values, gradients, the optimiser's arrays, and what else it keeps. */
    public DeviceBuffer arena() {
        return arena;
    }

    /** All values, as one array. */
    public DeviceBuffer values() {
        return array(0);
    }

    /** All gradients, as one array. A parameter that no loss depends on keeps gradient 0. */
    public DeviceBuffer gradients() {
        return array(1);
    }

    /** The optimiser's array {@code i}, counted from 0. */
    public DeviceBuffer state(int i) {
        return array(2 + i);
    }

    /** The learning rate, one float on the device, so that a captured graph survives a change. */
    public DeviceBuffer learningRate() {
        return learningRate;
    }

    /** What lies behind the arena's arrays. */
    DeviceBuffer rest() {
        long bytes = (long) arrays * elements * Float.BYTES;
        return arena.slice(bytes, arena.bytes() - bytes);
    }

    /**
     * The values of one parameter.
     *
     * @param parameter of this declaration, or of another one of the same network
     * @throws IllegalArgumentException if it is none of these
     */
    public Tensor tensor(Parameter parameter) {
        if (parameter.index() >= declared.size()
                || !declared.get(parameter.index()).isPlacedAs(parameter)) {
            String names =
                    String.join(", ", declared.stream().map(Parameter::name).toList());
            throw new IllegalArgumentException(
                    "%s (%s) is none of these parameters: %s".formatted(parameter.name(), parameter.shape(), names));
        }
        return tensors.get(parameter.index());
    }

    /** The values of every parameter, in the order of declaration. */
    public List<Tensor> tensors() {
        return tensors;
    }

    /**
     * Everything in the arena by name: the values of each parameter under its own, then
     * {@code gradient/NAME}, {@code optimizer.0/NAME} and so on, and what lies behind the arrays as
     * {@code optimizer/rest}. The gaps between parameters are always 0 and left out.
     */
    public SequencedMap<String, Tensor> parts() {
        SequencedMap<String, Tensor> parts = new LinkedHashMap<>();
        for (int i = 0; i < arrays; i++) {
            String prefix = i == 0 ? "" : i == 1 ? "gradient/" : "optimizer.%d/".formatted(i - 2);
            for (Parameter p : declared) {
                parts.put(prefix + p.name(), Tensor.of(prefix + p.name(), p.shape(), part(array(i), p)));
            }
        }
        DeviceBuffer rest = rest();
        if (rest.bytes() > 0) {
            parts.put(
                    "optimizer/rest", Tensor.of("optimizer/rest", Shape.of((int) (rest.bytes() / Float.BYTES)), rest));
        }
        return parts;
    }

    /** Where the gradient of a tensor lies, if it is one of these parameters. */
    Optional<DeviceBuffer> gradient(Tensor tensor) {
        return Optional.ofNullable(gradients.get(tensor));
    }

    /**
     * Work that puts the whole arena into the state before the first step: initial values drawn on
     * the device, everything else 0.
     *
     * @param firstStream parameter {@code i} draws from random stream {@code firstStream + i}
     */
    public Work initialise(Kernels kernels, DeviceBuffer seed, int firstStream) {
        List<Work> works = new ArrayList<>();
        works.add(arena.fill(0));
        for (Parameter p : declared) {
            works.add(p.initial()
                    .fill(
                            kernels,
                            p.shape().elements(),
                            seed,
                            firstStream + p.index(),
                            tensor(p).values()));
        }
        return Work.sequence("initialise", works);
    }

    private DeviceBuffer array(int i) {
        return arena.slice((long) i * elements * Float.BYTES, (long) elements * Float.BYTES);
    }

    private static DeviceBuffer part(DeviceBuffer array, Parameter p) {
        return array.slice((long) p.offset() * Float.BYTES, (long) p.shape().elements() * Float.BYTES);
    }
}
