package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Launch;
import plateau.cuda.Work;
import plateau.cuda.load.KernelImages;
import plateau.reference.Seeds;
import plateau.reference.TestDevice;

/**
 * The float64 statistics of gradients, each kernel against plain sums at random shapes, as used and
 * at every block size; the estimates against what they estimate.
 */
class SignalToNoiseTest {
    private static final int ROUNDS = 4;

    /** @param block real threads; 0: as used */
    private static Device open(int block) {
        return TestDevice.open(block == 0 ? KernelImages.PRODUCTION : KernelImages.FIBERS);
    }

    private static void run(Device device, Work work, int block) {
        KernelRuns.run(device, block == 0 ? work : ((Launch) work).withBlock(block));
    }

    private static DeviceBuffer upload(Device device, double[] values) {
        int[] words = new int[2 * values.length];
        ByteBuffer bytes = ByteBuffer.allocate(words.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asDoubleBuffer().put(values);
        bytes.asIntBuffer().get(words);
        return device.upload(words);
    }

    private static double[] normals(Seeds seeds, int count) {
        return DoubleStream.generate(seeds.random()::nextGaussian).limit(count).toArray();
    }

    @RunsKernels("labelled_gradients")
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 32, 256, 1024})
    void gradientsAreLabelsTimesSlopesTimesFeatures(int block) {
        for (int round = 0; round < ROUNDS; round++) {
            Seeds seeds = Seeds.next();
            int n = seeds.choose(1, 2, 7, 31), weights = seeds.choose(1, 2, 31, 100, 257), k = seeds.choose(1, 2, 3, 4);
            boolean sloped = seeds.random().nextBoolean();
            int summed = sloped ? k : 1, stride = sloped ? 1 : k;
            float scale = 3;
            float[] dscore = seeds.floats(n * k),
                    feature = seeds.floats(n * k * weights),
                    label = seeds.signs(n * stride);
            try (Device device = open(block);
                    DeviceBuffer slopes = device.upload(dscore);
                    DeviceBuffer features = device.upload(feature);
                    DeviceBuffer labels = device.upload(label);
                    DeviceBuffer vector = device.allocate((weights + 1L) * n * Double.BYTES)) {
                Launch launch = (Launch) new SignalToNoise(device)
                        .labelledGradients(
                                n, weights, k, summed, scale, sloped ? slopes : null, features, stride, labels, vector);
                run(device, launch, block);
                double[] got = vector.toDoubles();
                for (int i = 0; i < n; i++) {
                    for (int c = 0; c <= weights; c++) {
                        double g = c == weights ? 1 : 0;
                        for (int j = 0; c < weights && j < summed; j++) {
                            g += label[i * stride]
                                    * (sloped ? scale * (double) dscore[i * k + j] : 1)
                                    * feature[(i * k + j) * weights + c];
                        }
                        assertEquals(
                                g,
                                got[i * (weights + 1) + c],
                                1e-13 * (1 + Math.abs(g)),
                                seeds.message(
                                        "n %d, weights %d, k %d, sample %d, weight %d".formatted(n, weights, k, i, c)));
                    }
                }
            }
        }
    }

    @RunsKernels("gradient_moments")
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 32, 96, 256, 1024})
    void momentsAreAddedInFloat64(int block) {
        for (int round = 0; round < ROUNDS; round++) {
            Seeds seeds = Seeds.next();
            int n = seeds.choose(1, 2, 7, 61),
                    weights = seeds.choose(1, 2, 3, 4, 31, 100, 127, 128, 133),
                    count = weights + 1;
            double[] vectors = normals(seeds, n * count), before = normals(seeds, count * count);
            try (Device device = open(block);
                    DeviceBuffer vector = upload(device, vectors);
                    DeviceBuffer moment = upload(device, before)) {
                run(device, new SignalToNoise(device).addMoments(n, weights, vector, moment), block);
                double[] got = moment.toDoubles();
                for (int a = 0; a < count; a++) {
                    for (int b = a; b < count; b++) {
                        double sum = before[a * count + b];
                        for (int i = 0; i < n; i++) {
                            sum += vectors[i * count + a] * vectors[i * count + b];
                        }
                        assertEquals(
                                sum,
                                got[a * count + b],
                                1e-12 * n,
                                seeds.message("n %d, weights %d, row %d, column %d".formatted(n, weights, a, b)));
                    }
                }
            }
        }
    }

    /**
     * Moments of n vectors (g, 1), upper triangle; what lies below is NaN, since nobody may read
     * it.
     */
    private static double[] moments(double[] g, int n, int weights) {
        int count = weights + 1;
        double[] moment = new double[count * count];
        for (int a = 0; a < count; a++) {
            for (int b = 0; b < count; b++) {
                for (int i = 0; i < n; i++) {
                    moment[a * count + b] +=
                            (a < weights ? g[i * weights + a] : 1) * (b < weights ? g[i * weights + b] : 1);
                }
                moment[a * count + b] = b < a ? Double.NaN : moment[a * count + b];
            }
        }
        return moment;
    }

    /**
     * Sig, Noi, Sig/Noi, log, and the mean of products g_i g_j over all pairs of different samples,
     * straight from the samples; the variance of that mean by its formula.
     */
    private static double[] expected(double[] g, int n, int weights) {
        double[] mean = new double[weights];
        double sig = 0, noi = 0, pairs = 0, along = 0, spread = 0;
        for (int i = 0; i < n * weights; i++) {
            mean[i % weights] += g[i] / n;
        }
        for (int c = 0; c < weights; c++) {
            sig += mean[c] * mean[c];
        }
        for (int i = 0; i < n; i++) {
            for (int c = 0; c < weights; c++) {
                noi += Math.pow(g[i * weights + c] - mean[c], 2) / n;
                for (int j = 0; j < n; j++) {
                    pairs += i == j ? 0 : g[i * weights + c] * g[j * weights + c] / n / (n - 1.0);
                }
            }
        }
        for (int a = 0; a < weights; a++) {
            for (int b = 0; b < weights; b++) {
                double covariance = 0;
                for (int i = 0; i < n; i++) {
                    covariance += (g[i * weights + a] - mean[a]) * (g[i * weights + b] - mean[b]) / n;
                }
                along += mean[a] * covariance * mean[b];
                spread += covariance * covariance;
            }
        }
        double variance = 4.0 / n * Math.max(0, along - spread / n) + 2.0 / (n * (n - 1.0)) * spread;
        return new double[] {sig, noi, sig / noi, Math.log(sig / noi), pairs, Math.sqrt(variance)};
    }

    @RunsKernels("signal_to_noise")
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 32, 96, 256, 1024})
    void estimatesAreThoseOfTheSamples(int block) {
        for (int round = 0; round < ROUNDS; round++) {
            Seeds seeds = Seeds.next();
            int n = seeds.choose(2, 3, 17, 50),
                    weights = seeds.choose(1, 2, 7, 33, 100),
                    slots = seeds.choose(1, 3),
                    step = seeds.random().nextInt(50);
            double[] first = normals(seeds, n * weights), second = normals(seeds, n * weights);
            for (int i = 0; i < first.length; i++) {
                first[i] += 0.5;
                second[i] = 1e-4 * (second[i] + 0.05 * (i % weights));
            }
            try (Device device = open(block);
                    DeviceBuffer one = upload(device, moments(first, n, weights));
                    DeviceBuffer other = upload(device, moments(second, n, weights));
                    DeviceBuffer counter = device.upload(step);
                    DeviceBuffer ring = device.allocate(13L * slots * Float.BYTES)) {
                run(device, new SignalToNoise(device).estimate(weights, one, other, counter, ring, slots), block);
                float[] got = ring.toFloats();
                int row = step % slots * 13;
                assertEquals(step, Float.floatToRawIntBits(got[row]));
                for (int approach = 0; approach < 2; approach++) {
                    double[] want = expected(approach == 0 ? first : second, n, weights);
                    for (int m = 0; m < 6; m++) {
                        // An error of the ratio is relative, so its logarithm's is not; the
                        // unbiased Sig is a difference.
                        double scale = m == 3 ? 1 : m == 4 ? want[0] + want[1] : Math.abs(want[m]);
                        assertEquals(
                                want[m],
                                got[row + 1 + 6 * approach + m],
                                1e-5 * scale,
                                seeds.message("n %d, weights %d, metric %d".formatted(n, weights, m)));
                    }
                }
            }
        }
    }

    /**
     * Over 400 experiments of 300 samples the unbiased estimate is right on average, and misses by
     * its standard error; the plain one is too large by Noi/n.
     */
    @Test
    void theUnbiasedEstimateAndItsErrorAreRight() {
        Seeds seeds = Seeds.next();
        int experiments = 400, n = 300, weights = 5;
        double truth = 0, mean = 0, square = 0, claimed = 0, plain = 0;
        for (int c = 0; c < weights; c++) {
            truth += Math.pow(0.03 * c, 2);
        }
        try (Device device = open(0);
                DeviceBuffer counter = device.upload(0);
                DeviceBuffer ring = device.allocate(13L * Float.BYTES)) {
            for (int e = 0; e < experiments; e++) {
                double[] g = normals(seeds, n * weights);
                for (int i = 0; i < g.length; i++) {
                    g[i] = (1 + i % weights) * 0.2 * g[i] + 0.03 * (i % weights);
                }
                try (DeviceBuffer moment = upload(device, moments(g, n, weights))) {
                    run(device, new SignalToNoise(device).estimate(weights, moment, moment, counter, ring, 1), 0);
                }
                float[] got = ring.toFloats();
                mean += got[5] / experiments;
                square += Math.pow(got[5] - truth, 2) / experiments;
                claimed += Math.pow(got[6], 2) / experiments;
                plain += got[1] / experiments;
            }
        }
        double error = Math.sqrt(square / experiments);
        assertEquals(truth, mean, 5 * error, seeds.message("mean"));
        assertEquals(1, claimed / square, 0.4, seeds.message("claimed variance over the true one"));
        assertTrue(plain - truth > 5 * error, seeds.message("the plain estimate's bias"));
    }
}
