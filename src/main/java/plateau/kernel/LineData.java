package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** Tuples of images of lines, section 3.1 ({@code kernels/data/lines.cu}). */
public final class LineData {
    /** Rows, and columns, of an image. */
    public static final int SIDE = 28;

    private static final int THREADS = 128;

    private final KernelModule module;

    /** How a line's points are put on the grid; the order is that of the kernel's constants. */
    public enum Raster {
        /** Centre uniform in [0, 27]², points rounded to the nearest integer. */
        PAPER,
        /** As the authors' program: centre uniform in [0, 28)², points truncated toward zero. */
        PROGRAM
    }

    /** Loads the kernel. */
    public LineData(Device device) {
        module = device.module("data/lines");
    }

    /**
     * Images x(n, k, 28, 28) of zeros and ones, their labels y(n, k), +1 where the line's angle is
     * below π/2 and −1 elsewhere, and the tuples' labels product(n).
     *
     * @param first tuple of the stream: tuples 0 … n − 1 of a batch are the same whether they are
     *     drawn at once or in parts
     * @param step one uint32: batches of different steps are independent
     */
    public Work tuples(
            int first,
            int n,
            int k,
            Raster raster,
            DeviceBuffer seed,
            int stream,
            DeviceBuffer step,
            DeviceBuffer x,
            DeviceBuffer y,
            DeviceBuffer product) {
        Buffers.of("LineData.tuples")
                .longs("seed", seed, 1)
                .ints("step", step, 1)
                .floats("x", x, n, k, SIDE, SIDE)
                .floats("y", y, n, k)
                .floats("product", product, n);
        return module.replicated("line_tuples")
                .cooperative(Dim.of(n), THREADS, first, k, raster.ordinal(), seed, stream, step, x, y, product);
    }
}
