package plateau.experiment;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import plateau.autograd.Adam;
import plateau.autograd.Convolution1d;
import plateau.autograd.DenseOptimizer;
import plateau.autograd.Kernels;
import plateau.autograd.MatrixProduct;
import plateau.autograd.Parameter;
import plateau.autograd.Parameters;
import plateau.autograd.Shape;
import plateau.autograd.SquaredError;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Conv1d;
import plateau.kernel.Metrics;
import plateau.kernel.PwlData;
import plateau.kernel.PwlEncoding;
import plateau.nn.Initials;
import plateau.nn.Mlp;

/**
 * Encoding piecewise-linear curves f = W p by their changes of slope p (section 4, figure 5): four
 * ways to learn the same map, whose condition numbers, and so whose speeds, are orders of magnitude
 * apart.
 *
 * <p>Curves of figure 5, two test curves of 100 points each: {@code original} and {@code decoded},
 * W p̂ or the autoencoder's output.
 *
 * <p>The first two outputs of the convolutions are 0 whatever the filter is. What they miss under
 * the paper's law, where an encoding may start at position 0 or 1, cannot be learnt and is left out
 * of the loss; under the program's law it is 0.
 */
public final class Pwl implements Experiment {
    static final Choices<Options> CHOICES = Choices.of(Options.class);

    /** Points of a curve. */
    static final int N = 100;

    private static final int TAPS = 3;
    private static final int OUTPUTS = N - TAPS + 1;
    private static final int TEST_CURVES = 1000;
    private static final int SHOWN_CURVES = 2;
    private static final int CONDITIONING_CURVES = 10_000;
    private static final int CODE = 6;
    private static final float[] SECOND_DIFFERENCE = {1, -2, 1};

    private final Options options;
    private final long seed;

    /** The ways to learn it. */
    public enum Variant {
        /** Section 4.1.1: p̂ = Û f with a full matrix. */
        LINEAR("Linear map", 100, 1e-4f),
        /** Section 4.1.2: p̂ = f convolved with a filter of three taps. */
        CONV("Convolution", 100, 0.05f),
        /**
         * Section 4.1.3: the same filter learnt on inputs whose second moments are the identity.
         */
        CONDITIONED("Conditioned convolution", 10, 0.99f),
        /** Section 4.1.4: a deep encoder to six numbers and a deep decoder. */
        AUTOENCODER("Autoencoder", 100, 1e-3f);

        private final String title;
        private final int defaultBatch;
        private final float defaultLearningRate;

        Variant(String title, int defaultBatch, float defaultLearningRate) {
            this.title = title;
            this.defaultBatch = defaultBatch;
            this.defaultLearningRate = defaultLearningRate;
        }

        /** For a legend. */
        public String title() {
            return title;
        }
    }

    /** Which distribution curves come from; see {@link PwlData.Law}. */
    public enum Distribution {
        /** As the paper describes them. */
        PAPER,
        /** As the authors' programs draw them; the autoencoder's has its own law. */
        PROGRAM
    }

    /**
     * What can be chosen; null stands for the default, the paper's for this variant.
     *
     * @param variant how it is learnt; has no default
     * @param curves which distribution they come from
     * @param batch curves of a training step
     * @param learningRate of Adam
     */
    public record Options(
            @Option(
                    symbol = "VARIANT",
                    text = "linear (section 4.1.1), conv (4.1.2), conditioned (4.1.3) or autoencoder (4.1.4)",
                    each = {"linear", "conv", "conditioned", "autoencoder"},
                    main = true)
            Variant variant,

            @Option(
                    symbol = "WHICH",
                    text = "the distribution of curves, as in the paper or as in the authors' program")
            Distribution curves,

            @Option(text = "curves in a step") Integer batch,

            @Option(name = "lr", symbol = "RATE", text = "Adam's learning rate")
            Float learningRate) {

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
            curves = curves == null ? Distribution.PAPER : curves;
            batch = batch == null ? variant.defaultBatch : batch;
            learningRate = learningRate == null ? variant.defaultLearningRate : learningRate;
            Checks.requireBatch(batch, 1 << 16);
            Checks.requireLearningRate(learningRate);
        }

        /** These options with other curves. */
        public Options withCurves(Distribution other) {
            return new Options(variant, other, batch, learningRate);
        }

        private PwlData.Law law() {
            return curves == Distribution.PAPER
                    ? PwlData.Law.PAPER
                    : variant == Variant.AUTOENCODER ? PwlData.Law.REAL : PwlData.Law.PROGRAM;
        }

        /** Entries of p that the model does not predict. */
        private int skipped() {
            return variant == Variant.CONV || variant == Variant.CONDITIONED ? TAPS - 1 : 0;
        }
    }

    /**
     * The experiment with these options.
     *
     * @param seed decides the first weights and all data
     */
    public Pwl(Options options, long seed) {
        this.options = options;
        this.seed = seed;
    }

    @Override
    public String name() {
        return PwlKind.NAME;
    }

    @Override
    public Map<String, Object> options() {
        return CHOICES.values(options);
    }

    @Override
    public long seed() {
        return seed;
    }

    /** Those of figure 5. */
    @Override
    public Set<Long> milestones() {
        return Set.of(500L, 10_000L, 50_000L);
    }

    /**
     * The loss on 1,000 fixed curves, and how far the learnt matrix or filter is from W⁻¹ or (1,
     * −2, 1) at most.
     */
    @Override
    public List<String> metrics() {
        return options.variant == Variant.AUTOENCODER ? List.of("loss") : List.of("loss", "distance");
    }

    @Override
    public Plan plan(RunContext run) {
        DeviceBuffer step = run.step();
        PwlData data = run.kernels().pwlData();

        // Model and optimiser: Adam with the constants of its paper.
        DenseOptimizer adam = new Adam(options.learningRate, 0.9f, 0.999f, 1e-8f);
        Parameters.Declaration declaration = new Parameters.Declaration();
        Model model = declare(declaration, run);
        Parameters parameters = declaration.allocate(run.workspace(), adam);

        // Training: fresh curves, the squared error, one update.
        Batch train = Batch.record(run.tape(parameters), model, options, options.batch);
        Ring training = run.trainingRing(metrics());
        Work trainingStep = Work.sequence(
                "step",
                List.of(
                        train.draw(data, options, run.seed(), RandomStreams.TRAINING, step),
                        train.tape.training(train.loss),
                        run.update(adam, parameters),
                        train.measure(step, training)));

        // Evaluation: the same model on 1,000 curves that stay the same, and two of them decoded.
        DeviceBuffer always = run.workspace().ints(0);
        Batch test = Batch.record(run.tape(parameters), model, options, TEST_CURVES);
        Ring tested = run.testRing(metrics());
        DeviceBuffer decoded = run.workspace().words(SHOWN_CURVES * N);
        Work decode = options.variant == Variant.AUTOENCODER
                ? decoded.copyFrom(test.output.values().slice(0, decoded.bytes()))
                : run.kernels().pwlEncoding().decode(SHOWN_CURVES, N, options.skipped(), test.output.values(), decoded);
        Work evaluation = Work.sequence(
                "evaluation",
                List.of(
                        test.draw(data, options, run.seed(), RandomStreams.EVALUATION, always),
                        test.tape.forward(test.loss),
                        test.measure(step, tested),
                        decode));
        Map<String, DeviceBuffer> curves = new LinkedHashMap<>();
        curves.put("original", test.f.values().slice(0, decoded.bytes()));
        curves.put("decoded", decoded);
        Work initialise = parameters.initialise(run.kernels(), run.seed(), RandomStreams.INITIAL);
        return new Plan(parameters, initialise, trainingStep, training, evaluation, tested).withCurves(curves);
    }

    /**
     * What is learnt.
     *
     * @param weights Ûᵀ or the filter; null for the autoencoder
     * @param conditioner C^(−1/2), of the conditioned filter alone
     * @param ideal what the weights should become; null for the autoencoder
     * @param autoencoder null for the others
     */
    private record Model(Parameter weights, Tensor conditioner, DeviceBuffer ideal, Mlp autoencoder) {}

    private Model declare(Parameters.Declaration declaration, RunContext run) {
        Workspace workspace = run.workspace();
        return switch (options.variant) {
            case LINEAR -> {
                Parameter matrix = declaration.declare("matrix", Shape.of(N, N), Initials.zeros());
                yield new Model(matrix, null, workspace.floats(inverseTransposed()), null);
            }
            case CONV -> {
                Parameter filter = declaration.declare("filter", Shape.of(1, TAPS), Initials.zeros());
                yield new Model(filter, null, workspace.floats(SECOND_DIFFERENCE), null);
            }
            case CONDITIONED -> {
                Parameter filter = declaration.declare("filter", Shape.of(1, TAPS), Initials.zeros());
                DeviceBuffer root = workspace.words(TAPS * TAPS);
                for (int i = 0; i < run.seeds().size(); i++) {
                    root.replica(i)
                            .upload(conditioner(run.kernels(), run.seeds().get(i)));
                }
                Tensor conditioner = Tensor.of("conditioner", Shape.of(TAPS, TAPS), root);
                yield new Model(filter, conditioner, workspace.floats(SECOND_DIFFERENCE), null);
            }
            case AUTOENCODER ->
                new Model(null, null, null, Mlp.declare(declaration, "autoencoder", N, 500, 100, CODE, 100, 100, N));
        };
    }

    /** (W⁻¹)ᵀ: by the paper's lemma 1, W⁻¹ has 1 on the diagonal, −2 below it and 1 below that. */
    private static float[] inverseTransposed() {
        float[] matrix = new float[N * N];
        for (int j = 0; j < N; j++) {
            for (int d = 0; d < TAPS && j + d < N; d++) {
                matrix[j * N + j + d] = SECOND_DIFFERENCE[d];
            }
        }
        return matrix;
    }

    /**
     * C^(−1/2), C = E[r rᵀ] of r = (f[t − 2], f[t − 1], f[t]) over 10,000 curves: moments on the
     * device, the root here in float64.
     */
    private float[] conditioner(Kernels kernels, long seed) {
        Device device = kernels.device();
        double[] sums;
        try (Stream stream = device.createStream();
                DeviceBuffer zero = device.upload(0);
                DeviceBuffer key = device.upload(seed);
                DeviceBuffer f = device.allocate((long) CONDITIONING_CURVES * N * Float.BYTES);
                DeviceBuffer moments =
                        device.allocate((long) CONDITIONING_CURVES * PwlEncoding.MOMENTS * Double.BYTES)) {
            kernels.pwlData()
                    .curves(CONDITIONING_CURVES, N, 0, options.law(), key, RandomStreams.TASK, zero, f, null)
                    .enqueue(stream);
            kernels.pwlEncoding().moments(CONDITIONING_CURVES, N, f, moments).enqueue(stream);
            stream.synchronize();
            sums = moments.toDoubles();
        }
        double[] mean = new double[PwlEncoding.MOMENTS];
        for (int i = 0; i < sums.length; i++) {
            mean[i % mean.length] += sums[i] / ((double) CONDITIONING_CURVES * OUTPUTS);
        }
        double[][] c = {{mean[0], mean[1], mean[2]}, {mean[1], mean[3], mean[4]}, {mean[2], mean[4], mean[5]}};
        double[][] root = SymmetricMatrix.inverseSquareRoot(c);
        float[] flat = new float[TAPS * TAPS];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = (float) root[i / TAPS][i % TAPS];
        }
        return flat;
    }

    /**
     * One batch and what the model makes of it.
     *
     * @param f curves, (m, 100)
     * @param p their encodings, (m, 100) or (m, 98); for the autoencoder f itself
     * @param output of the model, of p's shape
     * @param learnt what is compared with the ideal: the matrix, or the filter that acts on f; for
     *     the autoencoder its output, which is not compared
     * @param loss of each curve, (m, 1)
     * @param ideal what {@code learnt} should be; null for the autoencoder
     */
    private record Batch(Tape tape, Tensor f, Tensor p, Tensor output, Tensor learnt, Tensor loss, DeviceBuffer ideal) {

        static Batch record(Tape tape, Model model, Options options, int m) {
            Tensor f = tape.tensor("curves", Shape.of(m, N));
            return switch (options.variant) {
                case LINEAR -> {
                    Tensor p = tape.tensor("encodings", Shape.of(m, N));
                    Tensor matrix = tape.parameter(model.weights);
                    Tensor output = MatrixProduct.of(tape, "outputs", f, matrix);
                    yield new Batch(tape, f, p, output, matrix, SquaredError.of(tape, 1, output, p), model.ideal);
                }
                case CONV -> {
                    Tensor p = tape.tensor("encodings", Shape.of(m, OUTPUTS));
                    Tensor filter = tape.parameter(model.weights);
                    Tensor output =
                            Convolution1d.of(tape, "outputs", Conv1d.Geometry.valid(m, 1, 1, N, TAPS), f, filter);
                    yield new Batch(tape, f, p, output, filter, SquaredError.of(tape, 1f / N, output, p), model.ideal);
                }
                case CONDITIONED -> {
                    // The rows r C^(-1/2) are three channels; the filter on them is one number for
                    // each, and acts on r as C^(-1/2) times it.
                    Tensor p = tape.tensor("encodings", Shape.of(m, OUTPUTS));
                    Tensor filter = tape.parameter(model.weights);
                    Conv1d.Geometry conditioning = Conv1d.Geometry.valid(m, 1, TAPS, N, TAPS);
                    Conv1d.Geometry filtering = Conv1d.Geometry.valid(m, TAPS, 1, OUTPUTS, 1);
                    Tensor rows = Convolution1d.of(tape, "conditioned rows", conditioning, f, model.conditioner);
                    Tensor output = Convolution1d.of(tape, "outputs", filtering, rows, filter);
                    Tensor effective = MatrixProduct.of(tape, "effective filter", filter, model.conditioner);
                    yield new Batch(
                            tape, f, p, output, effective, SquaredError.of(tape, 1f / N, output, p), model.ideal);
                }
                case AUTOENCODER -> {
                    Tensor output = model.autoencoder.apply(tape, f);
                    yield new Batch(tape, f, f, output, output, SquaredError.of(tape, 1f / N, output, f), null);
                }
            };
        }

        Work draw(PwlData data, Options options, DeviceBuffer seed, int stream, DeviceBuffer step) {
            DeviceBuffer encodings = ideal == null ? null : p.values();
            return data.curves(
                    f.rows(), N, options.skipped(), options.law(), seed, stream, step, f.values(), encodings);
        }

        Work measure(DeviceBuffer step, Ring ring) {
            Metrics metrics = tape.kernels().metrics();
            int m = f.rows();
            if (ideal == null) {
                return metrics.lossAndDistance(m, loss.values(), 0, null, null, step, ring.rows(), ring.slots());
            }
            int elements = learnt.shape().elements();
            return Work.sequence(
                    "metrics",
                    List.of(
                            tape.forward(learnt),
                            metrics.lossAndDistance(
                                    m,
                                    loss.values(),
                                    elements,
                                    learnt.values(),
                                    ideal,
                                    step,
                                    ring.rows(),
                                    ring.slots())));
        }
    }
}
