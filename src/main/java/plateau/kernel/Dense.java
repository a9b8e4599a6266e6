package plateau.kernel;

import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
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

    /**
     * Multiplications from which it is worth while to ask whether cuBLAS wins: below, a launch
     * takes longer than what it does, and opening cuBLAS takes seconds.
     */
    private static final long LARGE_PRODUCT = 1L << 20;

    /** How matrix products run. */
    public enum Products {
        /** On a GPU large ones as {@link #MEASURED}, all others by the kernels. */
        AUTO,
        /** By cuBLAS, with separate kernels for bias, ReLU and bias gradient. */
        CUBLAS,
        /** By the hand-written kernels. */
        KERNELS,
        /** By cuBLAS where that is clearly faster, which is measured once for each shape. */
        MEASURED
    }

    private final Device device;
    private final KernelModule module;
    private final Products products;
    private final Measurements measurements;

    /** As {@link #Dense(Device, Products, Measurements)}; nothing is known of times. */
    public Dense(Device device, Products products) {
        this(device, products, new Measurements());
    }

    /**
     * Loads the kernels.
     *
     * @param measurements what is known of times, and is added to
     * @throws IllegalStateException if cuBLAS is demanded and not there
     */
    public Dense(Device device, Products products, Measurements measurements) {
        this.device = device;
        this.measurements = measurements;
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

    /** What a product reads and writes; the third operand is null where there is none. */
    private record Operands(DeviceBuffer a, DeviceBuffer b, DeviceBuffer extra, DeviceBuffer result) {
        Operands like(Measurements.Scratch scratch) {
            return new Operands(scratch.like(a), scratch.like(b), scratch.like(extra), scratch.like(result));
        }
    }

    /**
     * The one place that decides who multiplies. On the CPU the kernels' fused epilogues beat
     * oneDNN at every shape here. cuBLAS is opened by the first product that it may compute, since
     * that takes seconds and memory.
     *
     * @param epilogue what is done beside the product, for the words that the shape is known by
     * @param product cuBLAS's part
     * @param rest what the product leaves to do; null for nothing
     */
    private Work choose(
            String name,
            int m,
            int n,
            int k,
            String epilogue,
            Operands operands,
            Function<Operands, Work> kernels,
            BiFunction<Blas, Operands, Work> product,
            Function<Operands, Work> rest) {
        BiFunction<Blas, Operands, Work> cublas = (blas, of) -> {
            Work gemm = product.apply(blas, of);
            Work after = rest.apply(of);
            return after == null ? gemm : Work.sequence(name, List.of(gemm, after));
        };
        boolean large = !device.isCpu() && (double) m * n * k >= LARGE_PRODUCT;
        Optional<Blas> library = switch (products) {
            case CUBLAS -> device.blas();
            case KERNELS -> Optional.empty();
            case AUTO, MEASURED ->
                products == Products.AUTO && !large
                        ? Optional.empty()
                        : measurements.faster(
                                device,
                                "%s %d x %d x %d%s".formatted(name, m, n, k, epilogue),
                                "cuBLAS",
                                device::blas,
                                scratch -> kernels.apply(operands.like(scratch)),
                                (blas, scratch) -> cublas.apply(blas, operands.like(scratch)));
        };
        return library.map(blas -> cublas.apply(blas, operands)).orElseGet(() -> kernels.apply(operands));
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
        return choose(
                "dense_forward",
                m,
                n,
                k,
                (bias == null ? "" : ", bias") + (relu ? ", ReLU" : ""),
                new Operands(x, w, bias, y),
                of -> n == 1
                        ? module.replicated("dense_forward_single")
                                .cooperative(Dim.of(m), ROW_THREADS, k, of.a, of.b, of.extra, relu ? 1 : 0, of.result)
                                .costing(2.0 * m * k)
                        : module.replicated("dense_forward")
                                .cooperative(
                                        tiles(m, n),
                                        TILE_THREADS,
                                        m,
                                        n,
                                        k,
                                        of.a,
                                        of.b,
                                        of.extra,
                                        relu ? 1 : 0,
                                        of.result)
                                .costing(2.0 * m * n * k),
                (blas, of) -> blas.gemm(false, false, m, n, k, of.a, k, of.b, n, of.result, n),
                of -> of.extra == null && !relu ? null : biasActivation(m, n, of.extra, relu, of.result));
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
        return choose(
                "dense_backward_input",
                m,
                n,
                k,
                reluOutput == null ? "" : ", ReLU",
                new Operands(dy, w, reluOutput, dx),
                of -> n == 1
                        ? module.replicated("dense_backward_input_single")
                                .cooperative(Dim.of(m), ROW_THREADS, k, of.a, of.b, of.extra, of.result)
                                .costing((double) m * k)
                        : module.replicated("dense_backward_input")
                                .cooperative(tiles(m, k), TILE_THREADS, m, n, k, of.a, of.b, of.extra, of.result)
                                .costing(2.0 * m * n * k),
                (blas, of) -> blas.gemm(false, true, m, k, n, of.a, n, of.b, n, of.result, k),
                of -> of.extra == null ? null : reluMask(m * k, of.extra, of.result));
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
        return choose(
                "dense_backward_weights",
                m,
                n,
                k,
                dbias == null ? "" : ", bias",
                new Operands(x, dy, dbias, dw),
                of -> n == 1
                        ? module.replicated("dense_backward_weights_single")
                                .cooperative(
                                        Dim.of(Math.ceilDiv(k, STRIP)), STRIP, m, k, of.a, of.b, of.result, of.extra)
                                .costing(2.0 * m * k)
                        : module.replicated("dense_backward_weights")
                                .cooperative(tiles(k, n), TILE_THREADS, m, n, k, of.a, of.b, of.result, of.extra)
                                .costing(2.0 * m * n * k),
                (blas, of) -> blas.gemm(true, false, k, n, m, of.a, k, of.b, n, of.result, n),
                of -> of.extra == null ? null : columnSums(m, n, of.b, of.extra));
    }

    /**
     * y(m, n) = act(y + bias(n)), what a product alone leaves to do.
     *
     * @param bias null for none
     * @param relu whether act is the ReLU, else it is the identity
     */
    public Work biasActivation(int m, int n, DeviceBuffer bias, boolean relu, DeviceBuffer y) {
        Buffers.of("Dense.biasActivation").floatsOrNull("bias", bias, n).floats("y", y, m, n);
        return module.replicated("bias_activation").cooperative(Dim.of(m), ROW_THREADS, n, bias, relu ? 1 : 0, y);
    }

    /** dx(n), zeroed where reluOutput(n) is not positive. */
    public Work reluMask(int n, DeviceBuffer reluOutput, DeviceBuffer dx) {
        Buffers.of("Dense.reluMask").floats("reluOutput", reluOutput, n).floats("dx", dx, n);
        return module.replicated("relu_mask").elementwise(n, n, reluOutput, dx);
    }

    /** sums(n) = column sums of a(m, n). */
    public Work columnSums(int m, int n, DeviceBuffer a, DeviceBuffer sums) {
        Buffers.of("Dense.columnSums").floats("a", a, m, n).floats("sums", sums, n);
        return module.replicated("column_sums")
                .cooperative(Dim.of(Math.ceilDiv(n, STRIP)), STRIP, m, n, a, sums)
                .costing((double) m * n);
    }

    private static Dim tiles(int rows, int columns) {
        return Dim.of(Math.ceilDiv(columns, TILE), Math.ceilDiv(rows, TILE));
    }
}
