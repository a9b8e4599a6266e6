package plateau.experiment;

import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import plateau.autograd.HingeLoss;
import plateau.autograd.Kernels;
import plateau.autograd.Optimizer;
import plateau.autograd.Parameters;
import plateau.autograd.Sgd;
import plateau.autograd.Shape;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.ParityData;
import plateau.nn.Mlp;

/**
 * Parity of a random subset of the input's bits, by a network of one hidden layer (section 2.1, figure 1): gradients carry next to no information on
 * the subset, so that training fails as d grows.
 */
public final class Parity implements Experiment {

    /** The paper's number of steps. */
    public static final int DEFAULT_STEPS = 50_000;

    private static final int TEST_BATCH = 500;

    private final Options options;

    /**
     * What can be chosen.
     *
     * @param d number of input bits
     * @param subsetSize how many of them the label depends on; empty: each with probability ½
     * @param batch samples of a training step
     * @param learningRate of plain gradient descent
     * @param seed decides the subset, the first weights and all data
     */
    public record Options(int d, OptionalInt subsetSize, int batch, float learningRate, long seed) {

        /** The paper's constants for this number of bits. */
        public static Options of(int d) {
            return new Options(d, OptionalInt.empty(), 128, 0.01f, 1);
        }

        /** @throws IllegalArgumentException with one line on the first option that is out of range */
        public Options {
            Checks.require(d >= 1 && d <= 1000, "d must be between 1 and 1000, not " + d);
            Checks.require(
                    subsetSize.isEmpty() || subsetSize.getAsInt() >= 0 && subsetSize.getAsInt() <= d,
                    "subset-size must be between 0 and d = " + d + ", not " + subsetSize.orElse(0));
            Checks.requireBatch(batch, 1 << 20);
            Checks.requireLearningRate(learningRate);
        }

        /** These options with |S| fixed. */
        public Options withSubsetSize(int size) {
            return new Options(d, OptionalInt.of(size), batch, learningRate, seed);
        }

        /** These options with another seed. */
        public Options withSeed(long other) {
            return new Options(d, subsetSize, batch, learningRate, other);
        }
    }

    /** The experiment with these options. */
    public Parity(Options options) {
        this.options = options;
    }

    @Override
    public String name() {
        return "parity";
    }

    @Override
    public Options options() {
        return options;
    }

    @Override
    public long seed() {
        return options.seed;
    }

    @Override
    public List<String> metrics() {
        return List.of("loss", "accuracy");
    }

    @Override
    public Plan plan(Kernels kernels, Workspace workspace, DeviceBuffer step, int unread) {
        int d = options.d;

        // Data: x uniform in {-1, +1}^d, y the product of the bits in the subset.
        ParityData data = new ParityData(kernels.device());
        DeviceBuffer subset = workspace.words(ParityData.subsetWords(d));
        Work drawSubset = drawSubset(data, subset);

        // Model: N(10 d) with ReLU, N(1) linear. Optimiser: plain gradient descent.
        Optimizer optimizer = new Sgd(options.learningRate);
        Parameters.Declaration declaration = new Parameters.Declaration();
        Mlp network = Mlp.declare(declaration, "parity", d, 10 * d, 1);
        Parameters parameters = declaration.allocate(workspace, optimizer);

        // Training: a fresh batch, the hinge loss, one update.
        Batch train = Batch.record(new Tape(kernels, workspace, parameters), network, options.batch, d);
        Ring training = Ring.allocate(workspace, unread, metrics());
        Work trainingStep =
                Work.sequence(
                        "step",
                        List.of(
                                train.draw(data, options.seed, RandomStreams.TRAINING, step, subset),
                                train.tape.training(train.loss),
                                optimizer.update(kernels, workspace, parameters, workspace.floats(optimizer.learningRate()), step),
                                train.measure(kernels, step, training)));

        // Evaluation: the same network on a fresh batch of another random stream.
        Batch fresh = Batch.record(new Tape(kernels, workspace, parameters), network, TEST_BATCH, d);
        Ring test = Ring.allocate(workspace, 1, metrics());
        Work evaluation =
                Work.sequence(
                        "evaluation",
                        List.of(
                                fresh.draw(data, options.seed, RandomStreams.EVALUATION, step, subset),
                                fresh.tape.forward(fresh.loss),
                                fresh.measure(kernels, step, test)));

        Work initialise = Work.sequence("initialise", List.of(drawSubset, parameters.initialise(kernels, options.seed, RandomStreams.INITIAL)));
        return new Plan(parameters, initialise, trainingStep, training, evaluation, test);
    }

    /** The coordinates that the label depends on, from 0, drawn on the device as a run draws them. */
    public List<Integer> subset(Kernels kernels) {
        try (Workspace workspace = new Workspace(kernels.device());
                Stream stream = kernels.device().createStream()) {
            DeviceBuffer words = workspace.words(ParityData.subsetWords(options.d));
            drawSubset(new ParityData(kernels.device()), words).enqueue(stream);
            stream.synchronize();
            int[] bits = words.toInts();
            return IntStream.range(0, options.d).filter(i -> (bits[i / Integer.SIZE] >>> i % Integer.SIZE & 1) == 1).boxed().toList();
        }
    }

    private Work drawSubset(ParityData data, DeviceBuffer subset) {
        return data.subset(options.d, options.subsetSize.orElse(-1), options.seed, RandomStreams.TASK, subset);
    }

    /** The network on one batch: bits (n, d), labels (n, 1), scores (n, 1), losses (n, 1). */
    private record Batch(Tape tape, Tensor x, Tensor y, Tensor p, Tensor loss) {

        static Batch record(Tape tape, Mlp network, int n, int d) {
            Tensor x = tape.tensor("bits", Shape.of(n, d));
            Tensor y = tape.tensor("labels", Shape.of(n, 1));
            Tensor p = network.apply(tape, x);
            return new Batch(tape, x, y, p, HingeLoss.of(tape, p, y));
        }

        Work draw(ParityData data, long seed, int stream, DeviceBuffer step, DeviceBuffer subset) {
            return data.batch(x.rows(), x.columns(), seed, stream, step, subset, x.values(), y.values());
        }

        Work measure(Kernels kernels, DeviceBuffer step, Ring ring) {
            return kernels.metrics().lossAndAccuracy(x.rows(), loss.values(), p.values(), y.values(), step, ring.rows(), ring.slots());
        }
    }
}
