package plateau.check;

import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import plateau.kernel.SignalToNoise;

/** The float64 statistics of gradients against plain sums over the samples. */
final class SignalToNoiseCases {
    private static final double TOLERANCE = 1e-14;

    private SignalToNoiseCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("labelled_gradients", SignalToNoiseCases::labelledGradients),
                Row.random("gradient_moments", SignalToNoiseCases::gradientMoments),
                Row.random("signal_to_noise", SignalToNoiseCases::estimate));
    }

    private static void labelledGradients(KernelCase made, Draws draws) {
        int n = draws.choose(1, 2, 7, 31), weights = draws.choose(1, 2, 31, 100, 257), k = draws.choose(1, 2, 3, 4);
        boolean sloped = draws.random().nextBoolean();
        int summed = sloped ? k : 1, stride = sloped ? 1 : k, count = weights + 1;
        float scale = 3;
        float[] dscore = draws.floats(n * k), feature = draws.floats(n * k * weights), label = draws.signs(n * stride);
        Sums vector = new Sums(n * count);
        for (int i = 0; i < n; i++) {
            for (int c = 0; c < weights; c++) {
                for (int j = 0; j < summed; j++) {
                    double slope = sloped ? scale * (double) dscore[i * k + j] : 1;
                    vector.add(i * count + c, label[i * stride] * slope * feature[(i * k + j) * weights + c]);
                }
            }
            vector.add(i * count + weights, 1);
        }
        made.shape("n %d, weights %d, k %d, sloped %s".formatted(n, weights, k, sloped));
        made.runs(new SignalToNoise(made.device())
                .labelledGradients(
                        n,
                        weights,
                        k,
                        summed,
                        scale,
                        sloped ? made.input(dscore) : null,
                        made.input(feature),
                        stride,
                        made.input(label),
                        made.doubles("vector", null, vector.values(), vector.allowed(TOLERANCE))));
    }

    private static double[] normals(Draws draws, int count) {
        return DoubleStream.generate(draws.random()::nextGaussian).limit(count).toArray();
    }

    /** The upper triangle; what a kernel makes of the rest is its own affair. */
    private static void gradientMoments(KernelCase made, Draws draws) {
        int n = draws.choose(1, 2, 7, 61),
                weights = draws.choose(1, 2, 3, 4, 31, 100, 127, 128, 133),
                count = weights + 1;
        double[] vectors = normals(draws, n * count), before = normals(draws, count * count);
        Sums moment = new Sums(count * count);
        for (int a = 0; a < count; a++) {
            for (int b = 0; b < count; b++) {
                moment.add(a * count + b, before[a * count + b]);
                for (int i = 0; i < n; i++) {
                    moment.add(a * count + b, vectors[i * count + a] * vectors[i * count + b]);
                }
            }
        }
        double[] allowed = moment.allowed(TOLERANCE);
        for (int a = 0; a < count; a++) {
            Arrays.fill(allowed, a * count, a * count + a, Double.POSITIVE_INFINITY);
        }
        made.shape("n %d, weights %d".formatted(n, weights));
        made.runs(new SignalToNoise(made.device())
                .addMoments(n, weights, made.input(vectors), made.doubles("moment", before, moment.values(), allowed)));
    }

    /**
     * Moments of n vectors (g, 1), upper triangle; what lies below is NaN, since nobody may read
     * it.
     */
    private static double[] moments(double[] g, int n, int weights) {
        int count = weights + 1;
        double[] moment = new double[count * count];
        for (int a = 0; a < count; a++) {
            Arrays.fill(moment, a * count, a * count + a, Double.NaN);
            for (int b = a; b < count; b++) {
                for (int i = 0; i < n; i++) {
                    moment[a * count + b] +=
                            (a < weights ? g[i * weights + a] : 1) * (b < weights ? g[i * weights + b] : 1);
                }
            }
        }
        return moment;
    }

    /**
     * Sig, Noi, Sig/Noi, log, and the mean of products g_i g_j over all pairs of different samples,
     * straight from the samples; the variance of that mean by its formula.
     */
    private static double[] metrics(double[] g, int n, int weights) {
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

    private static void estimate(KernelCase made, Draws draws) {
        int n = draws.choose(2, 3, 17, 50),
                weights = draws.choose(1, 2, 7, 33, 100),
                slots = draws.choose(1, 3),
                step = draws.random().nextInt(50);
        double[] first = normals(draws, n * weights), second = normals(draws, n * weights);
        for (int i = 0; i < first.length; i++) {
            first[i] += 0.5;
            second[i] = 1e-4 * (second[i] + 0.05 * (i % weights));
        }
        double[] metrics = DoubleStream.concat(
                        DoubleStream.of(metrics(first, n, weights)), DoubleStream.of(metrics(second, n, weights)))
                .toArray();
        double[] allowed = new double[metrics.length];
        for (int i = 0; i < metrics.length; i++) {
            int metric = i % SignalToNoise.METRICS, own = i - metric;
            // An error of the ratio is relative, so its logarithm's is not; the unbiased Sig is a
            // difference.
            allowed[i] =
                    1e-5 * (metric == 3 ? 1 : metric == 4 ? metrics[own] + metrics[own + 1] : Math.abs(metrics[i]));
        }
        made.shape("n %d, weights %d, slots %d, step %d".formatted(n, weights, slots, step));
        made.runs(new SignalToNoise(made.device())
                .estimate(
                        weights,
                        made.input(moments(first, n, weights)),
                        made.input(moments(second, n, weights)),
                        made.input(step),
                        made.ring(slots, step, metrics, allowed),
                        slots));
    }
}
