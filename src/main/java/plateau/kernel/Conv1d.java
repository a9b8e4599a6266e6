package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * One-dimensional convolution, stride 1, and its gradients ({@code kernels/conv1d.cu}): y[b, o,
 * t] = Σ w[o, c, j] x[b, c, t + j − padding]. Batches are (batch, channels, positions), filters
 * (out, in, taps).
 */
public final class Conv1d {
    private static final int THREADS = 128;
    private static final int FILTER_THREADS = 256;

    private final KernelModule module;

    /**
     * Shapes of one convolution.
     *
     * @param batch samples
     * @param in channels of the input
     * @param out channels of the output
     * @param length positions of the input
     * @param taps of the filter
     * @param padding zeros before and behind the input
     */
    public record Geometry(int batch, int in, int out, int length, int taps, int padding) {
        /**
         * @throws IllegalArgumentException if a size is not positive or the filter does not fit
         *     into the padded input
         */
        public Geometry {
            if (batch < 1
                    || in < 1
                    || out < 1
                    || length < 1
                    || taps < 1
                    || padding < 0
                    || padding >= taps
                    || length + 2 * padding < taps) {
                throw new IllegalArgumentException(
                        "no convolution has batch %d, channels %d to %d, length %d, taps %d, padding %d"
                                .formatted(batch, in, out, length, taps, padding));
            }
        }

        /** Without padding: the output has taps − 1 positions fewer. */
        public static Geometry valid(int batch, int in, int out, int length, int taps) {
            return new Geometry(batch, in, out, length, taps, 0);
        }

        /**
         * With as much padding as keeps the length.
         *
         * @throws IllegalArgumentException if the number of taps is even
         */
        public static Geometry same(int batch, int in, int out, int length, int taps) {
            if (taps % 2 == 0) {
                throw new IllegalArgumentException("padding 'same' needs an odd number of taps, not " + taps);
            }
            return new Geometry(batch, in, out, length, taps, (taps - 1) / 2);
        }

        /** Positions of the output. */
        public int outLength() {
            return length + 2 * padding - taps + 1;
        }

        /** Multiplications and additions of a pass, those with padding included. */
        private double operations() {
            return 2.0 * batch * out * in * outLength() * taps;
        }
    }

    /** Loads the kernels. */
    public Conv1d(Device device) {
        module = device.module("conv1d");
    }

    /** y(batch, out, outLength) from x(batch, in, length) and w(out, in, taps). */
    public Work forward(Geometry s, DeviceBuffer x, DeviceBuffer w, DeviceBuffer y) {
        Buffers.of("Conv1d.forward")
                .floats("x", x, s.batch, s.in, s.length)
                .floats("w", w, s.out, s.in, s.taps)
                .floats("y", y, s.batch, s.out, s.outLength());
        return module.replicated("conv1d_forward")
                .cooperative(Dim.of(s.batch, s.out), THREADS, s.in, s.length, s.taps, s.padding, x, w, y)
                .costing(s.operations());
    }

    /** dx(batch, in, length) from dy(batch, out, outLength) and w(out, in, taps). */
    public Work backwardData(Geometry s, DeviceBuffer dy, DeviceBuffer w, DeviceBuffer dx) {
        Buffers.of("Conv1d.backwardData")
                .floats("dy", dy, s.batch, s.out, s.outLength())
                .floats("w", w, s.out, s.in, s.taps)
                .floats("dx", dx, s.batch, s.in, s.length);
        return module.replicated("conv1d_backward_data")
                .cooperative(Dim.of(s.batch, s.in), THREADS, s.out, s.length, s.taps, s.padding, dy, w, dx)
                .costing(s.operations());
    }

    /** dw(out, in, taps) from x(batch, in, length) and dy(batch, out, outLength). */
    public Work backwardFilter(Geometry s, DeviceBuffer x, DeviceBuffer dy, DeviceBuffer dw) {
        Buffers.of("Conv1d.backwardFilter")
                .floats("x", x, s.batch, s.in, s.length)
                .floats("dy", dy, s.batch, s.out, s.outLength())
                .floats("dw", dw, s.out, s.in, s.taps);
        return module.replicated("conv1d_backward_filter")
                .cooperative(
                        Dim.of(s.taps, s.out * s.in), FILTER_THREADS, s.batch, s.in, s.length, s.padding, x, dy, dw)
                .costing(s.operations());
    }
}
