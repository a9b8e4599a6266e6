package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** Sums over rows and columns in float64 ({@code kernels/statistics.cu}). */
public final class Statistics {
    private static final int THREADS = 256;

    private final KernelModule module;

    /** Loads the kernels. */
    public Statistics(Device device) {
        module = device.module("statistics");
    }

    /** moments(rows, 2), float64: the sum of each row of x(rows, n), and that of its squares. */
    public Work rowMoments(int rows, int n, DeviceBuffer x, DeviceBuffer moments) {
        Buffers.of("Statistics.rowMoments").floats("x", x, rows, n).doubles("moments", moments, rows, 2);
        return module.replicated("row_moments").cooperative(Dim.of(rows), THREADS, n, x, moments);
    }

    /** sums(rows) of x(rows, n), both float64. */
    public Work rowSums(int rows, int n, DeviceBuffer x, DeviceBuffer sums) {
        Buffers.of("Statistics.rowSums").doubles("x", x, rows, n).doubles("sums", sums, rows);
        return module.replicated("row_sums").cooperative(Dim.of(rows), THREADS, n, x, sums);
    }

    /**
     * moments(columns, 2), float64: the sum of each column of x(rows, columns), and that of its
     * squares.
     */
    public Work columnMoments(int rows, int columns, DeviceBuffer x, DeviceBuffer moments) {
        Buffers.of("Statistics.columnMoments").floats("x", x, rows, columns).doubles("moments", moments, columns, 2);
        return module.replicated("column_moments").elementwise(columns, columns, rows, x, moments);
    }

    /** gram(rows, rows), float64: the products of all pairs of rows of x(rows, n). */
    public Work gram(int rows, int n, DeviceBuffer x, DeviceBuffer gram) {
        Buffers.of("Statistics.gram").floats("x", x, rows, n).doubles("gram", gram, rows, rows);
        return module.replicated("gram").cooperative(Dim.of(Math.multiplyExact(rows, rows)), THREADS, n, rows, x, gram);
    }

    /**
     * means[step] = the mean of x(n), float64.
     *
     * @param step one uint32, below the number of means
     */
    public Work meanAt(int n, DeviceBuffer x, DeviceBuffer step, DeviceBuffer means) {
        Buffers.of("Statistics.meanAt").floats("x", x, n).ints("step", step, 1).doubles("means", means, 1);
        return module.replicated("mean_at").cooperative(Dim.of(1), THREADS, n, x, step, means);
    }
}
