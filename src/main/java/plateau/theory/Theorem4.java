package plateau.theory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.apache.commons.statistics.distribution.NormalDistribution;
import plateau.autograd.Kernels;
import plateau.cuda.DeviceBuffer;
import plateau.experiment.SymmetricMatrix;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.kernel.PwlData;
import plateau.kernel.PwlEncoding;
import plateau.kernel.Spectra;
import plateau.kernel.Statistics;
import plateau.results.Numbers;
import plateau.results.Table;
import plateau.results.Verdict;

/**
 * Section 4: W and its inverse (lemma 1), gradient descent on the inverse (lemma 2), how slow it is
 * (theorem 4), and the same for the convolution, conditioned or not (appendix B.6 and B.7).
 */
final class Theorem4 implements Statement {
    private static final double LARGEST_EIGENVALUE = 16;
    private static final int POWER_STEPS = 40;
    private static final int BATCHES = 10;

    /** Of a test over all entries of a matrix together. */
    private static final double LEVEL = 0.01;

    private static final int CURVES = 4;
    private static final int CONDITIONING = 5;

    /**
     * The condition number of WᵀW, between two bounds.
     *
     * @param top λ₁(WᵀW), within {@code error}
     */
    private record Condition(int n, double top, double error, double smallestInverse) {

        double low() {
            return (top - error) * smallestInverse;
        }

        double high() {
            return (top + error) * LARGEST_EIGENVALUE;
        }
    }

    /** Of the convolution's 3 × 3 matrix C: mean and standard error over batches of curves. */
    private record Convolution(PwlData.Law law, int n, double condition, double error) {}

    /** Iterations of gradient descent. */
    private record Iterations(String what, int n, double condition, double least, double most, long taken) {}

    @Override
    public String name() {
        return "theorem-4";
    }

    @Override
    public String title() {
        return "Condition numbers and iterations";
    }

    @Override
    public String source() {
        return "section 4: lemmas 1 and 2, theorem 4, appendix B.6 and B.7";
    }

    @Override
    public String about() {
        return "A curve f = W p is to be encoded as p = W⁻¹ f. How many iterations gradient descent takes is decided"
            + " by a condition number: that of WᵀW for a full matrix, that of a 3 × 3 matrix C of neighbouring values"
            + " for a convolution, and about 1 once its inputs are multiplied by C^(−1/2). No n × n matrix is made: W"
            + " x is x summed up twice, W⁻¹ x its second differences. All of this is in float64, since the condition"
            + " number passes a float's digits at n = 64. λ₁(WᵀW) comes of the power method, and lies within its last"
            + " residual of Rayleigh's quotient r; it is the largest, since r is more than half of the trace"
            + " n(n+1)²(n+2)/12. The smallest eigenvalue is 1 over the largest of UᵀU, which is at most 16 (the rows"
            + " of U sum to 4 in size) and at least the quotient of an alternating vector.";
    }

    @Override
    public Finding measure(Kernels kernels, Scale scale) {
        List<Condition> conditions = IntStream.of(10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
                .mapToObj(n -> condition(kernels, n))
                .toList();
        List<Check> checks = new ArrayList<>();
        checks.add(lemma1(kernels, scale));
        checks.add(lemma2(kernels, scale));
        List<Check> order = order(conditions);
        checks.add(divergence(kernels, conditions.getFirst()));
        List<Iterations> iterations = new ArrayList<>();
        for (int n : scale.choose(new int[] {8, 12, 16, 24}, new int[] {8, 12, 16, 24, 32, 40})) {
            iterations.add(descent(kernels, condition(kernels, n)));
        }
        checks.add(slow(iterations));
        checks.addAll(order);
        List<Convolution> convolutions = new ArrayList<>();
        for (PwlData.Law law : List.of(PwlData.Law.PAPER, PwlData.Law.PROGRAM)) {
            for (int n : scale.choose(
                    new int[] {25, 50, 100, 200, 400, 800, 1600}, new int[] {25, 50, 100, 200, 400, 800, 1600, 3200})) {
                convolutions.add(convolution(kernels, scale, law, n));
            }
        }
        for (PwlData.Law law : List.of(PwlData.Law.PAPER, PwlData.Law.PROGRAM)) {
            checks.add(convolutionOrder(convolutions, law));
        }
        List<Iterations> regressions = new ArrayList<>();
        for (int n : scale.choose(new int[] {25, 50, 100}, new int[] {25, 50, 100, 200})) {
            regressions.add(regression(kernels, scale, n, false));
            regressions.add(regression(kernels, scale, n, true));
        }
        checks.add(conditioned(kernels, scale));
        checks.add(regressionBounds(regressions));
        Table.Builder table = new Table.Builder(
                "part", "n", "condition", "condition_low", "condition_high", "least", "most", "taken");
        conditions.forEach(each -> table.add(
                "WtW", each.n, Math.sqrt(each.low() * each.high()), each.low(), each.high(), null, null, null));
        convolutions.forEach(each -> table.add(
                "C, " + each.law.name().toLowerCase(Locale.ROOT) + " curves",
                each.n,
                each.condition,
                each.condition - Fit.SPREAD * each.error,
                each.condition + Fit.SPREAD * each.error,
                null,
                null,
                null));
        for (List<Iterations> part : List.of(iterations, regressions)) {
            part.forEach(each ->
                    table.add(each.what, each.n, each.condition, null, null, each.least, each.most, each.taken));
        }
        return new Finding(
                checks,
                table.table(),
                List.of(drawing(conditions, convolutions, iterations, regressions)),
                notes(conditions));
    }

    // Lemma 1.

    private static Check lemma1(Kernels kernels, Scale scale) {
        long compared = 0;
        long wrong = 0;
        for (int n : new int[] {1, 2, 3, 10, 100, 1000, 10_000}) {
            // All unit vectors, whose images are W's columns; of large n some integer vectors.
            int rows = n <= 100 ? n : 8;
            double[] x = new double[rows * n];
            RandomGenerator random =
                    RandomGeneratorFactory.of("L64X128MixRandom").create(scale.seed() + n);
            for (int i = 0; i < rows * n; i++) {
                x[i] = n <= 100 ? (i % (n + 1) == 0 ? 1 : 0) : random.nextInt(-9, 10);
            }
            Spectra spectra = kernels.get(Spectra.class, Spectra::new);
            try (Computation computation = new Computation(kernels)) {
                DeviceBuffer from = computation.upload(x);
                DeviceBuffer once = computation.doubles(rows * (long) n);
                DeviceBuffer image = computation.doubles(rows * (long) n);
                DeviceBuffer back = computation.doubles(rows * (long) n);
                DeviceBuffer other = computation.doubles(rows * (long) n);
                computation.run(
                        spectra.runningSums(rows, n, false, from, once),
                        spectra.runningSums(rows, n, false, once, image),
                        spectra.secondDifferences(rows, n, false, image, back),
                        spectra.secondDifferences(rows, n, false, from, once),
                        spectra.runningSums(rows, n, false, once, other),
                        spectra.runningSums(rows, n, false, other, once));
                double[] columns = image.toDoubles();
                double[] left = back.toDoubles();
                double[] right = once.toDoubles();
                for (int i = 0; i < x.length; i++) {
                    int row = i / n;
                    int at = i % n;
                    wrong += left[i] != x[i] ? 1 : 0;
                    wrong += right[i] != x[i] ? 1 : 0;
                    wrong += n <= 100 && columns[i] != Math.max(0, at - row + 1) ? 1 : 0;
                    compared += n <= 100 ? 3 : 2;
                }
            }
        }
        return new Check(
                "lemma 1",
                "W⁻¹ = U, with 1, −2, 1 on and below the diagonal",
                "U W x = W U x = x, and W e_j is the column max(0, i − j + 1)",
                "%,d of %,d numbers differ, n = 1 … 10,000".formatted(wrong, compared),
                "holds if none differs: these are integers, and exact",
                wrong == 0 ? Verdict.HOLDS : Verdict.DOES_NOT_HOLD);
    }

    // Theorem 4's condition number.

    private static Condition condition(Kernels kernels, int n) {
        Spectra spectra = kernels.get(Spectra.class, Spectra::new);
        try (Computation computation = new Computation(kernels)) {
            double[] ones = new double[n];
            double[] alternating = new double[n];
            for (int i = 0; i < n; i++) {
                ones[i] = 1;
                alternating[i] = (i % 2 == 0 ? 1 : -1) * Math.sin(Math.PI * (i + 1) / (n + 1));
            }
            DeviceBuffer x = computation.upload(ones);
            DeviceBuffer a = computation.doubles(n);
            DeviceBuffer b = computation.doubles(n);
            DeviceBuffer result = computation.doubles(2);
            for (int step = 0; step < POWER_STEPS; step++) {
                computation.enqueue(
                        spectra.runningSums(1, n, false, x, a),
                        spectra.runningSums(1, n, false, a, b),
                        spectra.runningSums(1, n, true, b, a),
                        spectra.runningSums(1, n, true, a, b),
                        spectra.powerStep(1, n, x, b, result));
            }
            computation.run();
            double[] top = result.toDoubles();
            double trace = n * Math.pow(n + 1.0, 2) * (n + 2.0) / 12;
            if (!(top[0] - top[1] > trace / 2)) {
                throw new ArithmeticException(
                        "the power method's quotient %s is no more than half of the trace %s".formatted(top[0], trace));
            }
            DeviceBuffer y = computation.upload(alternating);
            computation.run(
                    spectra.secondDifferences(1, n, false, y, a),
                    spectra.secondDifferences(1, n, true, a, b),
                    spectra.powerStep(1, n, y, b, result));
            return new Condition(n, top[0], top[1], result.toDoubles()[0]);
        }
    }

    private static List<Check> order(List<Condition> conditions) {
        List<Condition> large =
                conditions.stream().filter(each -> each.n >= 100).toList();
        double[] n = large.stream().mapToDouble(each -> each.n).toArray();
        Fit fit = Fit.power(n, large.stream().mapToDouble(Condition::low).toArray());
        Condition last = conditions.getLast();
        return List.of(new Check(
                "theorem 4",
                "The condition number of WᵀW is Ω(n^3.5)",
                "an exponent of at least 3.5",
                "exponent %s over n = 100 … 10,000; at n = %,d between %s and %s, %.4f n⁴"
                        .formatted(
                                fit,
                                last.n,
                                Numbers.rounded(last.low()),
                                Numbers.rounded(last.high()),
                                last.low() / Math.pow(last.n, 4)),
                "holds if the exponent less 2 standard errors is at least 3.5",
                fit.atLeast(3.5)));
    }

    // Theorem 4's bounds.

    /** η λ S₁² = rate: I − (rate / λ₁) W Wᵀ. */
    private static double[] recursion(int n, double top, double rate) {
        double[] matrix = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double product = 0; // (W Wᵀ)ᵢⱼ
                for (int k = 0; k <= Math.min(i, j); k++) {
                    product += (i - k + 1.0) * (j - k + 1.0);
                }
                matrix[i * n + j] = (i == j ? 1 : 0) - rate / top * product;
            }
        }
        return matrix;
    }

    /** Uᵀ y for the unit vector y of alternating signs, which U stretches most. */
    private static double[] start(int n) {
        double[] y = new double[n + 2];
        double length = 0;
        for (int i = 0; i < n; i++) {
            y[i] = (i % 2 == 0 ? 1 : -1) * Math.sin(Math.PI * (i + 1) / (n + 1));
            length += y[i] * y[i];
        }
        double norm = Math.sqrt(length);
        return IntStream.range(0, n)
                .mapToDouble(i -> (y[i] - 2 * y[i + 1] + y[i + 2]) / norm)
                .toArray();
    }

    private static int taken(Kernels kernels, int n, int steps, double threshold, double[] matrix, double[] x) {
        try (Computation computation = new Computation(kernels)) {
            DeviceBuffer taken = computation.words(1);
            computation.run(kernels.get(Spectra.class, Spectra::new)
                    .iterationsUntil(1, n, steps, threshold, computation.upload(matrix), computation.upload(x), taken));
            return taken.toInts()[0];
        }
    }

    private static Check divergence(Kernels kernels, Condition condition) {
        int n = condition.n;
        int steps = (int) (20 * condition.high());
        List<String> seen = new ArrayList<>();
        boolean wrong = false;
        for (double rate : new double[] {0.5, 0.99, 1, 1.5, 1.9, 2.1}) {
            int took = taken(kernels, n, steps, 1e-3, recursion(n, condition.top, rate), start(n));
            boolean converges = took <= steps;
            seen.add("%s %s".formatted(rate, converges ? "converges in %,d".formatted(took) : "does not"));
            wrong |= converges == (rate >= 1);
        }
        return new Check(
                "theorem 4",
                "If ηλS₁² ≥ 1, then E Û_t diverges",
                "convergence below 1, divergence from 1 on",
                "ηλS₁² = " + String.join(", ", seen) + " (n = " + n + ", to within 10⁻³ of U)",
                "holds if each of the rates converges or not as it should",
                wrong ? Verdict.DOES_NOT_HOLD : Verdict.HOLDS);
    }

    /**
     * With ηλS₁² = 1, until (E Û_t − U)ᵀ y is no longer than ½ for one y: ‖E Û_t − U‖ takes as
     * long, or longer.
     */
    private static Iterations descent(Kernels kernels, Condition condition) {
        int n = condition.n;
        double least = condition.low() / 2;
        int took = taken(kernels, n, (int) (6 * condition.high()), 0.5, recursion(n, condition.top, 1), start(n));
        double smallest = 1 / condition.smallestInverse; // S_n²
        double predicted = Math.log(0.5 * Math.sqrt(smallest)) / Math.log1p(-smallest / condition.top);
        return new Iterations("full matrix, to within 0.5", n, condition.high(), least, predicted, took);
    }

    private static Check slow(List<Iterations> iterations) {
        boolean wrong = iterations.stream().anyMatch(each -> each.taken < each.least);
        String each = String.join(
                "; ",
                iterations.stream()
                        .map(one -> "n = %d: %,d, bound %,.0f, predicted %,.0f"
                                .formatted(one.n, one.taken, one.least, one.most))
                        .toList());
        return new Check(
                "theorem 4",
                "As long as t + 1 ≤ S₁²/(2 S_n²), ‖E Û_{t+1} − U‖ ≥ ½",
                "at least half the condition number of iterations",
                each,
                "holds if no n takes fewer, at ηλS₁² = 1; predicted: ln(½ S_n)/ln(1 − S_n²/S₁²)",
                wrong ? Verdict.DOES_NOT_HOLD : Verdict.HOLDS);
    }

    // Lemma 2.

    private static Check lemma2(Kernels kernels, Scale scale) {
        int n = 12;
        int runs = scale.choose(1 << 15, 1 << 18);
        int steps = 30;
        double pieces = 3;
        double lambda = pieces / n / 3; // E p pᵀ = λ I: three changes of variance ⅓ at n places
        double trace = n * Math.pow(n + 1.0, 2) * (n + 2.0) / 12;
        float rate = (float) (0.1 / (lambda * trace));
        Spectra spectra = kernels.get(Spectra.class, Spectra::new);
        double worst = 0;
        double length = 0;
        try (Computation computation = new Computation(kernels)) {
            DeviceBuffer step = computation.upload(0);
            DeviceBuffer seed = computation.upload(scale.seed());
            DeviceBuffer f = computation.words((long) runs * n);
            DeviceBuffer p = computation.words((long) runs * n);
            DeviceBuffer u = computation.words((long) runs * n * n);
            DeviceBuffer moments = computation.doubles(2L * n * n);
            computation.enqueue(u.fill(0));
            for (int i = 0; i < steps; i++) {
                computation.enqueue(
                        kernels.pwlData().curves(runs, n, 0, PwlData.Law.PAPER, seed, CURVES, step, f, p),
                        spectra.matrixSgd(runs, n, rate, f, p, u),
                        kernels.counter().advance(step));
            }
            computation.run(kernels.get(Statistics.class, Statistics::new).columnMoments(runs, n * n, u, moments));
            double[] sums = moments.toDoubles();
            double[] expected = expectation(n, steps, rate * lambda);
            for (int i = 0; i < n * n; i++) {
                double mean = sums[2 * i] / runs;
                double variance = sums[2 * i + 1] / runs - mean * mean;
                worst = Math.max(worst, Math.abs(mean - expected[i]) / Math.sqrt(variance / runs));
                length += expected[i] * expected[i];
            }
        }
        double most = NormalDistribution.of(0, 1).inverseSurvivalProbability(LEVEL / 2 / (n * n));
        return new Check(
                "lemma 2",
                "E Û_t = ηλWᵀ Σ_{i<t} (I − ηλWWᵀ)^i under stochastic gradient descent",
                "each of the %d entries, by its standard error".formatted(n * n),
                "largest deviation %.2f standard errors over %,d runs, t = %d, n = %d (‖E Û_t‖ is %s)"
                        .formatted(worst, runs, steps, n, Numbers.rounded(Math.sqrt(length))),
                "holds if none deviates by more than %.2f: one chance in a hundred for all together".formatted(most),
                worst <= most ? Verdict.HOLDS : Verdict.DOES_NOT_HOLD);
    }

    /** The lemma's formula, by M ← M (I − c WWᵀ) + c Wᵀ from 0. */
    private static double[] expectation(int n, int steps, double c) {
        double[] factor = recursion(n, 1, c);
        double[] m = new double[n * n];
        for (int step = 0; step < steps; step++) {
            double[] next = new double[n * n];
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = c * Math.max(0, j - i + 1);
                    for (int k = 0; k < n; k++) {
                        sum += m[i * n + k] * factor[k * n + j];
                    }
                    next[i * n + j] = sum;
                }
            }
            m = next;
        }
        return m;
    }

    // The convolution.

    /** Means over curves of the products of three neighbours, batch after batch. */
    private static List<double[][]> moments(
            Kernels kernels, long seed, int stream, PwlData.Law law, int n, int batches, int curves) {
        List<double[][]> all = new ArrayList<>();
        try (Computation computation = new Computation(kernels)) {
            DeviceBuffer key = computation.upload(seed);
            DeviceBuffer f = computation.words((long) curves * n);
            DeviceBuffer moments = computation.doubles((long) curves * PwlEncoding.MOMENTS);
            for (int batch = 0; batch < batches; batch++) {
                computation.run(
                        kernels.pwlData().curves(curves, n, 0, law, key, stream, computation.upload(batch), f, null),
                        kernels.pwlEncoding().moments(curves, n, f, moments));
                double[] each = moments.toDoubles();
                double[] mean = new double[PwlEncoding.MOMENTS];
                for (int i = 0; i < each.length; i++) {
                    mean[i % PwlEncoding.MOMENTS] += each[i] / curves / (n - 2);
                }
                all.add(new double[][] {
                    {mean[0], mean[1], mean[2]}, {mean[1], mean[3], mean[4]}, {mean[2], mean[4], mean[5]}
                });
            }
        }
        return all;
    }

    private static double condition(double[][] matrix) {
        double[] values = SymmetricMatrix.eigenvalues(matrix);
        return values[0] / values[values.length - 1];
    }

    private static Convolution convolution(Kernels kernels, Scale scale, PwlData.Law law, int n) {
        double[] each = moments(kernels, scale.seed(), CURVES, law, n, BATCHES, scale.choose(1000, 4000)).stream()
                .mapToDouble(Theorem4::condition)
                .toArray();
        double mean = Arrays.stream(each).average().orElseThrow();
        double variance =
                Arrays.stream(each).map(value -> Math.pow(value - mean, 2)).sum() / (each.length - 1);
        return new Convolution(law, n, mean, Math.sqrt(variance / each.length));
    }

    private static Check convolutionOrder(List<Convolution> convolutions, PwlData.Law law) {
        List<Convolution> of = convolutions.stream()
                .filter(each -> each.law == law && each.n >= 50)
                .toList();
        Fit fit = Fit.power(
                of.stream().mapToDouble(each -> each.n).toArray(),
                of.stream().mapToDouble(Convolution::condition).toArray());
        Convolution last = of.getLast();
        return new Check(
                "section 4.1.2, appendix B.7",
                "The convolution's condition number is Θ(n³) ("
                        + (law == PwlData.Law.PAPER ? "curves as in the paper" : "curves as in the authors' program")
                        + ")",
                "an exponent of 3",
                "exponent %s over n = 50 … %,d; at n = %,d it is %s, ± %.1f %%"
                        .formatted(
                                fit,
                                last.n,
                                last.n,
                                Numbers.rounded(last.condition),
                                100 * last.error / last.condition),
                "holds if the exponent ± 2 standard errors lies between 2.9 and 3.1",
                fit.within(2.9, 3.1));
    }

    private static Check conditioned(Kernels kernels, Scale scale) {
        int n = 100;
        double[][] root = SymmetricMatrix.inverseSquareRoot(
                moments(kernels, scale.seed(), CONDITIONING, PwlData.Law.PAPER, n, 1, 10_000)
                        .getFirst());
        double[] each = moments(kernels, scale.seed(), CURVES, PwlData.Law.PAPER, n, BATCHES, 10_000).stream()
                .mapToDouble(c -> condition(product(product(root, c), root)))
                .toArray();
        double worst = Arrays.stream(each).max().orElseThrow();
        return new Check(
                "section 4.1.3",
                "With inputs times C^(−1/2), the condition number is about 1",
                "1",
                "at most %s over %d batches of fresh curves, C from 10,000 others, n = %d"
                        .formatted(Numbers.rounded(worst), BATCHES, n),
                "holds up to 1.5, does not hold from 2 on",
                worst <= 1.5 ? Verdict.HOLDS : worst >= 2 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED);
    }

    private static double[][] product(double[][] a, double[][] b) {
        int n = a.length;
        double[][] c = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                for (int k = 0; k < n; k++) {
                    c[i][j] += a[i][k] * b[k][j];
                }
            }
        }
        return c;
    }

    /** Gradient descent to the filter (1, −2, 1), at η = 1/λ₁, to within 0.1 of its length. */
    private static Iterations regression(Kernels kernels, Scale scale, int n, boolean conditioned) {
        double[][] c = moments(kernels, scale.seed(), CURVES, PwlData.Law.PAPER, n, 1, 10_000)
                .getFirst();
        double[] filter = {1, -2, 1};
        if (conditioned) {
            double[][] root = SymmetricMatrix.inverseSquareRoot(
                    moments(kernels, scale.seed(), CONDITIONING, PwlData.Law.PAPER, n, 1, 10_000)
                            .getFirst());
            double[][] inverse = SymmetricMatrix.inverseSquareRoot(product(root, root));
            double[] moved = new double[filter.length];
            for (int i = 0; i < filter.length; i++) {
                for (int j = 0; j < filter.length; j++) {
                    moved[i] += inverse[i][j] * filter[j]; // C^(1/2) w*, what is learnt in its place
                }
            }
            filter = moved;
            c = product(product(root, c), root);
        }
        double[] values = SymmetricMatrix.eigenvalues(c);
        double top = values[0];
        double condition = top / values[2];
        double length = Math.sqrt(DoubleStream.of(filter).map(w -> w * w).sum());
        double tolerance = 0.1 * length;
        double[] matrix = new double[9];
        for (int i = 0; i < 9; i++) {
            matrix[i] = (i % 4 == 0 ? 1 : 0) - c[i / 3][i % 3] / top;
        }
        double most = condition * Math.log(length / tolerance);
        int took = taken(kernels, 3, (int) Math.min(Integer.MAX_VALUE - 2, 2 * most + 10), tolerance, matrix, filter);
        return new Iterations(
                conditioned ? "conditioned convolution, to within 0.1" : "convolution, to within 0.1",
                n,
                condition,
                conditioned ? 0 : 0.5 * condition,
                most,
                took);
    }

    private static Check regressionBounds(List<Iterations> regressions) {
        boolean wrong = regressions.stream()
                .anyMatch(each -> each.taken < Math.floor(each.least) || each.taken > Math.ceil(each.most) + 1);
        String each = String.join(
                "; ",
                regressions.stream()
                        .map(one -> "%s, n = %d: %,d, between %,.0f and %,.0f"
                                .formatted(
                                        one.what.startsWith("conditioned") ? "conditioned" : "plain",
                                        one.n,
                                        one.taken,
                                        one.least,
                                        one.most))
                        .toList());
        return new Check(
                "appendix B.6",
                "Gradient descent on a linear regression takes between κ/2 and κ ln(‖w*‖/ε) iterations",
                "κ/2 ≤ iterations ≤ κ ln(‖w*‖/ε)",
                each,
                "holds if all lie between, at η = 1/λ₁ and ε = ‖w*‖/10; the lower bound is for a w* along the"
                        + " smallest eigenvector, as (1, −2, 1) is nearly, and is not asked of conditioned inputs",
                wrong ? Verdict.DOES_NOT_HOLD : Verdict.HOLDS);
    }

    private static List<String> notes(List<Condition> conditions) {
        Condition last = conditions.getLast();
        return List.of(
                ("Ω(n^3.5) is true but not sharp: WᵀW is a discrete form of the inverse of a vibrating beam's"
                    + " operator, clamped at one end, whose condition number grows as 16 n⁴/12.362 = 1.294 n⁴."
                    + " Measured at n = %,d: %.4f n⁴ at the least, %.4f n⁴ at the most.")
                        .formatted(last.n, last.low() / Math.pow(last.n, 4), last.high() / Math.pow(last.n, 4)),
                "Theorem 4's condition for divergence is wrong by a factor of 2: (1 − ηλS_j²)^i tends to 0 for ηλS₁² <"
                        + " 2, and between 1 and 2 the recursion converges, with alternating signs. The theorem's bound"
                        + " then holds with S₁²/(4 S_n²) in place of S₁²/(2 S_n²).",
                "Lemma 2 takes E p pᵀ = λI for granted. It is true of curves as the paper draws them (λ = k/(3n)), not"
                        + " of those of the authors' program, whose changes of slope depend on one another.",
                "Appendix B.5 ends with Ω(n^(−3.5)) where Ω(n^3.5) is meant, and computes −3/n² for a second"
                        + " difference that is −1/n²; neither changes the result.",
                "Appendix B.6 asks t + 1 < 0.5 D_nn/D_11 for its lower bound; it is 0.5 D_11/D_nn. Appendix B.7 leaves"
                        + " out the 2 in (f_{t−1} − 2 f_t + f_{t+1})².",
                "Section 4.1.1 puts p_j at θ = j in one sentence and at θ = j − 1 in the next; f = W p takes the"
                        + " first, with curves that begin to rise at once.");
    }

    private static Drawing drawing(
            List<Condition> conditions,
            List<Convolution> convolutions,
            List<Iterations> iterations,
            List<Iterations> regressions) {
        List<Panel.Curve> curves = new ArrayList<>();
        List<Double> n = conditions.stream().map(each -> Math.log10(each.n)).toList();
        curves.add(new Panel.Curve(
                "full matrix, WᵀW", n, conditions.stream().map(Condition::low).toList()));
        for (PwlData.Law law : List.of(PwlData.Law.PAPER, PwlData.Law.PROGRAM)) {
            List<Convolution> of =
                    convolutions.stream().filter(each -> each.law == law).toList();
            curves.add(new Panel.Curve(
                    law == PwlData.Law.PAPER ? "convolution, paper's curves" : "convolution, program's curves",
                    of.stream().map(each -> Math.log10(each.n)).toList(),
                    of.stream().map(Convolution::condition).toList()));
        }
        curves.add(new Panel.Curve(
                "n^3.5",
                n,
                conditions.stream().map(each -> Math.pow(each.n, 3.5)).toList(),
                new Panel.Look(0x888888, true)));
        List<Iterations> plain = regressions.stream()
                .filter(each -> !each.what.startsWith("conditioned"))
                .toList();
        List<Iterations> better = regressions.stream()
                .filter(each -> each.what.startsWith("conditioned"))
                .toList();
        return new Drawing(
                "theorem-4",
                "Theorem 4",
                "Left: condition numbers against the number of points, which decide how many iterations gradient"
                    + " descent takes; the dashed line is the paper's bound n^3.5. Right: iterations that were taken"
                    + " and, dashed, the theorem's least.",
                new Figure(
                        2,
                        List.of(
                                new Panel(
                                        "Condition numbers",
                                        Panel.Axis.fitting("log₁₀ n"),
                                        Panel.Axis.logarithmic("condition number"),
                                        curves),
                                new Panel(
                                        "Iterations of gradient descent",
                                        Panel.Axis.fitting("log₁₀ n"),
                                        Panel.Axis.logarithmic("iterations"),
                                        List.of(
                                                curve("full matrix", iterations, false),
                                                curve("full matrix, least", iterations, true),
                                                curve("convolution", plain, false),
                                                curve("convolution, least", plain, true),
                                                curve("conditioned", better, false))))));
    }

    private static Panel.Curve curve(String name, List<Iterations> of, boolean least) {
        return new Panel.Curve(
                name,
                of.stream().map(each -> Math.log10(each.n)).toList(),
                of.stream()
                        .map(each -> least ? each.least : (double) each.taken)
                        .toList(),
                new Panel.Look(-1, least));
    }
}
