package plateau.experiment;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import plateau.autograd.Backward;
import plateau.autograd.MeanScore;
import plateau.autograd.Parameters;
import plateau.autograd.Sgd;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.LineData;
import plateau.kernel.SignalToNoise;
import plateau.results.LogRow;

/**
 * Signal and noise of the gradients with respect to the weights w of N1's last layer, before any
 * training (section 3.2, figure 4): g = ∂p/∂w, Sig = ‖E[h g]‖², Noi = E‖h g − E[h g]‖². End-to-end
 * p is the tuple's score and h its label; in the decomposition they are those of the tuple's first
 * image.
 *
 * <p>A step draws a batch of tuples and adds it to the sums; an evaluation makes estimates of the
 * sums so far. Nothing is learnt.
 */
public final class Snr implements Experiment {
    static final Choices<Options> CHOICES = Choices.of(Options.class);

    /** Metrics of each approach. */
    private static final List<String> ESTIMATES = List.of("sig", "noi", "ratio", "log_ratio", "unbiased", "error");

    private static final int WEIGHTS = Tuple.Networks.FEATURES;

    private final Options options;
    private final long seed;

    /**
     * What can be chosen; null stands for the default, the paper's.
     *
     * @param k images in a tuple; has no default
     * @param samples tuples in all, a multiple of the batch; a step takes one batch of them
     * @param raster how lines become pixels
     * @param batch tuples of a step; has no effect on what is estimated
     */
    public record Options(
            @Option(
                    symbol = "K",
                    text = "images in a tuple",
                    each = {"1", "2", "3", "4"})
            Integer k,

            @Option(text = "tuples, a multiple of the batch")
            Long samples,

            @Option(symbol = "WHICH", text = "how lines become pixels, as in the paper or as in the authors' program")
            LineData.Raster raster,

            @Option(text = "tuples drawn at once, a step; has no effect on what is estimated")
            Integer batch) {

        /** The paper's constants. */
        public static Options of(int k) {
            return new Options(k, null, null, null);
        }

        /**
         * @throws IllegalArgumentException with one line on the first option that is missing or out
         *     of range
         */
        public Options {
            samples = samples == null ? 500_000 : samples;
            raster = raster == null ? LineData.Raster.PAPER : raster;
            batch = batch == null ? 200 : batch;
            Checks.requireChosen("k", k);
            Tuple.Options.requireSizes(k, batch);
            Checks.require(batch >= 2, "batch must be at least 2, for there to be noise, not " + batch);
            Checks.require(
                    samples >= batch && samples % batch == 0,
                    "samples must be a multiple of the batch, %d, not %d".formatted(batch, samples));
        }

        /** These options with another number of tuples. */
        public Options withSamples(long other) {
            return new Options(k, other, raster, batch);
        }

        /** These options with another raster. */
        public Options withRaster(LineData.Raster other) {
            return new Options(k, samples, other, batch);
        }
    }

    /**
     * The experiment with these options.
     *
     * @param seed decides the weights and all data
     */
    public Snr(Options options, long seed) {
        this.options = options;
        this.seed = seed;
    }

    @Override
    public String name() {
        return SnrKind.NAME;
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
     * For each approach Sig, Noi, Sig/Noi and its natural logarithm, as the paper estimates them;
     * the unbiased estimate of Sig, and its standard error.
     */
    @Override
    public List<String> metrics() {
        return Arrays.stream(Approach.values())
                .flatMap(approach -> ESTIMATES.stream().map(estimate -> metric(approach, estimate)))
                .toList();
    }

    /** The metric's name: one of the estimates, for an approach. */
    static String metric(Approach approach, String estimate) {
        return approach.key() + "_" + estimate;
    }

    @Override
    public String summary(LogRow row) {
        List<String> parts = Arrays.stream(Approach.values())
                .map(approach -> "%s %.2f"
                        .formatted(approach.key(), row.test().get(metrics().indexOf(metric(approach, "log_ratio")))))
                .toList();
        return "ln(Sig/Noi) " + String.join(", ", parts);
    }

    @Override
    public Plan plan(RunContext run) {
        int n = options.batch;
        int k = options.k;
        Workspace workspace = run.workspace();
        DeviceBuffer step = run.step();
        SignalToNoise statistics = run.kernels().signalToNoise();

        // Model: that of the training, at its first values.
        Parameters.Declaration declaration = new Parameters.Declaration();
        Tuple.Networks networks = Tuple.Networks.declare(declaration, k);
        Parameters parameters = declaration.allocate(workspace, new Sgd(1)); // which never runs, and keeps nothing

        // A step: fresh tuples, forward, back through N2 to the images' scores, h g of each sample,
        // its moments.
        Tuple.Batch batch = Tuple.Batch.record(run.tape(parameters), networks, n, k);
        DeviceBuffer images = batch.images().values();
        DeviceBuffer imageLabel = workspace.words((long) n * k);
        DeviceBuffer tupleLabel = workspace.words(n);
        Tensor mean = MeanScore.of(batch.tape(), batch.tupleScore());
        Backward backward = batch.tape().backward(List.of(mean), List.of(batch.imageScore()));
        DeviceBuffer gradients = workspace.words(2L * n * (WEIGHTS + 1));
        DeviceBuffer endToEnd = workspace.words(SignalToNoise.momentBytes(WEIGHTS) / Float.BYTES);
        DeviceBuffer decomposition = workspace.words(SignalToNoise.momentBytes(WEIGHTS) / Float.BYTES);
        DeviceBuffer features = batch.features().values();
        DeviceBuffer byScore = backward.of(batch.imageScore());
        Ring scores = run.trainingRing(List.of("mean_score"));
        Work sampling = Work.sequence(
                "step",
                List.of(
                        run.kernels()
                                .lineData()
                                .tuples(
                                        0,
                                        n,
                                        k,
                                        options.raster,
                                        run.seed(),
                                        RandomStreams.TRAINING,
                                        step,
                                        images,
                                        imageLabel,
                                        tupleLabel),
                        batch.tape().forward(batch.tupleScore()),
                        backward.work(),
                        statistics.labelledGradients(n, WEIGHTS, k, k, n, byScore, features, 1, tupleLabel, gradients),
                        statistics.addMoments(n, WEIGHTS, gradients, endToEnd),
                        statistics.labelledGradients(n, WEIGHTS, k, 1, 1, null, features, k, imageLabel, gradients),
                        statistics.addMoments(n, WEIGHTS, gradients, decomposition),
                        run.kernels()
                                .metrics()
                                .lossAndDistance(
                                        n, mean.values(), 0, null, null, step, scores.rows(), scores.slots())));

        Ring estimates = run.testRing(metrics());
        Work estimate =
                statistics.estimate(WEIGHTS, endToEnd, decomposition, step, estimates.rows(), estimates.slots());

        Work firstWeights = parameters.initialise(run.kernels(), run.seed(), RandomStreams.INITIAL);
        Work initialise = Work.sequence("initialise", List.of(firstWeights, endToEnd.fill(0), decomposition.fill(0)));
        return new Plan(parameters, initialise, sampling, scores, estimate, estimates)
                .withState(Map.of("moments.e2e", endToEnd, "moments.dec", decomposition));
    }
}
