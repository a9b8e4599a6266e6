package plateau.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import plateau.cuda.Device;
import plateau.reference.Seeds;

/** Investing by a softmax against the paper's sums. */
class StocksLossTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("softmax_dot", StocksLossTest::softmaxDot);
        cases.put("softmax_gradient_moments", StocksLossTest::gradientMoments);
        cases.put("stock_metrics", StocksLossTest::stockMetrics);
        return cases;
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

    private static KernelCase softmaxDot(Device device, Seeds seeds) {
        int rows = seeds.choose(SIZES), k = seeds.choose(SIZES), words = Math.ceilDiv(k, 32);
        boolean differentiated = seeds.random().nextBoolean(),
                decomposed = seeds.random().nextBoolean();
        float scale = 1f / rows, spread = seeds.choose(1, 30);
        float[] p = seeds.floats(rows * k), bias = seeds.floats(k);
        int[] label = seeds.ints(rows, k),
                signs =
                        IntStream.range(0, rows * words)
                                .map(i -> seeds.random().nextInt())
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
        KernelCase made = new KernelCase(
                device,
                "rows %d, k %d, decomposed %s, differentiated %s".formatted(rows, k, decomposed, differentiated));
        made.runs(new StocksLoss(device)
                .softmaxDot(
                        rows,
                        k,
                        scale,
                        made.input(p),
                        made.input(bias),
                        made.input(label),
                        decomposed ? null : made.input(signs),
                        made.sums("loss", loss, 3e-5),
                        differentiated ? made.sums("dp", dp, 3e-5, largestTerm) : null));
        return made;
    }

    /** Against the paper's sums over the Jacobian p_i (δ_ij − p_j), one after the other. */
    private static KernelCase gradientMoments(Device device, Seeds seeds) {
        int rows = seeds.choose(SIZES), k = 1 + seeds.choose(SIZES);
        float spread = seeds.choose(1, 6);
        float[] p = seeds.floats(rows * k), bias = seeds.floats(k);
        int[] label = seeds.ints(rows, k);
        double[] right = new double[rows], endToEnd = new double[rows], decomposed = new double[rows];
        for (int r = 0; r < rows; r++) {
            int largest = 0;
            for (int j = 0; j < k; j++) {
                p[r * k + j] *= spread;
                largest = p[r * k + j] + bias[j] > p[r * k + largest] + bias[largest] ? j : largest;
            }
            label[r] = seeds.random().nextBoolean() ? largest : label[r];
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
        KernelCase made = new KernelCase(device, "rows %d, k %d".formatted(rows, k));
        made.runs(new StocksLoss(device)
                .gradientMoments(
                        rows,
                        k,
                        made.input(p),
                        made.input(bias),
                        made.input(label),
                        made.output("right", right, 0),
                        made.output("end to end", endToEnd, 2e-5),
                        made.output("decomposed", decomposed, 2e-5)));
        return made;
    }

    private static KernelCase stockMetrics(Device device, Seeds seeds) {
        int n = seeds.choose(SIZES),
                d = seeds.choose(SIZES),
                k = seeds.choose(SIZES),
                slots = seeds.choose(1, 3, 8),
                step = seeds.random().nextInt(100),
                row = step % slots * 9;
        float[] loss = seeds.floats(n),
                exact = seeds.floats(d),
                right = seeds.losses(d),
                endToEnd = seeds.losses(d),
                decomposed = seeds.losses(d),
                mean = seeds.floats(k),
                before = new float[9 * slots];
        double most = Math.sqrt(doubleMean(decomposed) / k) / 2;
        for (int j = 0; j < k; j++) {
            mean[j] *= (float) most; // the square of a mean is below the mean square
        }
        double[] ring = new double[9 * slots];
        double signal = IntStream.range(0, k)
                        .mapToDouble(j -> mean[j] * (double) mean[j])
                        .sum()
                + IntStream.range(0, d)
                        .mapToDouble(i -> decomposed[i] / (double) d / d)
                        .sum();
        ring[row] = Float.intBitsToFloat(step);
        ring[row + 1] = doubleMean(loss);
        ring[row + 2] = doubleMean(exact);
        ring[row + 3] = doubleMean(right);
        ring[row + 4] = 2 * doubleMean(endToEnd) - signal;
        ring[row + 5] = Math.max(2 * doubleMean(decomposed) - signal, 0);
        ring[row + 6] = ring[row + 5] > 0 ? ring[row + 4] / ring[row + 5] : 0;
        ring[row + 7] = 2 * doubleMean(endToEnd);
        ring[row + 8] = 2 * doubleMean(decomposed);
        KernelCase made = new KernelCase(device, "n %d, d %d, k %d, slots %d, step %d".formatted(n, d, k, slots, step));
        made.runs(new StocksLoss(device)
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
                        made.outputOver("ring", before, ring, 1e-4),
                        slots));
        return made;
    }

    private static double doubleMean(float[] values) {
        return IntStream.range(0, values.length)
                .mapToDouble(i -> values[i])
                .average()
                .orElseThrow();
    }
}
