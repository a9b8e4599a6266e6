package plateau.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import plateau.autograd.Adam;
import plateau.autograd.HingeLoss;
import plateau.autograd.Kernels;
import plateau.autograd.Optimizer;
import plateau.autograd.Parameters;
import plateau.autograd.Shape;
import plateau.autograd.SigmoidActivation;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.LineData;
import plateau.kernel.TupleMetrics;
import plateau.nn.Activation;
import plateau.nn.ConvolutionPool;
import plateau.nn.Linear;
import plateau.nn.Mlp;

/**
 * The parity of labels of k images, each of a line that slopes upwards or downwards (section 3.1, figures 2 and 3): end-to-end training sees the tuple's
 * label alone, decomposition the images' labels too, and only that one succeeds from k = 3 on.
 */
public final class Tuple implements Experiment {
    /** Tuples of the test set. */
    static final int TEST_TUPLES = 2000;

    private static final int SIDE = LineData.SIDE;
    private static final int PIXELS = SIDE * SIDE;
    private static final int CHANNELS = 16;
    private static final int WINDOW = 5;

    /** Tuples of the test set that are looked at together: all at once would take much memory, and no less time. */
    private static final int TEST_PART = 200;

    private final Options options;

    /** The ways to learn it. */
    public enum Mode {
        /** On the tuple's label alone. */
        E2E(20_000),
        /** On the labels of the tuple and of each of its images. */
        DEC(2_500);

        private final int defaultSteps;

        Mode(int defaultSteps) {
            this.defaultSteps = defaultSteps;
        }

        /** The paper's number of steps. */
        public int defaultSteps() {
            return defaultSteps;
        }
    }

    /**
     * What can be chosen.
     *
     * @param mode how it is learnt
     * @param k images in a tuple
     * @param raster how lines become pixels
     * @param batch tuples of a training step
     * @param learningRate of Adam
     * @param seed decides the first weights and all data
     */
    public record Options(Mode mode, int k, LineData.Raster raster, int batch, float learningRate, long seed) {

        /** The paper's constants. */
        public static Options of(Mode mode, int k) {
            return new Options(mode, k, LineData.Raster.PAPER, 200, 1e-3f, 1);
        }

        /** @throws IllegalArgumentException with one line on the first option that is out of range */
        public Options {
            requireSizes(k, batch);
            Checks.requireLearningRate(learningRate);
        }

        static void requireSizes(int k, int batch) {
            Checks.require(k >= 1 && k <= 16, "k must be between 1 and 16, not " + k);
            Checks.requireBatch(batch, 1 << 12);
        }

        /** These options with another raster. */
        public Options withRaster(LineData.Raster other) {
            return new Options(mode, k, other, batch, learningRate, seed);
        }

        /** These options with another seed. */
        public Options withSeed(long other) {
            return new Options(mode, k, raster, batch, learningRate, other);
        }
    }

    /** The experiment with these options. */
    public Tuple(Options options) {
        this.options = options;
    }

    @Override
    public String name() {
        return "tuple";
    }

    @Override
    public Options options() {
        return options;
    }

    @Override
    public long seed() {
        return options.seed;
    }

    /** The loss that is trained on; the share of tuples and the share of images whose score has the label's sign. */
    @Override
    public List<String> metrics() {
        return List.of("loss", "tuple_accuracy", "image_accuracy");
    }

    @Override
    public Plan plan(Kernels kernels, Workspace workspace, DeviceBuffer step, int unread) {
        int k = options.k;
        LineData data = new LineData(kernels.device());
        TupleMetrics metrics = new TupleMetrics(kernels.device());

        // Model: N1 on each image, N2 on the scores of a tuple. Optimiser: Adam.
        Optimizer optimizer = Adam.of(options.learningRate);
        Parameters.Declaration declaration = new Parameters.Declaration();
        Networks networks = Networks.declare(declaration, k);
        Parameters parameters = declaration.allocate(workspace, optimizer);

        // Training: fresh tuples, one loss or the sum of two, one update.
        Batch train = Batch.record(new Tape(kernels, workspace, parameters), networks, options.batch, k);
        Verdict judged = Verdict.record(train.tape, options.mode, train.tupleScore, train.imageScore);
        Ring training = Ring.allocate(workspace, unread, metrics());
        Work trainingStep =
                Work.sequence(
                        "step",
                        List.of(
                                data.tuples(0, options.batch, k, options.raster, options.seed, RandomStreams.TRAINING, step, train.images.values(), judged.imageLabel.values(), judged.tupleLabel.values()),
                                train.tape.training(judged.losses()),
                                optimizer.update(kernels, workspace, parameters, workspace.floats(optimizer.learningRate()), step),
                                judged.measure(metrics, step, training)));

        // Evaluation: the same networks on 2,000 tuples that stay the same, drawn part by part.
        Ring test = Ring.allocate(workspace, 1, metrics());
        Work evaluation = evaluation(kernels, workspace, parameters, networks, data, metrics, step, test);

        return new Plan(parameters, parameters.initialise(kernels, options.seed, RandomStreams.INITIAL), trainingStep, training, evaluation, test);
    }

    private Work evaluation(Kernels kernels, Workspace workspace, Parameters parameters, Networks networks, LineData data, TupleMetrics metrics, DeviceBuffer step, Ring ring) {
        int k = options.k;
        DeviceBuffer always = workspace.ints(0);
        Batch part = Batch.record(new Tape(kernels, workspace, parameters), networks, TEST_PART, k);
        Tape tape = new Tape(kernels, workspace, parameters);
        Verdict whole =
                Verdict.record(tape, options.mode, tape.tensor("tuple scores", Shape.of(TEST_TUPLES, 1)), tape.tensor("image scores", Shape.of(TEST_TUPLES * k, 1)));
        Work forward = part.tape.forward(part.tupleScore);
        List<Work> works = new ArrayList<>();
        for (int first = 0; first < TEST_TUPLES; first += TEST_PART) {
            DeviceBuffer imageLabel = rows(whole.imageLabel, first * k, TEST_PART * k), tupleLabel = rows(whole.tupleLabel, first, TEST_PART);
            works.add(data.tuples(first, TEST_PART, k, options.raster, options.seed, RandomStreams.EVALUATION, always, part.images.values(), imageLabel, tupleLabel));
            works.add(forward);
            works.add(rows(whole.imageScore, first * k, TEST_PART * k).copyFrom(rows(part.imageScore, 0, TEST_PART * k)));
            works.add(rows(whole.tupleScore, first, TEST_PART).copyFrom(rows(part.tupleScore, 0, TEST_PART)));
        }
        works.add(tape.forward(whole.losses()));
        works.add(whole.measure(metrics, step, ring));
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
            DeviceBuffer images = workspace.words((long) count * PIXELS), labels = workspace.words(count);
            new LineData(kernels.device()).tuples(0, count, 1, options.raster, options.seed, RandomStreams.EVALUATION, workspace.ints(0), images, labels, workspace.words(count)).enqueue(stream);
            stream.synchronize();
            float[] signs = labels.toFloats();
            return IntStream.range(0, count)
                    .mapToObj(i -> new Sample(images.slice((long) i * PIXELS * Float.BYTES, (long) PIXELS * Float.BYTES).toFloats(), (int) signs[i]))
                    .toList();
        }
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

        // The authors' program scales the first values of a convolution by the last size of what it reads: of the first one the images' width.
        static Networks declare(Parameters.Declaration parameters, int k) {
            int flat = PIXELS / 16 * CHANNELS;
            return new Networks(
                    ConvolutionPool.declare(parameters, "image.1", SIDE, SIDE, 1, CHANNELS, WINDOW, SIDE),
                    ConvolutionPool.declare(parameters, "image.2", SIDE / 2, SIDE / 2, CHANNELS, CHANNELS, WINDOW, CHANNELS),
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
            Tensor features = networks.upper.apply(tape, networks.lower.apply(tape, images), tape.parameter(networks.lower.bias())); // what an empty image becomes
            for (Linear layer : networks.hidden) {
                features = layer.apply(tape, features);
            }
            Tensor imageScore = networks.score.apply(tape, features);
            return new Batch(tape, images, features, imageScore, networks.tuple.apply(tape, SigmoidActivation.of(tape, imageScore.reshape(n, k))));
        }
    }

    /**
     * Scores against labels.
     *
     * @param imageLoss null where it is not trained on
     */
    private record Verdict(Tensor tupleScore, Tensor tupleLabel, Tensor tupleLoss, Tensor imageScore, Tensor imageLabel, Tensor imageLoss) {

        static Verdict record(Tape tape, Mode mode, Tensor tupleScore, Tensor imageScore) {
            Tensor tupleLabel = tape.tensor("tuple labels", tupleScore.shape()), imageLabel = tape.tensor("image labels", imageScore.shape());
            Tensor imageLoss = mode == Mode.DEC ? HingeLoss.of(tape, imageScore, imageLabel) : null;
            return new Verdict(tupleScore, tupleLabel, HingeLoss.of(tape, tupleScore, tupleLabel), imageScore, imageLabel, imageLoss);
        }

        Tensor[] losses() {
            return imageLoss == null ? new Tensor[] {tupleLoss} : new Tensor[] {tupleLoss, imageLoss};
        }

        Work measure(TupleMetrics metrics, DeviceBuffer step, Ring ring) {
            int n = tupleScore.rows(), k = imageScore.rows() / n;
            return metrics.measure(
                    n,
                    k,
                    new TupleMetrics.Scored(tupleLoss.values(), tupleScore.values(), tupleLabel.values()),
                    new TupleMetrics.Scored(imageLoss == null ? null : imageLoss.values(), imageScore.values(), imageLabel.values()),
                    step,
                    ring.rows(),
                    ring.slots());
        }
    }
}
