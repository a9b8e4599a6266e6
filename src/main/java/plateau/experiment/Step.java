package plateau.experiment;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import plateau.autograd.Adam;
import plateau.autograd.DenseOptimizer;
import plateau.autograd.ForwardOnlyStep;
import plateau.autograd.Parameters;
import plateau.autograd.Shape;
import plateau.autograd.SmoothStep;
import plateau.autograd.SoftmaxCrossEntropy;
import plateau.autograd.SquaredError;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.StepData;
import plateau.kernel.StepFunction;
import plateau.nn.Mlp;

/**
 * A linear function seen through a step function, y = u(w*·x + b*), learnt in four ways (section 5,
 * figure 6): u has no gradient to follow, and handing the message through u as it is beats every
 * way around it.
 *
 * <p>Curves, one float per test sample: {@code score} w*·x + b*, {@code label} u of it,
 * {@code hypothesis} what was learnt, and with {@link Variant#APPROXIMATION} {@code smooth}, the
 * smooth stand-in of u at the score.
 */
public final class Step implements Experiment {
    static final Choices<Options> CHOICES = Choices.of(Options.class);

    private static final int DIMENSION = 100;
    private static final float INPUT_SCALE = 0.01f;
    private static final int HIDDEN = 100;
    private static final int TEST_BATCH = 2560;

    /** c of the paper's smooth step, which gives no value: that of the program at a rise of one. */
    private static final float PAPER_STEEPNESS = 50;

    /**
     * z − b*: every fifth integer from −100 to 95, and a finer part around 0, ascending and without
     * repeats.
     */
    private static final double[] LEVELS = DoubleStream.concat(
                    IntStream.range(-20, 20).mapToDouble(i -> 5 * i),
                    DoubleStream.of(-5, -4, -3, -2, -1, -0.2, 0, 0.1, 0.15, 0.175, 1, 2, 3, 4, 5))
            .sorted()
            .distinct()
            .toArray();

    private final Options options;
    private final long seed;

    /** The ways to learn it. */
    public enum Variant {
        /** Section 5.2: ũ(v·x + b), a sum of sigmoids in place of u. */
        APPROXIMATION("Non-flat approximation", "loss", 1e-2f),
        /** Section 5.3: a deep network on y itself. */
        E2E("End-to-end network", "loss", 1e-3f),
        /** Section 5.4: a deep network on the index of y's level. */
        MULTICLASS("Multi-class network", "squared_error", 1e-3f),
        /** Section 5.5: u(v·x + b), whose backward message passes u unchanged. */
        FORWARD_ONLY("Forward-only", "squared_error", 1e-3f);

        private final String title;
        private final String error;
        private final float defaultLearningRate;

        Variant(String title, String error, float defaultLearningRate) {
            this.title = title;
            this.error = error;
            this.defaultLearningRate = defaultLearningRate;
        }

        /** For a legend. */
        public String title() {
            return title;
        }

        /**
         * The metric that is the squared error of its own output: {@code squared_error} rounds that
         * down to a level.
         */
        public String error() {
            return error;
        }
    }

    /** Where the sigmoids of the smooth step lie; Δ is a level's distance to the one below. */
    public enum Smoothing {
        /** Centred on the level, all equally steep. */
        PAPER,
        /** Centred Δ/20 below the level, of steepness 50/Δ. */
        PROGRAM
    }

    /**
     * What can be chosen; null stands for the default, the paper's for this variant.
     *
     * @param variant how it is learnt; has no default
     * @param batch samples of a training step
     * @param learningRate of Adam
     * @param smoothing of u; only the approximation has one; by default that of the authors'
     *     program, as the paper gives no steepness
     */
    public record Options(
            @Option(
                    symbol = "VARIANT",
                    text = "approximation (section 5.2), e2e (5.3), multiclass (5.4) or forward-only (5.5)",
                    each = {"approximation", "e2e", "multiclass", "forward-only"},
                    main = true)
            Variant variant,

            @Option(text = "samples in a step") Integer batch,

            @Option(name = "lr", symbol = "RATE", text = "Adam's learning rate")
            Float learningRate,

            @Option(
                    symbol = "WHICH",
                    text = "the approximation's sigmoids, as in the paper or as in the authors' program")
            Smoothing smoothing) {

        /** The paper's constants for this variant. */
        public static Options of(Variant variant) {
            return new Options(variant, null, null, null);
        }

        /**
         * @throws IllegalArgumentException with one line on the first option that is missing or out
         *     of range
         */
        public Options {
            Checks.requireChosen("variant", variant);
            batch = batch == null ? 256 : batch;
            learningRate = learningRate == null ? variant.defaultLearningRate : learningRate;
            smoothing = smoothing == null ? Smoothing.PROGRAM : smoothing;
            Checks.requireBatch(batch, 1 << 20);
            Checks.requireLearningRate(learningRate);
        }

        /** These options with another smoothing. */
        public Options withSmoothing(Smoothing other) {
            return new Options(variant, batch, learningRate, other);
        }
    }

    /**
     * The experiment with these options.
     *
     * @param seed decides w*, b*, the first weights and all data
     */
    public Step(Options options, long seed) {
        this.options = options;
        this.seed = seed;
    }

    @Override
    public String name() {
        return StepKind.NAME;
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
     * The loss that is trained on; the mean squared error of the hypothesis rounded down to a
     * level; how often that is y exactly.
     */
    @Override
    public List<String> metrics() {
        return List.of("loss", "squared_error", "exact");
    }

    @Override
    public Plan plan(RunContext run) {
        DeviceBuffer step = run.step();

        // Data: w* ~ N(0, I), b* ~ N(0, 1), x ~ N(0, I) / 100.
        Target target = Target.declare(run);

        // Model: v·x + b, or a network of hidden layers of 100. Optimiser: Adam.
        DenseOptimizer optimizer = Adam.of(options.learningRate);
        Parameters.Declaration declaration = new Parameters.Declaration();
        Mlp network = switch (options.variant) {
            case APPROXIMATION, FORWARD_ONLY -> Mlp.declare(declaration, "step", DIMENSION, 1);
            case E2E -> Mlp.declare(declaration, "step", DIMENSION, HIDDEN, HIDDEN, HIDDEN, 1);
            case MULTICLASS -> Mlp.declare(declaration, "step", DIMENSION, HIDDEN, HIDDEN, LEVELS.length);
        };
        Parameters parameters = declaration.allocate(run.workspace(), optimizer);
        SmoothStep.Curve smooth = target.smooth(run.workspace(), options.smoothing);

        // Training: a fresh batch, the variant's loss, one update.
        Batch train = Batch.record(run.tape(parameters), target, smooth, network, options.variant, options.batch);
        Ring training = run.trainingRing(metrics());
        Work trainingStep = Work.sequence(
                "step",
                List.of(
                        train.draw(target, run.seed(), RandomStreams.TRAINING, step),
                        train.tape.training(train.loss),
                        run.update(optimizer, parameters),
                        train.measure(target, step, training)));

        // Evaluation: the same network on a fresh batch of another random stream, with the curves
        // of figure 6.
        Batch fresh = Batch.record(run.tape(parameters), target, smooth, network, options.variant, TEST_BATCH);
        Ring test = run.testRing(metrics());
        List<Work> evaluation = new ArrayList<>(List.of(
                fresh.draw(target, run.seed(), RandomStreams.EVALUATION, step),
                fresh.tape.forward(fresh.loss),
                fresh.measure(target, step, test)));
        Map<String, DeviceBuffer> curves = new LinkedHashMap<>();
        curves.put("score", fresh.r.values());
        curves.put("label", fresh.y.values());
        curves.put("hypothesis", fresh.hypothesis.values());
        if (options.variant == Variant.APPROXIMATION) {
            Tensor ideal = SmoothStep.of(fresh.tape, smooth, fresh.r);
            evaluation.add(fresh.tape.forward(ideal));
            curves.put("smooth", ideal.values());
        }

        Work firstWeights = parameters.initialise(run.kernels(), run.seed(), RandomStreams.INITIAL);
        Work initialise = Work.sequence("initialise", List.of(target.draw(run.seed(), smooth), firstWeights));
        Work tested = Work.sequence("evaluation", evaluation);
        return new Plan(parameters, initialise, trainingStep, training, tested, test).withCurves(curves);
    }

    /**
     * What has to be learnt.
     *
     * @param w w*, (100)
     * @param b b*, one float, behind w
     * @param both w and b
     * @param zero a step number for what is drawn once
     * @param offsets of the levels from b*
     * @param middles offsets of the smooth step's sigmoids from b*
     * @param z the levels
     */
    private record Target(
            StepData data,
            DeviceBuffer both,
            DeviceBuffer w,
            DeviceBuffer b,
            DeviceBuffer zero,
            DeviceBuffer offsets,
            DeviceBuffer middles,
            Tensor z) {

        static Target declare(RunContext run) {
            Workspace workspace = run.workspace();
            long bytes = (long) DIMENSION * Float.BYTES;
            DeviceBuffer both = workspace.words(DIMENSION + 1);
            DeviceBuffer levels = workspace.words(LEVELS.length);
            return new Target(
                    run.kernels().stepData(),
                    both,
                    both.slice(0, bytes),
                    both.slice(bytes, Float.BYTES),
                    workspace.ints(0),
                    workspace.floats(floats(LEVELS)),
                    workspace.words(LEVELS.length),
                    Tensor.of("levels", Shape.of(LEVELS.length), levels));
        }

        /** Allocates ũ; {@link #draw} fills in what depends on b*. */
        SmoothStep.Curve smooth(Workspace workspace, Smoothing smoothing) {
            int count = LEVELS.length;
            double[] middle = LEVELS.clone();
            double[] steepness = new double[count];
            for (int i = 1; i < count; i++) {
                double rise = LEVELS[i] - LEVELS[i - 1];
                middle[i] -= smoothing == Smoothing.PROGRAM ? rise / 20 : 0;
                steepness[i] = smoothing == Smoothing.PROGRAM ? 50 / rise : PAPER_STEEPNESS;
            }
            middles.upload(floats(middle));
            return new SmoothStep.Curve(
                    z,
                    Tensor.of("middles", Shape.of(count), workspace.words(count)),
                    Tensor.of("steepness", Shape.of(count), workspace.floats(floats(steepness))));
        }

        Work draw(DeviceBuffer seed, SmoothStep.Curve smooth) {
            return Work.sequence(
                    "task",
                    List.of(
                            data.normals(DIMENSION + 1, 1, seed, RandomStreams.TASK, zero, both),
                            data.shiftedLevels(LEVELS.length, offsets, b, z.values()),
                            data.shiftedLevels(
                                    LEVELS.length, middles, b, smooth.middle().values())));
        }

        private static float[] floats(double[] values) {
            float[] narrow = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                narrow[i] = (float) values[i];
            }
            return narrow;
        }
    }

    /**
     * One batch and what the network makes of it.
     *
     * @param x inputs, (n, 100)
     * @param r w*·x + b*, (n, 1)
     * @param label indices of the levels, (n) int32
     * @param y u(r), (n, 1)
     * @param output of the network, (n, 1) or logits (n, levels)
     * @param hypothesis the prediction of y, (n, 1)
     * @param score what u rounds down to the metrics' prediction, (n, 1)
     * @param loss of each sample, (n, 1)
     */
    private record Batch(
            Tape tape,
            Tensor x,
            Tensor r,
            DeviceBuffer label,
            Tensor y,
            Tensor output,
            Tensor hypothesis,
            Tensor score,
            Tensor loss) {

        static Batch record(Tape tape, Target target, SmoothStep.Curve smooth, Mlp network, Variant variant, int n) {
            Shape column = Shape.of(n, 1);
            Tensor x = tape.tensor("inputs", Shape.of(n, DIMENSION));
            Tensor r = tape.tensor("scores", column);
            DeviceBuffer label = tape.tensor("labels", column).values();
            Tensor y = tape.tensor("levels of the scores", column);
            Tensor output = network.apply(tape, x);
            return switch (variant) {
                case APPROXIMATION -> {
                    Tensor p = SmoothStep.of(tape, smooth, output);
                    yield new Batch(tape, x, r, label, y, output, p, output, SquaredError.of(tape, 1, p, y));
                }
                case E2E ->
                    new Batch(tape, x, r, label, y, output, output, output, SquaredError.of(tape, 1, output, y));
                case MULTICLASS -> {
                    Tensor p = tape.tensor("likeliest levels", column);
                    yield new Batch(tape, x, r, label, y, output, p, p, SoftmaxCrossEntropy.of(tape, output, label));
                }
                case FORWARD_ONLY -> {
                    Tensor p = ForwardOnlyStep.of(tape, target.z, output);
                    yield new Batch(tape, x, r, label, y, output, p, output, SquaredError.of(tape, 0.5f, p, y));
                }
            };
        }

        Work draw(Target target, DeviceBuffer seed, int stream, DeviceBuffer step) {
            int n = x.rows();
            DeviceBuffer z = target.z.values();
            return Work.sequence(
                    "data",
                    List.of(
                            target.data.normals(n * DIMENSION, INPUT_SCALE, seed, stream, step, x.values()),
                            target.data.labels(
                                    n,
                                    DIMENSION,
                                    LEVELS.length,
                                    x.values(),
                                    target.w,
                                    target.b,
                                    z,
                                    r.values(),
                                    label,
                                    y.values())));
        }

        Work measure(Target target, DeviceBuffer step, Ring ring) {
            StepFunction function = tape.kernels().stepFunction();
            int n = x.rows();
            int levels = LEVELS.length;
            DeviceBuffer z = target.z.values();
            Work metrics = function.metrics(
                    n, levels, z, loss.values(), score.values(), y.values(), step, ring.rows(), ring.slots());
            if (output.columns() == 1) {
                return metrics;
            }
            Work likeliest = function.likeliestLevel(n, levels, z, output.values(), score.values());
            return Work.sequence("metrics", List.of(likeliest, metrics));
        }
    }
}
