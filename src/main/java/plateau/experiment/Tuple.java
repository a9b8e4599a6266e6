package plateau.experiment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import plateau.autograd.Adam;
import plateau.autograd.DenseOptimizer;
import plateau.autograd.HingeLoss;
import plateau.autograd.Kernels;
import plateau.autograd.Parameters;
import plateau.autograd.Shape;
import plateau.autograd.SigmoidActivation;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.kernel.LineData;
import plateau.kernel.TupleMetrics;
import plateau.nn.Activation;
import plateau.nn.ConvolutionPool;
import plateau.nn.Linear;
import plateau.nn.Mlp;

/**
 * The parity of labels of k images, each of a line that slopes upwards or downwards (section 3.1,
 * figures 2 and 3): end-to-end training sees the tuple's label alone, decomposition the images'
 * labels too, and only that one succeeds from k = 3 on.
 */
public final class Tuple implements Experiment {
    static final Choices<Options> CHOICES = Choices.of(Options.class);

    /** Tuples of the test set. */
    static final int TEST_TUPLES = 2000;

    private static final int SIDE = LineData.SIDE;
    private static final int PIXELS = SIDE * SIDE;
    private static final int CHANNELS = 16;
    private static final int WINDOW = 5;

    /**
     * Tuples of the test set that are looked at together: all at once would take much memory, and
     * no less time.
     */
    private static final int TEST_PART = 200;

    private static final int SAMPLES = 64;
    private static final int SAMPLES_IN_ROW = 6;

    private final Options options;
    private final long seed;

    /**
     * What can be chosen; null stands for the default, the paper's.
     *
     * @param k images in a tuple; has no default
     * @param mode on the tuple's label alone, or on the labels of the tuple and of each of its
     *     images; has no default
     * @param raster how lines become pixels
     * @param batch tuples of a training step
     * @param learningRate of Adam
     */
    public record Options(
            @Option(
                    symbol = "K",
                    text = "images in a tuple",
                    each = {"1", "2", "3"})
            Integer k,

            @Option(
                    symbol = "MODE",
                    text = "e2e (the tuple's label alone) or dec (decomposition: each image's label too)",
                    each = {"e2e", "dec"})
            Approach mode,

            @Option(symbol = "WHICH", text = "how lines become pixels, as in the paper or as in the authors' program")
            LineData.Raster raster,

            @Option(text = "tuples in a step") Integer batch,

            @Option(name = "lr", symbol = "RATE", text = "Adam's learning rate")
            Float learningRate) {

        /** The paper's constants. */
        public static Options of(int k, Approach mode) {
            return new Options(k, mode, null, null, null);
        }

        /**
         * @throws IllegalArgumentException with one line on the first option that is missing or out
         *     of range
         */
        public Options {
            raster = raster == null ? LineData.Raster.PAPER : raster;
            batch = batch == null ? 200 : batch;
            learningRate = learningRate == null ? 1e-3f : learningRate;
            Checks.requireChosen("k", k);
            Checks.requireChosen("mode", mode);
            requireSizes(k, batch);
            Checks.requireLearningRate(learningRate);
        }

        static void requireSizes(int k, int batch) {
            Checks.require(k >= 1 && k <= 16, "k must be between 1 and 16, not " + k);
            Checks.requireBatch(batch, 1 << 12);
        }

        /** These options with another raster. */
        public Options withRaster(LineData.Raster other) {
            return new Options(k, mode, other, batch, learningRate);
        }
    }

    /**
     * The experiment with these options.
     *
     * @param seed decides the first weights and all data
     */
    public Tuple(Options options, long seed) {
        this.options = options;
        this.seed = seed;
    }

    @Override
    public String name() {
        return TupleKind.NAME;
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
     * The loss that is trained on; the share of tuples and the share of images whose score has the
     * label's sign.
     */
    @Override
    public List<String> metrics() {
        return List.of("loss", "tuple_accuracy", "image_accuracy");
    }

    @Override
    public Plan plan(RunContext run) {
        int k = options.k;
        DeviceBuffer step = run.step();
        LineData data = run.kernels().lineData();

        // Model: N1 on each image, N2 on the scores of a tuple. Optimiser: Adam.
        DenseOptimizer optimizer = Adam.of(options.learningRate);
        Parameters.Declaration declaration = new Parameters.Declaration();
        Networks networks = Networks.declare(declaration, k);
        Parameters parameters = declaration.allocate(run.workspace(), optimizer);

        // Training: fresh tuples, one loss or the sum of two, one update.
        Batch train = Batch.record(run.tape(parameters), networks, options.batch, k);
        Comparison trained = Comparison.record(train.tape, options.mode, train.tupleScore, train.imageScore);
        Ring training = run.trainingRing(metrics());
        Work trainingStep = Work.sequence(
                "step",
                List.of(
                        data.tuples(
                                0,
                                options.batch,
                                k,
                                options.raster,
                                run.seed(),
                                RandomStreams.TRAINING,
                                step,
                                train.images.values(),
                                trained.imageLabel.values(),
                                trained.tupleLabel.values()),
                        train.tape.training(trained.losses()),
                        run.update(optimizer, parameters),
                        trained.measure(run, training)));

        // Evaluation: the same networks on 2,000 tuples that stay the same, drawn part by part.
        Ring test = run.testRing(metrics());
        Work evaluation = evaluation(run, parameters, networks, test);

        Work initialise = parameters.initialise(run.kernels(), run.seed(), RandomStreams.INITIAL);
        return new Plan(parameters, initialise, trainingStep, training, evaluation, test);
    }

    private Work evaluation(RunContext run, Parameters parameters, Networks networks, Ring ring) {
        int k = options.k;
        LineData data = run.kernels().lineData();
        DeviceBuffer always = run.workspace().ints(0);
        Batch part = Batch.record(run.tape(parameters), networks, TEST_PART, k);
        Tape tape = run.tape(parameters);
        Tensor tupleScore = tape.tensor("tuple scores", Shape.of(TEST_TUPLES, 1));
        Tensor imageScore = tape.tensor("image scores", Shape.of(TEST_TUPLES * k, 1));
        Comparison whole = Comparison.record(tape, options.mode, tupleScore, imageScore);
        Work forward = part.tape.forward(part.tupleScore);
        List<Work> works = new ArrayList<>();
        for (int first = 0; first < TEST_TUPLES; first += TEST_PART) {
            DeviceBuffer images = part.images.values();
            DeviceBuffer imageLabel = rows(whole.imageLabel, first * k, TEST_PART * k);
            DeviceBuffer tupleLabel = rows(whole.tupleLabel, first, TEST_PART);
            works.add(data.tuples(
                    first,
                    TEST_PART,
                    k,
                    options.raster,
                    run.seed(),
                    RandomStreams.EVALUATION,
                    always,
                    images,
                    imageLabel,
                    tupleLabel));
            works.add(forward);
            works.add(
                    rows(whole.imageScore, first * k, TEST_PART * k).copyFrom(rows(part.imageScore, 0, TEST_PART * k)));
            works.add(rows(whole.tupleScore, first, TEST_PART).copyFrom(rows(part.tupleScore, 0, TEST_PART)));
        }
        works.add(tape.forward(whole.losses()));
        works.add(whole.measure(run, ring));
        return Work.sequence("evaluation", works);
    }

    /** Rows of a column. */
    private static DeviceBuffer rows(Tensor column, int first, int count) {
        return column.values().slice((long) first * Float.BYTES, (long) count * Float.BYTES);
    }

    /**
     * An image of the test set.
     *
     * @param pixels row by row, 0 or 1
     * @param label −1 or +1
     */
    public record Sample(float[] pixels, int label) {}

    /** The first images of the test set, drawn on the device as a run draws them. */
    public List<Sample> samples(Kernels kernels, int count) {
        try (Workspace workspace = new Workspace(kernels.device());
                Stream stream = kernels.device().createStream()) {
            DeviceBuffer always = workspace.ints(0);
            DeviceBuffer images = workspace.words((long) count * PIXELS);
            DeviceBuffer imageLabel = workspace.words(count);
            DeviceBuffer tupleLabel = workspace.words(count);
            kernels.lineData()
                    .tuples(
                            0,
                            count,
                            1,
                            options.raster,
                            workspace.longs(seed),
                            RandomStreams.EVALUATION,
                            always,
                            images,
                            imageLabel,
                            tupleLabel)
                    .enqueue(stream);
            stream.synchronize();
            float[] pixels = images.toFloats();
            float[] signs = imageLabel.toFloats();
            return IntStream.range(0, count)
                    .mapToObj(i -> new Sample(Arrays.copyOfRange(pixels, i * PIXELS, (i + 1) * PIXELS), (int) signs[i]))
                    .toList();
        }
    }

    /** Figure 2: images of label 1 above images of label −1. */
    @Override
    public Map<String, Figure> dataFigures(Kernels kernels) {
        List<Sample> samples = samples(kernels, SAMPLES);
        List<Panel> panels = List.of(1, -1).stream()
                .flatMap(label -> samples.stream()
                        .filter(sample -> sample.label() == label)
                        .limit(SAMPLES_IN_ROW))
                .map(sample -> Panel.of("y = " + sample.label(), new Panel.Bitmap(SIDE, sample.pixels())))
                .toList();
        return Map.of("tuple-samples", new Figure(SAMPLES_IN_ROW, panels));
    }

    /**
     * The two networks.
     *
     * @param lower N1's first convolution, on the pixels
     * @param upper its second one
     * @param hidden its dense layers up to the features that the score is made of
     * @param score its last layer
     * @param tuple N2
     */
    record Networks(ConvolutionPool lower, ConvolutionPool upper, List<Linear> hidden, Linear score, Mlp tuple) {
        /** What N1's last layer reads. */
        static final int FEATURES = 100;

        // The authors' program scales the first values of a convolution by the last size of what it
        // reads: of the first one the images' width.
        static Networks declare(Parameters.Declaration parameters, int k) {
            int flat = PIXELS / 16 * CHANNELS;
            return new Networks(
                    ConvolutionPool.declare(parameters, "image.1", SIDE, SIDE, 1, CHANNELS, WINDOW, SIDE),
                    ConvolutionPool.declare(
                            parameters, "image.2", SIDE / 2, SIDE / 2, CHANNELS, CHANNELS, WINDOW, CHANNELS),
                    List.of(
                            Linear.declare(parameters, "image.3", flat, 50, Activation.RELU),
                            Linear.declare(parameters, "image.4", 50, FEATURES, Activation.RELU)),
                    Linear.declare(parameters, "image.5", FEATURES, 1, Activation.LINEAR),
                    Mlp.declare(parameters, "tuple", k, 100, 1));
        }
    }

    /**
     * The networks on n tuples.
     *
     * @param images (n k, 28, 28, 1)
     * @param features what N1's last layer reads, (n k, 100)
     * @param imageScore (n k, 1)
     * @param tupleScore (n, 1)
     */
    record Batch(Tape tape, Tensor images, Tensor features, Tensor imageScore, Tensor tupleScore) {

        static Batch record(Tape tape, Networks networks, int n, int k) {
            Tensor images = tape.tensor("images", Shape.of(n * k, SIDE, SIDE, 1));
            Tensor features = networks.upper.apply(
                    tape,
                    networks.lower.apply(tape, images),
                    tape.parameter(networks.lower.bias())); // what an empty image becomes
            for (Linear layer : networks.hidden) {
                features = layer.apply(tape, features);
            }
            Tensor imageScore = networks.score.apply(tape, features);
            return new Batch(
                    tape,
                    images,
                    features,
                    imageScore,
                    networks.tuple.apply(tape, SigmoidActivation.of(tape, imageScore.reshape(n, k))));
        }
    }

    /**
     * Scores against labels.
     *
     * @param imageLoss null where it is not trained on
     */
    private record Comparison(
            Tensor tupleScore,
            Tensor tupleLabel,
            Tensor tupleLoss,
            Tensor imageScore,
            Tensor imageLabel,
            Tensor imageLoss) {

        static Comparison record(Tape tape, Approach mode, Tensor tupleScore, Tensor imageScore) {
            Tensor tupleLabel = tape.tensor("tuple labels", tupleScore.shape());
            Tensor imageLabel = tape.tensor("image labels", imageScore.shape());
            Tensor imageLoss = mode == Approach.DEC ? HingeLoss.of(tape, imageScore, imageLabel) : null;
            Tensor tupleLoss = HingeLoss.of(tape, tupleScore, tupleLabel);
            return new Comparison(tupleScore, tupleLabel, tupleLoss, imageScore, imageLabel, imageLoss);
        }

        Tensor[] losses() {
            return imageLoss == null ? new Tensor[] {tupleLoss} : new Tensor[] {tupleLoss, imageLoss};
        }

        Work measure(RunContext run, Ring ring) {
            int n = tupleScore.rows();
            DeviceBuffer loss = imageLoss == null ? null : imageLoss.values();
            return run.kernels()
                    .tupleMetrics()
                    .measure(
                            n,
                            imageScore.rows() / n,
                            new TupleMetrics.Scored(tupleLoss.values(), tupleScore.values(), tupleLabel.values()),
                            new TupleMetrics.Scored(loss, imageScore.values(), imageLabel.values()),
                            run.step(),
                            ring.rows(),
                            ring.slots());
        }
    }
}
