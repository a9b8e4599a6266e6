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
 * Investing in k stocks by a softmax, learnt from two unbiased estimators of the same gradient
 * (appendix A, figure 8). The end-to-end one sees how all stocks moved, z; the decomposed one is
 * told which stock y(x) the input x speaks of, and has about k times less noise at the start.
 */
public final class Stocks implements Experiment {
    static final Choices<Options> CHOICES = Choices.of(Options.class);

    /** The fact that holds the metrics before the first step, by name. */
    static final String START = "start";

    private static final int TEST_BATCH = 500;

    /** Most weights: a gigabyte of them. */
    private static final long MOST_WEIGHTS = 1L << 28;

    private final Options options;
    private final long seed;

    /**
     * What can be chosen; null stands for the default, the paper's.
     *
     * @param d inputs, one-hot vectors
     * @param k stocks; has no default
     * @param mode whose gradient is followed: that of −z · softmax, or of −softmax_y, the
     *     decomposition; has no default
     * @param batch samples of a training step
     * @param learningRate of Adam
     */
    public record Options(
            @Option(symbol = "D", text = "inputs") Integer d,

            @Option(
                    symbol = "K",
                    text = "stocks",
                    each = {"10", "1000", "2000"})
            Integer k,

            @Option(
                    symbol = "MODE",
                    text = "e2e (from gains) or dec (from the right stock)",
                    each = {"e2e", "dec"})
            Approach mode,

            @Option(text = "samples in a step") Integer batch,

            @Option(name = "lr", symbol = "RATE", text = "Adam's learning rate")
            Float learningRate) {

        /** The paper's constants for this k. */
        public static Options of(int k, Approach mode) {
            return new Options(null, k, mode, null, null);
        }

        /**
         * @throws IllegalArgumentException with one line on the first option that is missing or out
         *     of range
         */
        public Options {
            d = d == null ? 1000 : d;
            batch = batch == null ? 100 : batch;
            learningRate = learningRate == null ? 0.1f : learningRate;
            Checks.requireChosen("k", k);
            Checks.requireChosen("mode", mode);
            long weights = (long) d * k;
            long scores = (long) batch * k;
            Checks.require(d >= 1 && d <= 1 << 20, "d must be between 1 and 1048576, not " + d);
            Checks.require(k >= 2 && k <= 1 << 20, "k must be between 2 and 1048576, not " + k);
            Checks.require(
                    weights <= MOST_WEIGHTS, "d times k must be at most %d, not %d".formatted(MOST_WEIGHTS, weights));
            Checks.requireBatch(batch, 1 << 14);
            Checks.require(
                    scores <= MOST_WEIGHTS, "batch times k must be at most %d, not %d".formatted(MOST_WEIGHTS, scores));
            Checks.requireLearningRate(learningRate);
        }

        /** These options with another number of inputs. */
        public Options withInputs(int other) {
            return new Options(other, k, mode, batch, learningRate);
        }
    }

    /**
     * The experiment with these options.
     *
     * @param seed decides the labels, the first weights and all data
     */
    public Stocks(Options options, long seed) {
        this.options = options;
        this.seed = seed;
    }

    @Override
    public String name() {
        return StocksKind.NAME;
    }

    @Override
    public Map<String, Object> options() {
        return CHOICES.values(options);
    }

    @Override
    public long seed() {
        return seed;
    }

    /**
     * The end-to-end loss of fresh samples, in either mode; its expectation, exact over all inputs
     * and all z; how often the largest share goes to the right stock. Then the noise E‖∇ − E∇‖² of
     * both estimators at the present weights, for one sample and exact likewise, and their ratio;
     * and E‖∇‖², the paper's (5) and (6).
     */
    @Override
    public List<String> metrics() {
        return List.of(
                "loss", "exact_loss", "accuracy", "noise_e2e", "noise_dec", "noise_ratio", "moment_e2e", "moment_dec");
    }

    @Override
    public Plan plan(RunContext run) {
        int d = options.d;
        int k = options.k;
        Workspace workspace = run.workspace();
        DeviceBuffer step = run.step();
        StocksData data = run.kernels().stocksData();
        StocksLoss launcher = run.kernels().stocksLoss();

        // Data: x one-hot, uniform; y(x) from a table; z uniform signs but for z_y = 1.
        DeviceBuffer label = workspace.words(d);
        Source source = new Source(data, options, run.seed(), label, step);

        // Model: one linear layer. A one-hot row times its weights is a row of them. Optimiser:
        // Adam.
        Parameters.Declaration declaration = new Parameters.Declaration();
        Parameter weights = declaration.declare("stocks.weights", Shape.of(d, k), Initials.truncatedNormal(d));
        Parameter bias = declaration.declare("stocks.bias", Shape.of(k), Initials.zeros());
        RowAdam optimizer = new RowAdam(Adam.of(options.learningRate), weights);
        Parameters parameters = declaration.allocate(workspace, optimizer);
        RowAdam.Table table = optimizer.table(run.kernels(), workspace, parameters, step);
        Tensor b = parameters.tensor(bias);

        // Training: a fresh batch, the mode's loss, one update.
        Batch train = Batch.record(run, parameters, table, b, options.batch, options.mode);
        Backward gradients = train.tape.backward(List.of(train.loss), List.of(train.rows.values(), b));
        Ring training = run.trainingRing(List.of("loss"));
        Work trainingStep = Work.sequence(
                "step",
                List.of(
                        source.draw(train, RandomStreams.TRAINING),
                        table.read(train.rows),
                        gradients.work(),
                        table.update(train.rows, gradients.of(train.rows.values())),
                        run.kernels()
                                .metrics()
                                .lossAndDistance(
                                        options.batch,
                                        train.loss.values(),
                                        0,
                                        null,
                                        null,
                                        step,
                                        training.rows(),
                                        training.slots())));

        // Evaluation: the end-to-end loss of a fresh batch of another random stream; the exact one,
        // which is the decomposed loss of every input once, and its gradient.
        Batch fresh = Batch.record(run, parameters, table, b, TEST_BATCH, Approach.E2E);
        RowAdam.Rows all = table.rows("all rows", d);
        all.x().upload(IntStream.range(0, d).toArray());
        Tape tape = run.tape(parameters);
        Tensor exact = SoftmaxDot.of(tape, all.values(), b, label, null);
        Backward mean = tape.backward(List.of(exact), List.of(all.values(), b));
        DeviceBuffer right = workspace.words(d);
        DeviceBuffer endToEnd = workspace.words(d);
        DeviceBuffer decomposed = workspace.words(d);
        Ring test = run.testRing(metrics());
        Work evaluation = Work.sequence(
                "evaluation",
                List.of(
                        source.draw(fresh, RandomStreams.EVALUATION),
                        table.read(fresh.rows),
                        fresh.tape.forward(fresh.loss),
                        table.read(all),
                        mean.work(),
                        launcher.gradientMoments(
                                d, k, all.values().values(), b.values(), label, right, endToEnd, decomposed),
                        launcher.metrics(
                                TEST_BATCH,
                                d,
                                k,
                                fresh.loss.values(),
                                exact.values(),
                                right,
                                endToEnd,
                                decomposed,
                                mean.of(b),
                                step,
                                test.rows(),
                                test.slots())));

        Work labels = data.labels(d, k, run.seed(), RandomStreams.TASK, label);
        Work firstWeights = parameters.initialise(run.kernels(), run.seed(), RandomStreams.INITIAL);
        Work initialise = Work.sequence("initialise", List.of(labels, firstWeights));
        return new Plan(parameters, initialise, trainingStep, training, evaluation, test)
                .withLearnt(Map.of(weights.name(), all.values()));
    }

    /**
     * The metrics before the first step, by name: where the paper's estimate of the noise holds.
     */
    public Map<String, Double> start(Kernels kernels) {
        try (Workspace workspace = new Workspace(kernels.device());
                Stream stream = kernels.device().createStream()) {
            Plan plan = plan(new RunContext(kernels, workspace, seed, workspace.ints(0), 1));
            plan.initialise().enqueue(stream);
            plan.evaluation().enqueue(stream);
            stream.synchronize();
            double[] values = plan.test().read(0, 1)[0];
            Map<String, Double> start = new LinkedHashMap<>();
            IntStream.range(0, values.length).forEach(i -> start.put(metrics().get(i), values[i]));
            return start;
        }
    }

    @Override
    public Map<String, Object> facts(Kernels kernels) {
        return Map.of(START, start(kernels));
    }

    /** Where batches come from. */
    private record Source(StocksData data, Options options, DeviceBuffer seed, DeviceBuffer label, DeviceBuffer step) {

        Work draw(Batch batch, int stream) {
            int n = batch.rows.values().rows();
            return data.batch(n, options.d, options.k, seed, stream, step, label, batch.rows.x(), batch.y, batch.signs);
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

        static Batch record(
                RunContext run, Parameters parameters, RowAdam.Table table, Tensor bias, int n, Approach mode) {
            Tape tape = run.tape(parameters);
            RowAdam.Rows rows = table.rows("rows", n);
            DeviceBuffer y = run.workspace().words(n);
            int k = rows.values().columns();
            DeviceBuffer signs = mode == Approach.E2E ? run.workspace().words(StocksData.signWords(n, k)) : null;
            return new Batch(tape, rows, y, signs, SoftmaxDot.of(tape, rows.values(), bias, y, signs));
        }
    }
}
