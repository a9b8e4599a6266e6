package plateau.experiment;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import plateau.autograd.DenseOptimizer;
import plateau.autograd.HingeLoss;
import plateau.autograd.Kernels;
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
 * Parity of a random subset of the input's bits, by a network of one hidden layer (section 2.1,
 * figure 1): gradients carry next to no information on the subset, so that training fails as d
 * grows.
 */
public final class Parity implements Experiment {
    static final Choices<Options> CHOICES = Choices.of(Options.class);

    private static final int TEST_BATCH = 500;
    private static final int HIDDEN_PER_BIT = 10;

    private final Options options;
    private final long seed;

    /**
     * What can be chosen; null stands for the default, the paper's.
     *
     * @param d number of input bits; has no default
     * @param subsetSize how many of them the label depends on; empty: each with probability ½
     * @param batch samples of a training step
     * @param learningRate of plain gradient descent
     */
    public record Options(
            @Option(
                    symbol = "D",
                    text = "input bits",
                    each = {"5", "10", "15", "20", "25", "30"})
            Integer d,

            @Option(symbol = "K", text = "bits that the label depends on, in place of each with probability 1/2")
            OptionalInt subsetSize,

            @Option(text = "samples in a step") Integer batch,

            @Option(name = "lr", symbol = "RATE", text = "learning rate")
            Float learningRate) {

        /** The paper's constants for this number of bits. */
        public static Options of(int d) {
            return new Options(d, null, null, null);
        }

        /**
         * @throws IllegalArgumentException with one line on the first option that is missing or out
         *     of range
         */
        public Options {
            subsetSize = subsetSize == null ? OptionalInt.empty() : subsetSize;
            batch = batch == null ? 128 : batch;
            learningRate = learningRate == null ? 0.01f : learningRate;
            Checks.requireChosen("d", d);
            Checks.require(d >= 1 && d <= 1000, "d must be between 1 and 1000, not " + d);
            Checks.require(
                    subsetSize.isEmpty() || subsetSize.getAsInt() >= 0 && subsetSize.getAsInt() <= d,
                    "subset-size must be between 0 and d = " + d + ", not " + subsetSize.orElse(0));
            Checks.requireBatch(batch, 1 << 20);
            long hidden = (long) batch * HIDDEN_PER_BIT * d;
            Checks.require(
                    hidden <= Integer.MAX_VALUE,
                    "batch %d times the %d hidden units of d = %d must be at most %d, not %d"
                            .formatted(batch, HIDDEN_PER_BIT * d, d, Integer.MAX_VALUE, hidden));
            Checks.requireLearningRate(learningRate);
        }

        /** These options with |S| fixed. */
        public Options withSubsetSize(int size) {
            return new Options(d, OptionalInt.of(size), batch, learningRate);
        }
    }

    /**
     * The experiment with these options.
     *
     * @param seed decides the subset, the first weights and all data
     */
    public Parity(Options options, long seed) {
        this.options = options;
        this.seed = seed;
    }

    @Override
    public String name() {
        return ParityKind.NAME;
    }

    @Override
    public Map<String, Object> options() {
        return CHOICES.values(options);
    }

    @Override
    public long seed() {
        return seed;
    }

    @Override
    public List<String> metrics() {
        return List.of("loss", "accuracy");
    }

    @Override
    public Plan plan(RunContext run) {
        int d = options.d;
        DeviceBuffer step = run.step();

        // Data: x uniform in {-1, +1}^d, y the product of the bits in the subset.
        ParityData data = run.kernels().parityData();
        DeviceBuffer subset = run.workspace().words(ParityData.subsetWords(d));
        Work drawSubset = drawSubset(data, run.seed(), subset);

        // Model: N(10 d) with ReLU, N(1) linear. Optimiser: plain gradient descent.
        DenseOptimizer optimizer = new Sgd(options.learningRate);
        Parameters.Declaration declaration = new Parameters.Declaration();
        Mlp network = Mlp.declare(declaration, "parity", d, HIDDEN_PER_BIT * d, 1);
        Parameters parameters = declaration.allocate(run.workspace(), optimizer);

        // Training: a fresh batch, the hinge loss, one update.
        Batch train = Batch.record(run.tape(parameters), network, options.batch, d);
        Ring training = run.trainingRing(metrics());
        Work trainingStep = Work.sequence(
                "step",
                List.of(
                        train.draw(data, run.seed(), RandomStreams.TRAINING, step, subset),
                        train.tape.training(train.loss),
                        run.update(optimizer, parameters),
                        train.measure(step, training)));

        // Evaluation: the same network on a fresh batch of another random stream.
        Batch fresh = Batch.record(run.tape(parameters), network, TEST_BATCH, d);
        Ring test = run.testRing(metrics());
        Work evaluation = Work.sequence(
                "evaluation",
                List.of(
                        fresh.draw(data, run.seed(), RandomStreams.EVALUATION, step, subset),
                        fresh.tape.forward(fresh.loss),
                        fresh.measure(step, test)));

        Work initialise = Work.sequence(
                "initialise",
                List.of(drawSubset, parameters.initialise(run.kernels(), run.seed(), RandomStreams.INITIAL)));
        return new Plan(parameters, initialise, trainingStep, training, evaluation, test);
    }

    /** The subset of the bits that the run has to learn. */
    @Override
    public Map<String, Object> facts(Kernels kernels) {
        return Map.of("subset", subset(kernels));
    }

    /**
     * The coordinates that the label depends on, from 0, drawn on the device as a run draws them.
     */
    public List<Integer> subset(Kernels kernels) {
        try (Workspace workspace = new Workspace(kernels.device());
                Stream stream = kernels.device().createStream()) {
            DeviceBuffer words = workspace.words(ParityData.subsetWords(options.d));
            drawSubset(kernels.parityData(), workspace.longs(seed), words).enqueue(stream);
            stream.synchronize();
            int[] bits = words.toInts();
            return IntStream.range(0, options.d)
                    .filter(i -> (bits[i / Integer.SIZE] >>> i % Integer.SIZE & 1) == 1)
                    .boxed()
                    .toList();
        }
    }

    private Work drawSubset(ParityData data, DeviceBuffer seed, DeviceBuffer subset) {
        return data.subset(options.d, options.subsetSize.orElse(-1), seed, RandomStreams.TASK, subset);
    }

    /** The network on one batch: bits (n, d), labels (n, 1), scores (n, 1), losses (n, 1). */
    private record Batch(Tape tape, Tensor x, Tensor y, Tensor p, Tensor loss) {

        static Batch record(Tape tape, Mlp network, int n, int d) {
            Tensor x = tape.tensor("bits", Shape.of(n, d));
            Tensor y = tape.tensor("labels", Shape.of(n, 1));
            Tensor p = network.apply(tape, x);
            return new Batch(tape, x, y, p, HingeLoss.of(tape, p, y));
        }

        Work draw(ParityData data, DeviceBuffer seed, int stream, DeviceBuffer step, DeviceBuffer subset) {
            return data.batch(x.rows(), x.columns(), seed, stream, step, subset, x.values(), y.values());
        }

        Work measure(DeviceBuffer step, Ring ring) {
            return tape.kernels()
                    .metrics()
                    .lossAndAccuracy(x.rows(), loss.values(), p.values(), y.values(), step, ring.rows(), ring.slots());
        }
    }
}
