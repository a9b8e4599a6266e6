package plateau.check;

import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import plateau.kernel.StocksLoss;

/** Investing by a softmax against the paper's sums. */
final class StocksCases {
    private StocksCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("softmax_dot", StocksCases::softmaxDot),
                Row.random("softmax_gradient_moments", StocksCases::gradientMoments),
                Row.random("stock_metrics", StocksCases::stockMetrics));
    }

    /** softmax(p + bias) of one row, in float64. */
    private static double[] softmax(float[] p, float[] bias, int row) {
        int k = bias.length;
        double largest = IntStream.range(0, k)
                .mapToDouble(j -> p[row * k + j] + (double) bias[j])
                .max()
                .orElseThrow();
        double[] shares = IntStream.range(0, k)
                .mapToDouble(j -> Math.exp(p[row * k + j] + (double) bias[j] - largest))
                .toArray();
        double sum = DoubleStream.of(shares).sum();
        return DoubleStream.of(shares).map(share -> share / sum).toArray();
    }

    private static void softmaxDot(KernelCase made, Draws draws) {
        int rows = draws.size(), k = draws.size(), words = Math.ceilDiv(k, 32);
        boolean differentiated = draws.random().nextBoolean(),
                decomposed = draws.random().nextBoolean();
        float scale = 1f / rows, spread = draws.choose(1, 30);
        float[] p = draws.floats(rows * k), bias = draws.floats(k);
        int[] label = draws.ints(rows, k),
                signs =
                        IntStream.range(0, rows * words)
                                .map(i -> draws.random().nextInt())
                                .toArray();
        double[] loss = new double[rows], dp = new double[rows * k];
        double largestTerm = 0;
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < k; j++) {
                p[r * k + j] = 90 + spread * p[r * k + j]; // exponentials of these overflow a float
            }
            double[] share = softmax(p, bias, r), z = new double[k];
            for (int j = 0; j < k; j++) {
                z[j] = decomposed ? j == label[r] ? 1 : 0 : (signs[r * words + j / 32] >>> j % 32 & 1) == 0 ? 1 : -1;
                loss[r] -= z[j] * share[j];
            }
            for (int j = 0; j < k; j++) {
                dp[r * k + j] = scale * share[j] * (-loss[r] - z[j]);
                largestTerm = Math.max(largestTerm, scale * share[j]);
            }
        }
        made.shape("rows %d, k %d, decomposed %s, differentiated %s".formatted(rows, k, decomposed, differentiated));
        made.runs(new StocksLoss(made.device())
                .softmaxDot(
                        rows,
                        k,
                        scale,
                        made.input(p),
                        made.input(bias),
                        made.input(label),
                        decomposed ? null : made.input(signs),
                        made.output("loss", loss, 3e-5, 1),
                        differentiated ? made.output("dp", dp, 3e-5, largestTerm) : null));
    }

    /** Against the paper's sums over the Jacobian p_i (δ_ij − p_j), one after the other. */
    private static void gradientMoments(KernelCase made, Draws draws) {
        int rows = draws.size(), k = 1 + draws.size();
        float spread = draws.choose(1, 6);
        float[] p = draws.floats(rows * k), bias = draws.floats(k);
        int[] label = draws.ints(rows, k);
        double[] right = new double[rows], endToEnd = new double[rows], decomposed = new double[rows];
        for (int r = 0; r < rows; r++) {
            int largest = 0;
            for (int j = 0; j < k; j++) {
                p[r * k + j] *= spread;
                largest = p[r * k + j] + bias[j] > p[r * k + largest] + bias[largest] ? j : largest;
            }
            label[r] = draws.random().nextBoolean() ? largest : label[r];
            right[r] = label[r] == largest ? 1 : 0;
            double[] share = softmax(p, bias, r);
            for (int i = 0; i < k; i++) {
                double square = 0;
                for (int j = 0; j < k; j++) {
                    square += Math.pow(share[i] * ((i == j ? 1 : 0) - share[j]), 2);
                }
                endToEnd[r] += square;
                decomposed[r] += i == label[r] ? square : 0;
            }
        }
        made.shape("rows %d, k %d".formatted(rows, k));
        made.runs(new StocksLoss(made.device())
                .gradientMoments(
                        rows,
                        k,
                        made.input(p),
                        made.input(bias),
                        made.input(label),
                        made.output("right", right, 0),
                        made.output("end to end", endToEnd, 2e-5),
                        made.output("decomposed", decomposed, 2e-5)));
    }

    private static void stockMetrics(KernelCase made, Draws draws) {
        int n = draws.size(),
                d = draws.size(),
                k = draws.size(),
                slots = draws.choose(1, 3, 8),
                step = draws.random().nextInt(100);
        float[] loss = draws.floats(n),
                exact = draws.floats(d),
                right = draws.losses(d),
                endToEnd = draws.losses(d),
                decomposed = draws.losses(d),
                mean = draws.floats(k);
        double most = Math.sqrt(doubleMean(decomposed) / k) / 2;
        for (int j = 0; j < k; j++) {
            mean[j] *= (float) most; // the square of a mean is below the mean square
        }
        double signal = IntStream.range(0, k)
                        .mapToDouble(j -> mean[j] * (double) mean[j])
                        .sum()
                + IntStream.range(0, d)
                        .mapToDouble(i -> decomposed[i] / (double) d / d)
                        .sum();
        double endToEndNoise = 2 * doubleMean(endToEnd) - signal,
                noise = Math.max(2 * doubleMean(decomposed) - signal, 0);
        double[] metrics = {
            doubleMean(loss),
            doubleMean(exact),
            doubleMean(right),
            endToEndNoise,
            noise,
            noise > 0 ? endToEndNoise / noise : 0,
            2 * doubleMean(endToEnd),
            2 * doubleMean(decomposed)
        };
        made.shape("n %d, d %d, k %d, slots %d, step %d".formatted(n, d, k, slots, step));
        made.runs(new StocksLoss(made.device())
                .metrics(
                        n,
                        d,
                        k,
                        made.input(loss),
                        made.input(exact),
                        made.input(right),
                        made.input(endToEnd),
                        made.input(decomposed),
                        made.input(mean),
                        made.input(step),
                        made.ring(slots, step, metrics, 1e-4),
                        slots));
    }

    private static double doubleMean(float[] values) {
        return IntStream.range(0, values.length)
                .mapToDouble(i -> values[i])
                .average()
                .orElseThrow();
    }
}
