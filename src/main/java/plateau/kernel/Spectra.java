package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * Products with W of section 4 and its inverse without their matrices, the power method and linear
 * recursions, all in float64 ({@code kernels/spectra.cu}); and gradient descent on the matrix.
 */
public final class Spectra {
    /** The largest matrix of {@link #iterationsUntil}. */
    public static final int MOST = 64;

    private static final int THREADS = 256;

    private final KernelModule module;

    /** Loads the kernels. */
    public Spectra(Device device) {
        module = device.module("spectra");
    }

    /**
     * y(rows, n): the running sums of each row of x(rows, n). W x is this twice.
     *
     * @param reverse from the last element to the first: twice it is Wᵀ x
     */
    public Work runningSums(int rows, int n, boolean reverse, DeviceBuffer x, DeviceBuffer y) {
        Buffers.of("Spectra.runningSums").doubles("x", x, rows, n).doubles("y", y, rows, n);
        return module.replicated("running_sums").cooperative(Dim.of(rows), THREADS, n, reverse ? 1 : 0, x, y);
    }

    /** y(rows, n) = U x of each row of x(rows, n), U = W⁻¹ with rows (1, −2, 1); or Uᵀ x. */
    public Work secondDifferences(int rows, int n, boolean transposed, DeviceBuffer x, DeviceBuffer y) {
        Buffers.of("Spectra.secondDifferences").doubles("x", x, rows, n).doubles("y", y, rows, n);
        int elements = Math.multiplyExact(rows, n);
        return module.replicated("second_differences").elementwise(elements, elements, n, transposed ? 1 : 0, x, y);
    }

    /**
     * results(rows, 2): Rayleigh's quotient of each x for y = A x, and ‖y − quotient · x‖ / ‖x‖; x
     * becomes y / ‖y‖.
     */
    public Work powerStep(int rows, int n, DeviceBuffer x, DeviceBuffer y, DeviceBuffer results) {
        Buffers.of("Spectra.powerStep")
                .doubles("x", x, rows, n)
                .doubles("y", y, rows, n)
                .doubles("results", results, rows, 2);
        return module.replicated("power_step").cooperative(Dim.of(rows), THREADS, n, x, y, results);
    }

    /**
     * Repeats x ← A x until ‖x‖ ≤ threshold: taken(problems) int32, or steps + 1 where that was not
     * enough.
     *
     * @param n at most {@link #MOST}
     * @param matrix (problems, n, n)
     * @param x (problems, n)
     */
    public Work iterationsUntil(
            int problems, int n, int steps, double threshold, DeviceBuffer matrix, DeviceBuffer x, DeviceBuffer taken) {
        if (n > MOST) {
            throw new IllegalArgumentException("Spectra.iterationsUntil: n must be at most " + MOST + ", not " + n);
        }
        Buffers.of("Spectra.iterationsUntil")
                .doubles("matrix", matrix, problems, n, n)
                .doubles("x", x, problems, n)
                .ints("taken", taken, problems);
        return module.replicated("iterations_until")
                .cooperative(Dim.of(problems), MOST, n, steps, threshold, matrix, x, taken);
    }

    /**
     * A step of stochastic gradient descent on ½ ‖u f − p‖² in each of many runs: u(runs, n, n),
     * f(runs, n), p(runs, n), float32.
     */
    public Work matrixSgd(int runs, int n, float rate, DeviceBuffer f, DeviceBuffer p, DeviceBuffer u) {
        Buffers.of("Spectra.matrixSgd")
                .floats("f", f, runs, n)
                .floats("p", p, runs, n)
                .floats("u", u, runs, n, n);
        int elements = Math.multiplyExact(runs, n);
        return module.replicated("matrix_sgd").elementwise(elements, elements, n, rate, f, p, u);
    }
}
