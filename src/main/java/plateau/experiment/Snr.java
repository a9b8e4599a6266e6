package plateau.experiment;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import plateau.autograd.Backward;
import plateau.autograd.Kernels;
import plateau.autograd.MeanScore;
import plateau.autograd.Parameters;
import plateau.autograd.Sgd;
import plateau.autograd.Tape;
import plateau.autograd.Tensor;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.LineData;
import plateau.kernel.SignalToNoise;

/**
 * Signal and noise of the gradients with respect to the weights w of N1's last layer, before any training (section 3.2, figure 4): g = ∂p/∂w,
 * Sig = ‖E[h g]‖², Noi = E‖h g − E[h g]‖². End-to-end p is the tuple's score and h its label; in the decomposition they are those of the tuple's first image.
 *
 * <p>A step draws a batch of tuples and adds it to the sums; an evaluation makes estimates of the sums so far. Nothing is learnt.
 */
public final class Snr implements Experiment {
    /** The paper's number of tuples. */
    public static final long DEFAULT_SAMPLES = 500_000;

    private static final int WEIGHTS = Tuple.Networks.FEATURES;

    private final Options options;

    /**
     * What can be chosen.
     *
     * @param k images in a tuple
     * @param raster how lines become pixels
     * @param batch tuples of a step
     * @param seed decides the weights and all data
     */
    public record Options(int k, LineData.Raster raster, int batch, long seed) {

        /** The paper's constants. */
        public static Options of(int k) {
            return new Options(k, LineData.Raster.PAPER, 200, 1);
        }

        /** @throws IllegalArgumentException with one line on the first option that is out of range */
        public Options {
            Tuple.Options.requireSizes(k, batch);
            if (batch < 2) {
                throw new IllegalArgumentException("batch must be at least 2, for there to be noise, not " + batch);
            }
        }

        /** These options with another raster. */
        public Options withRaster(LineData.Raster other) {
            return new Options(k, other, batch, seed);
        }

        /** These options with another seed. */
        public Options withSeed(long other) {
            return new Options(k, raster, batch, other);
        }
    }

    /** The experiment with these options. */
    public Snr(Options options) {
        this.options = options;
    }

    @Override
    public String name() {
        return "snr";
    }

    @Override
    public Options options() {
        return options;
    }

    @Override
    public long seed() {
        return options.seed;
    }

    /** For each approach Sig, Noi, Sig/Noi and its natural logarithm, as the paper estimates them; the unbiased estimate of Sig, and its standard error. */
    @Override
    public List<String> metrics() {
        return Stream.of("e2e_", "dec_").flatMap(approach -> Stream.of("sig", "noi", "ratio", "log_ratio", "unbiased", "error").map(approach::concat)).toList();
    }

    @Override
    public Plan plan(Kernels kernels, Workspace workspace, DeviceBuffer step, int unread) {
        int n = options.batch, k = options.k;
        SignalToNoise statistics = new SignalToNoise(kernels.device());

        // Model: that of the training, at its first values.
        Parameters.Declaration declaration = new Parameters.Declaration();
        Tuple.Networks networks = Tuple.Networks.declare(declaration, k);
        Parameters parameters = declaration.allocate(workspace, new Sgd(1)); // which never runs, and keeps nothing

        // A step: fresh tuples, forward, back through N2 to the images' scores, h g of each sample, its moments.
        Tuple.Batch batch = Tuple.Batch.record(new Tape(kernels, workspace, parameters), networks, n, k);
        DeviceBuffer imageLabel = workspace.words((long) n * k), tupleLabel = workspace.words(n);
        Tensor mean = MeanScore.of(batch.tape(), batch.tupleScore());
        Backward backward = batch.tape().backward(List.of(mean), List.of(batch.imageScore()));
        DeviceBuffer gradients = workspace.words(2L * n * (WEIGHTS + 1));
        DeviceBuffer endToEnd = workspace.words(SignalToNoise.momentBytes(WEIGHTS) / Float.BYTES), decomposition = workspace.words(SignalToNoise.momentBytes(WEIGHTS) / Float.BYTES);
        DeviceBuffer features = batch.features().values();
        Ring scores = Ring.allocate(workspace, unread, List.of("mean_score"));
        Work sampling =
                Work.sequence(
                        "step",
                        List.of(
                                new LineData(kernels.device()).tuples(0, n, k, options.raster, options.seed, RandomStreams.TRAINING, step, batch.images().values(), imageLabel, tupleLabel),
                                batch.tape().forward(batch.tupleScore()),
                                backward.work(),
                                statistics.labelledGradients(n, WEIGHTS, k, k, n, backward.of(batch.imageScore()), features, 1, tupleLabel, gradients),
                                statistics.addMoments(n, WEIGHTS, gradients, endToEnd),
                                statistics.labelledGradients(n, WEIGHTS, k, 1, 1, null, features, k, imageLabel, gradients),
                                statistics.addMoments(n, WEIGHTS, gradients, decomposition),
                                kernels.metrics().lossAndDistance(n, mean.values(), 0, null, null, step, scores.rows(), scores.slots())));

        Ring estimates = Ring.allocate(workspace, 1, metrics());
        Work estimate = statistics.estimate(WEIGHTS, endToEnd, decomposition, step, estimates.rows(), estimates.slots());

        Work initialise =
                Work.sequence("initialise", List.of(parameters.initialise(kernels, options.seed, RandomStreams.INITIAL), endToEnd.fill(0), decomposition.fill(0)));
        return new Plan(parameters, initialise, sampling, scores, estimate, estimates).withState(Map.of("moments.e2e", endToEnd, "moments.dec", decomposition));
    }
}
