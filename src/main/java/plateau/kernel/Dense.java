package plateau.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import plateau.cuda.Availability;
import plateau.cuda.Blas;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * The dense layer y = act(x w + b) and its gradients ({@code kernels/dense.cu}). All matrices are
 * row-major; weights are (in, out).
 */
public final class Dense {
    private static final int TILE = 64;
    private static final int TILE_THREADS = 256;
    private static final int STRIP = 256;
    private static final int ROW_THREADS = 128;

    /** Multiplications from which a product is large enough for cuBLAS to win on a GPU. */
    private static final long LARGE_PRODUCT = 1L << 27;

    /** How matrix products run. */
    public enum Products {
        /** As {@link Dense} judges best for the shape and the device. */
        AUTO,
        /** By cuBLAS, with separate kernels for bias, ReLU and bias gradient. */
        CUBLAS,
        /** By the hand-written kernels. */
        KERNELS
    }

    private final Device device;
    private final KernelModule module;
    private final Products products;

    /**
     * Loads the kernels.
     *
     * @throws IllegalStateException if cuBLAS is demanded and not there
     */
    public Dense(Device device, Products products) {
        this.device = device;
        this.module = device.module("dense");
        this.products = products;
        if (products == Products.CUBLAS) {
            Availability<Blas> cublas = device.cublas();
            cublas.library()
                    .orElseThrow(() ->
                            new IllegalStateException("matrix products by cuBLAS are asked for, which cannot be used: "
                                    + cublas.words() + "; ask for the kernels"));
        }
    }

    /**
     * The one place that decides who multiplies. On the CPU the kernels' fused epilogues beat
     * oneDNN at every shape here; cuBLAS needs large products to win on a GPU. It is opened by the
     * first of them, since that takes seconds and memory.
     */
    private Optional<Blas> blasFor(int m, int n, int k) {
        boolean large = !device.isCpu() && (long) m * n * k >= LARGE_PRODUCT;
        return products == Products.CUBLAS || products == Products.AUTO && large ? device.blas() : Optional.empty();
    }

    /**
     * y(m, n) = act(x(m, k) w(k, n) + bias(n)).
     *
     * @param bias null for none
     * @param relu whether act is the ReLU, else it is the identity
     */
    public Work forward(
            int m, int n, int k, DeviceBuffer x, DeviceBuffer w, DeviceBuffer bias, boolean relu, DeviceBuffer y) {
        Buffers.of("Dense.forward")
                .floats("x", x, m, k)
                .floats("w", w, k, n)
                .floatsOrNull("bias", bias, n)
                .floats("y", y, m, n);
        int rectify = relu ? 1 : 0;
        Optional<Blas> product = blasFor(m, n, k);
        if (product.isPresent()) {
            Work gemm = product.get().gemm(false, false, m, n, k, x, k, w, n, y, n);
            return bias == null && !relu
                    ? gemm
                    : Work.sequence("dense_forward", List.of(gemm, biasActivation(m, n, bias, relu, y)));
        }
        if (n == 1) {
            return module.kernel("dense_forward_single")
                    .cooperative(Dim.of(m), ROW_THREADS, k, x, w, bias, rectify, y)
                    .costing(2.0 * m * k);
        }
        return module.kernel("dense_forward")
                .cooperative(tiles(m, n), TILE_THREADS, m, n, k, x, w, bias, rectify, y)
                .costing(2.0 * m * n * k);
    }

    /**
     * dx(m, k) = dy(m, n) w(k, n)ᵀ, zeroed where reluOutput(m, k) is not positive.
     *
     * @param reluOutput the layer's input where a ReLU made it; null for none
     */
    public Work backwardInput(
            int m, int n, int k, DeviceBuffer dy, DeviceBuffer w, DeviceBuffer reluOutput, DeviceBuffer dx) {
        Buffers.of("Dense.backwardInput")
                .floats("dy", dy, m, n)
                .floats("w", w, k, n)
                .floatsOrNull("reluOutput", reluOutput, m, k)
                .floats("dx", dx, m, k);
        Optional<Blas> product = blasFor(m, n, k);
        if (product.isPresent()) {
            Work gemm = product.get().gemm(false, true, m, k, n, dy, n, w, n, dx, k);
            return reluOutput == null
                    ? gemm
                    : Work.sequence("dense_backward_input", List.of(gemm, reluMask(m * k, reluOutput, dx)));
        }
        if (n == 1) {
            return module.kernel("dense_backward_input_single")
                    .cooperative(Dim.of(m), ROW_THREADS, k, dy, w, reluOutput, dx)
                    .costing((double) m * k);
        }
        return module.kernel("dense_backward_input")
                .cooperative(tiles(m, k), TILE_THREADS, m, n, k, dy, w, reluOutput, dx)
                .costing(2.0 * m * n * k);
    }

    /**
     * dw(k, n) = x(m, k)ᵀ dy(m, n) and dbias(n) = column sums of dy.
     *
     * @param dbias null where it is not wanted
     */
    public Work backwardWeights(
            int m, int n, int k, DeviceBuffer x, DeviceBuffer dy, DeviceBuffer dw, DeviceBuffer dbias) {
        Buffers.of("Dense.backwardWeights")
                .floats("x", x, m, k)
                .floats("dy", dy, m, n)
                .floats("dw", dw, k, n)
                .floatsOrNull("dbias", dbias, n);
        Optional<Blas> product = blasFor(m, n, k);
        if (product.isPresent()) {
            List<Work> works = new ArrayList<>();
            works.add(product.get().gemm(true, false, k, n, m, x, k, dy, n, dw, n));
            if (dbias != null) {
                works.add(columnSums(m, n, dy, dbias));
            }
            return Work.sequence("dense_backward_weights", works);
        }
        if (n == 1) {
            return module.kernel("dense_backward_weights_single")
                    .cooperative(Dim.of(Math.ceilDiv(k, STRIP)), STRIP, m, k, x, dy, dw, dbias)
                    .costing(2.0 * m * k);
        }
        return module.kernel("dense_backward_weights")
                .cooperative(tiles(k, n), TILE_THREADS, m, n, k, x, dy, dw, dbias)
                .costing(2.0 * m * n * k);
    }

    /**
     * y(m, n) = act(y + bias(n)), what a product alone leaves to do.
     *
     * @param bias null for none
     * @param relu whether act is the ReLU, else it is the identity
     */
    public Work biasActivation(int m, int n, DeviceBuffer bias, boolean relu, DeviceBuffer y) {
        Buffers.of("Dense.biasActivation").floatsOrNull("bias", bias, n).floats("y", y, m, n);
        return module.kernel("bias_activation").cooperative(Dim.of(m), ROW_THREADS, n, bias, relu ? 1 : 0, y);
    }

    /** dx(n), zeroed where reluOutput(n) is not positive. */
    public Work reluMask(int n, DeviceBuffer reluOutput, DeviceBuffer dx) {
        Buffers.of("Dense.reluMask").floats("reluOutput", reluOutput, n).floats("dx", dx, n);
        return module.kernel("relu_mask").elementwise(n, n, reluOutput, dx);
    }

    /** sums(n) = column sums of a(m, n). */
    public Work columnSums(int m, int n, DeviceBuffer a, DeviceBuffer sums) {
        Buffers.of("Dense.columnSums").floats("a", a, m, n).floats("sums", sums, n);
        return module.kernel("column_sums")
                .cooperative(Dim.of(Math.ceilDiv(n, STRIP)), STRIP, m, n, a, sums)
                .costing((double) m * n);
    }

    private static Dim tiles(int rows, int columns) {
        return Dim.of(Math.ceilDiv(columns, TILE), Math.ceilDiv(rows, TILE));
    }
}
