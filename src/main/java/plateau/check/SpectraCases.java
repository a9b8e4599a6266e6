package plateau.check;

import java.util.Arrays;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.Spectra;

/** Products with W and its inverse against their matrices; the power method; recursions. */
final class SpectraCases {
    private static final double TOLERANCE = 1e-13;

    private SpectraCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("running_sums", SpectraCases::productWithW),
                Row.random("second_differences", SpectraCases::productWithU),
                Row.random("power_step", SpectraCases::powerStep),
                Row.random("iterations_until", SpectraCases::iterationsUntil),
                Row.random("matrix_sgd", SpectraCases::matrixSgd));
    }

    private static double[] doubles(Draws draws, int count) {
        return draws.random().doubles(count, -1, 1).toArray();
    }

    /** W x or Wᵀ x, as two running sums, against the matrix max(0, i − j + 1). */
    private static void productWithW(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 2, 5), n = draws.choose(1, 2, 3, 31, 33, 100, 257, 1500);
        boolean reverse = draws.random().nextBoolean();
        double[] x = doubles(draws, rows * n);
        Sums y = new Sums(rows * n);
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    y.add(row * n + i, Math.max(0, reverse ? j - i + 1 : i - j + 1) * x[row * n + j]);
                }
            }
        }
        made.shape("rows %d, n %d, reverse %s".formatted(rows, n, reverse));
        Spectra spectra = new Spectra(made.device());
        DeviceBuffer once = made.scratch((long) rows * n * Double.BYTES);
        made.runs(Work.sequence(
                "product",
                List.of(
                        spectra.runningSums(rows, n, reverse, made.input(x), once),
                        spectra.runningSums(
                                rows, n, reverse, once, made.doubles("y", null, y.values(), y.allowed(1e-12))))));
    }

    private static void productWithU(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 2, 5), n = draws.size();
        boolean transposed = draws.random().nextBoolean();
        double[] x = doubles(draws, rows * n);
        Sums y = new Sums(rows * n);
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    int below = transposed ? j - i : i - j; // of the diagonal
                    double entry = below == 0 || below == 2 ? 1 : below == 1 ? -2 : 0;
                    y.add(row * n + i, entry * x[row * n + j]);
                }
            }
        }
        made.shape("rows %d, n %d, transposed %s".formatted(rows, n, transposed));
        made.runs(new Spectra(made.device())
                .secondDifferences(
                        rows, n, transposed, made.input(x), made.doubles("y", null, y.values(), y.allowed(TOLERANCE))));
    }

    private static void powerStep(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 3), n = draws.choose(2, 3, 31, 33, 100, 257);
        double[] x = doubles(draws, rows * n), y = doubles(draws, rows * n);
        double[] results = new double[2 * rows], next = new double[rows * n];
        for (int row = 0; row < rows; row++) {
            double xx = 0, xy = 0, yy = 0, rest = 0;
            for (int i = row * n; i < (row + 1) * n; i++) {
                xx += x[i] * x[i];
                xy += x[i] * y[i];
                yy += y[i] * y[i];
            }
            for (int i = row * n; i < (row + 1) * n; i++) {
                rest += Math.pow(y[i] - xy / xx * x[i], 2);
                next[i] = y[i] / Math.sqrt(yy);
            }
            results[2 * row] = xy / xx;
            results[2 * row + 1] = Math.sqrt(rest / xx);
        }
        double[] allowed = new double[2 * rows], allowedNext = new double[rows * n];
        Arrays.fill(allowed, 1e-11);
        Arrays.fill(allowedNext, 1e-12);
        made.shape("rows %d, n %d".formatted(rows, n));
        made.runs(new Spectra(made.device())
                .powerStep(
                        rows,
                        n,
                        made.doubles("x", x, next, allowedNext),
                        made.input(y),
                        made.doubles("results", null, results, allowed)));
    }

    /** The threshold lies between the lengths before and after the last step, far from both. */
    private static void iterationsUntil(KernelCase made, Draws draws) {
        int problems = draws.choose(1, 3), n = draws.choose(1, 2, 3, 7, 33, Spectra.MOST);
        int wanted = draws.choose(0, 1, 5, 40), steps = draws.choose(20, 100);
        double[] matrix = new double[problems * n * n], x = doubles(draws, problems * n), after = x.clone();
        for (int i = 0; i < matrix.length; i++) {
            boolean diagonal = i % (n * n) % (n + 1) == 0;
            matrix[i] = diagonal ? 0.8 : draws.random().nextDouble(-0.1, 0.1) / n;
        }
        double threshold = 0.5 * Math.pow(0.8, wanted);
        int[] taken = new int[problems];
        for (int problem = 0; problem < problems; problem++) {
            double[] now = Arrays.copyOfRange(x, problem * n, (problem + 1) * n);
            double length = Math.sqrt(Arrays.stream(now).map(v -> v * v).sum());
            for (int i = 0; i < n; i++) {
                now[i] /= length;
                x[problem * n + i] = now[i];
            }
            while (taken[problem] <= steps && length(now) > threshold) {
                double[] from = now, next = new double[n];
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j < n; j++) {
                        next[i] += matrix[(problem * n + i) * n + j] * from[j];
                    }
                }
                now = next;
                taken[problem]++;
            }
            System.arraycopy(now, 0, after, problem * n, n);
        }
        double[] allowed = new double[problems * n];
        Arrays.fill(allowed, 1e-12);
        made.shape("problems %d, n %d, about %d of %d steps".formatted(problems, n, wanted, steps));
        made.runs(new Spectra(made.device())
                .iterationsUntil(
                        problems,
                        n,
                        steps,
                        threshold,
                        made.input(matrix),
                        made.doubles("x", x, after, allowed),
                        made.exactly("taken", taken)));
    }

    private static double length(double[] vector) {
        return Math.sqrt(Arrays.stream(vector).map(v -> v * v).sum());
    }

    private static void matrixSgd(KernelCase made, Draws draws) {
        int runs = draws.choose(1, 2, 40), n = draws.choose(1, 2, 3, 12, 33);
        float rate = 0.05f;
        float[] f = draws.floats(runs * n), p = draws.floats(runs * n), u = draws.floats(runs * n * n);
        Sums after = new Sums(u.length);
        for (int row = 0; row < runs * n; row++) {
            int sample = row / n * n;
            for (int j = 0; j < n; j++) {
                after.add(row * n + j, u[row * n + j]);
                after.add(row * n + j, rate * (double) p[row] * f[sample + j]);
                for (int k = 0; k < n; k++) {
                    after.add(row * n + j, -rate * (double) u[row * n + k] * f[sample + k] * f[sample + j]);
                }
            }
        }
        made.shape("runs %d, n %d".formatted(runs, n));
        made.runs(new Spectra(made.device())
                .matrixSgd(runs, n, rate, made.input(f), made.input(p), made.outputOver("u", u, after, 1e-5)));
    }
}
