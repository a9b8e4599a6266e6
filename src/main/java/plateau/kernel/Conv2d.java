package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.Module;
import plateau.cuda.Work;

/**
 * Two-dimensional convolution with max-pooling 2×2 of stride 2 fused into its end, and its gradients ({@code kernels/conv2d.cu}): stride 1, "same" padding. Batches are
 * channels-last, (batch, rows, columns, channels); filters are (out, window, window, in).
 */
public final class Conv2d {
    private static final int IMAGE_THREADS = 256;
    private static final int FILTER_THREADS = 256;

    private final Module module;

    /**
     * Shapes of one convolution with its pooling.
     *
     * @param batch images
     * @param rows of an image, even
     * @param columns of an image, even
     * @param in channels of the input
     * @param out channels of the output
     * @param window rows and columns of a filter, odd
     */
    public record Shape(int batch, int rows, int columns, int in, int out, int window) {
        /** @throws IllegalArgumentException if a size is not positive, the window is even, or an image's rows or columns are odd */
        public Shape {
            if (batch < 1 || rows < 2 || columns < 2 || in < 1 || out < 1 || window < 1) {
                throw new IllegalArgumentException("no convolution has batch %d, %d x %d images, channels %d to %d, window %d".formatted(batch, rows, columns, in, out, window));
            }
            if (window % 2 == 0) {
                throw new IllegalArgumentException("padding 'same' needs an odd window, not " + window);
            }
            if (rows % 2 != 0 || columns % 2 != 0) {
                throw new IllegalArgumentException("pooling 2 x 2 needs images with even sides, not %d x %d".formatted(rows, columns));
            }
        }

        /** Elements of one input image. */
        public int inputs() {
            return rows * columns * in;
        }

        /** Elements of all filters. */
        public int weights() {
            return out * window * window * in;
        }

        /** Elements of one pooled output image. */
        public int outputs() {
            return rows / 2 * (columns / 2) * out;
        }
    }

    /** Loads the kernels. */
    public Conv2d(Device device) {
        module = device.module("conv2d");
    }

    /**
     * y(batch, rows/2, columns/2, out) = the maxima of conv(x, w) + bias.
     *
     * @param winners one byte per element of y: which of its four positions, row-major, the maximum came from, the first of equals
     */
    public Work forward(Shape s, DeviceBuffer x, DeviceBuffer w, DeviceBuffer bias, DeviceBuffer y, DeviceBuffer winners) {
        return module.kernel("conv2d_pool_forward").cooperative(Dim.of(s.batch), IMAGE_THREADS, s.rows, s.columns, s.in, s.out, s.window, x, w, bias, y, winners);
    }

    /** dx(batch, rows, columns, in) from dy(batch, rows/2, columns/2, out) and the forward's winners. */
    public Work backwardData(Shape s, DeviceBuffer w, DeviceBuffer dy, DeviceBuffer winners, DeviceBuffer dx) {
        return module.kernel("conv2d_pool_backward_data").cooperative(Dim.of(s.batch), IMAGE_THREADS, s.rows, s.columns, s.in, s.out, s.window, w, dy, winners, dx);
    }

    /**
     * dw(out, window, window, in) and dbias(out) from dy(batch, rows/2, columns/2, out) and the forward's winners.
     *
     * @param dbias null where it is not wanted
     */
    public Work backwardFilter(Shape s, DeviceBuffer x, DeviceBuffer dy, DeviceBuffer winners, DeviceBuffer dw, DeviceBuffer dbias) {
        return module.kernel("conv2d_pool_backward_filter").cooperative(Dim.of(s.out), FILTER_THREADS, s.batch, s.rows, s.columns, s.in, s.window, x, dy, winners, dw, dbias);
    }
}
