package plateau.experiment;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import plateau.autograd.Adam;
import plateau.autograd.Backward;
import plateau.autograd.Kernels;
import plateau.autograd.Parameter;
import plateau.autograd.Parameters;
import plateau.autograd.RowAdam;
import plateau.autograd.Shape;
import plateau.autograd.SoftmaxDot;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.StocksData;
import plateau.kernel.StocksLoss;
import plateau.nn.Initials;

/**
 * Investing in k stocks by a softmax, learnt from two unbiased estimators of the same gradient (appendix A, figure 8). The end-to-end one sees how all stocks
 * moved, z; the decomposed one is told which stock y(x) the input x speaks of, and has about k times less noise at the start.
 */
public final class Stocks implements Experiment {

    /** Appendix A's training steps. */
    public static final int DEFAULT_STEPS = 2_500;

    private static final int TEST_BATCH = 500;

    /** Most weights: a gigabyte of them. */
    private static final long MOST_WEIGHTS = 1L << 28;

    private final Options options;

    /** Whose gradient is followed. */
    public enum Mode {
        /** Of −z · softmax. */
        E2E,
        /** Of −softmax_y: the decomposition. */
        DEC
    }

    /**
     * What can be chosen.
     *
     * @param d inputs, one-hot vectors
     * @param k stocks
     * @param mode whose gradient is followed
     * @param batch samples of a training step
     * @param learningRate of Adam
     * @param seed decides the labels, the first weights and all data
     */
    public record Options(int d, int k, Mode mode, int batch, float learningRate, long seed) {

        /** The paper's constants for this k. */
        public static Options of(int k, Mode mode) {
            return new Options(1000, k, mode, 100, 0.1f, 1);
        }

        /** @throws IllegalArgumentException with one line on the first option that is out of range */
        public Options {
            Checks.require(d >= 1 && d <= 1 << 20, "d must be between 1 and 1048576, not " + d);
            Checks.require(k >= 2 && k <= 1 << 20, "k must be between 2 and 1048576, not " + k);
            Checks.require((long) d * k <= MOST_WEIGHTS, "d times k must be at most %d, not %d".formatted(MOST_WEIGHTS, (long) d * k));
            Checks.requireBatch(batch, 1 << 14);
            Checks.require((long) batch * k <= MOST_WEIGHTS, "batch times k must be at most %d, not %d".formatted(MOST_WEIGHTS, (long) batch * k));
            Checks.requireLearningRate(learningRate);
        }

        /** These options with another number of inputs. */
        public Options withInputs(int other) {
            return new Options(other, k, mode, batch, learningRate, seed);
        }

        /** These options with another seed. */
        public Options withSeed(long other) {
            return new Options(d, k, mode, batch, learningRate, other);
        }
    }

    /** The experiment with these options. */
    public Stocks(Options options) {
        this.options = options;
    }

    @Override
    public String name() {
        return "stocks";
    }

    @Override
    public Options options() {
        return options;
    }

    @Override
    public long seed() {
        return options.seed;
    }

    /**
     * The end-to-end loss of fresh samples, in either mode; its expectation, exact over all inputs and all z; how often the largest share goes to the right stock.
     * Then the noise E‖∇ − E∇‖² of both estimators at the present weights, for one sample and exact likewise, and their ratio; and E‖∇‖², the paper's (5) and (6).
     */
    @Override
    public List<String> metrics() {
        return List.of("loss", "exact_loss", "accuracy", "noise_e2e", "noise_dec", "noise_ratio", "moment_e2e", "moment_dec");
    }

    @Override
    public Plan plan(Kernels kernels, Workspace workspace, DeviceBuffer step, int unread) {
        int d = options.d;
        int k = options.k;
        StocksData data = new StocksData(kernels.device());
        StocksLoss launcher = new StocksLoss(kernels.device());

        // Data: x one-hot, uniform; y(x) from a table; z uniform signs but for z_y = 1.
        DeviceBuffer label = workspace.words(d);
        Source source = new Source(data, options, label, step);

        // Model: one linear layer. A one-hot row times its weights is a row of them. Optimiser: Adam.
        Parameters.Declaration declaration = new Parameters.Declaration();
        Parameter weights = declaration.declare("stocks.weights", Shape.of(d, k), Initials.truncatedNormal(d));
        Parameter bias = declaration.declare("stocks.bias", Shape.of(k), Initials.zeros());
        RowAdam optimizer = new RowAdam(kernels, workspace, declaration, weights, Adam.of(options.learningRate), step);
        Parameters parameters = optimizer.parameters();
        Tensor b = parameters.tensor(bias);

        // Training: a fresh batch, the mode's loss, one update.
        Batch train = Batch.record(kernels, workspace, optimizer, launcher, b, options.batch, options.mode);
        Backward gradients = train.tape.backward(List.of(train.loss), List.of(train.rows.values(), b));
        Ring training = Ring.allocate(workspace, unread, List.of("loss"));
        Work trainingStep =
                Work.sequence(
                        "step",
                        List.of(
                                source.draw(train, RandomStreams.TRAINING),
                                optimizer.read(train.rows),
                                gradients.work(),
                                optimizer.update(workspace, train.rows, gradients.of(train.rows.values())),
                                kernels.metrics().lossAndDistance(options.batch, train.loss.values(), 0, null, null, step, training.rows(), training.slots())));

        // Evaluation: the end-to-end loss of a fresh batch of another random stream; the exact one, which is the decomposed loss of every input once, and its gradient.
        Batch fresh = Batch.record(kernels, workspace, optimizer, launcher, b, TEST_BATCH, Mode.E2E);
        RowAdam.Rows all = optimizer.rows(workspace, "all rows", d);
        all.x().upload(IntStream.range(0, d).toArray());
        Tape tape = new Tape(kernels, workspace, parameters);
        Tensor exact = SoftmaxDot.of(tape, launcher, all.values(), b, label, null);
        Backward mean = tape.backward(List.of(exact), List.of(all.values(), b));
        DeviceBuffer right = workspace.words(d);
        DeviceBuffer endToEnd = workspace.words(d);
        DeviceBuffer decomposed = workspace.words(d);
        Ring test = Ring.allocate(workspace, 1, metrics());
        Work evaluation =
                Work.sequence(
                        "evaluation",
                        List.of(
                                source.draw(fresh, RandomStreams.EVALUATION),
                                optimizer.read(fresh.rows),
                                fresh.tape.forward(fresh.loss),
                                optimizer.read(all),
                                mean.work(),
                                launcher.gradientMoments(d, k, all.values().values(), b.values(), label, right, endToEnd, decomposed),
                                launcher.metrics(
                                        TEST_BATCH, d, k, fresh.loss.values(), exact.values(), right, endToEnd, decomposed, mean.of(b), step, test.rows(), test.slots())));

        Work initialise =
                Work.sequence(
                        "initialise",
                        List.of(
                                data.labels(d, k, options.seed, RandomStreams.TASK, label),
                                parameters.initialise(kernels, options.seed, RandomStreams.INITIAL)));
        return new Plan(parameters, initialise, trainingStep, training, evaluation, test).withLearnt(Map.of(weights.name(), all.values()));
    }

    /** The metrics before the first step, by name: where the paper's estimate of the noise holds. */
    public Map<String, Double> start(Kernels kernels) {
        try (Workspace workspace = new Workspace(kernels.device());
                Stream stream = kernels.device().createStream()) {
            Plan plan = plan(kernels, workspace, workspace.ints(0), 1);
            plan.initialise().enqueue(stream);
            plan.evaluation().enqueue(stream);
            stream.synchronize();
            double[] values = plan.test().read(0, 1)[0];
            Map<String, Double> start = new LinkedHashMap<>();
            IntStream.range(0, values.length).forEach(i -> start.put(metrics().get(i), values[i]));
            return start;
        }
    }

    /** Where batches come from. */
    private record Source(StocksData data, Options options, DeviceBuffer label, DeviceBuffer step) {

        Work draw(Batch batch, int stream) {
            return data.batch(
                    batch.rows.values().rows(), options.d, options.k, options.seed, stream, step, label, batch.rows.x(), batch.y, batch.signs);
        }
    }

    /**
     * One batch and its loss.
     *
     * @param rows of the weights: inputs and what the layer makes of them without its bias, (n, k)
     * @param y labels, (n) int32
     * @param signs bits of z; null where only the label is looked at
     * @param loss of each sample, (n, 1)
     */
    private record Batch(Tape tape, RowAdam.Rows rows, DeviceBuffer y, DeviceBuffer signs, Tensor loss) {

        static Batch record(Kernels kernels, Workspace workspace, RowAdam optimizer, StocksLoss launcher, Tensor bias, int n, Mode mode) {
            Tape tape = new Tape(kernels, workspace, optimizer.parameters());
            RowAdam.Rows rows = optimizer.rows(workspace, "rows", n);
            DeviceBuffer y = workspace.words(n);
            DeviceBuffer signs = mode == Mode.E2E ? workspace.words(StocksData.signWords(n, rows.values().columns())) : null;
            return new Batch(tape, rows, y, signs, SoftmaxDot.of(tape, launcher, rows.values(), bias, y, signs));
        }
    }
}
