package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * Objectives over a square of two weights (figure 7), and directions that have a closed form
 * (theorems 2 and 3, section 5.5; {@code kernels/landscape.cu}).
 */
public final class Landscape {
    private static final int THREADS = 256;
    private static final int ROW_THREADS = 64;

    private final KernelModule module;

    /** What u is in F(w) = E (u(w·x) − u(t·x))²; the order is that of the kernel's constants. */
    public enum Activation {
        /** u(r) = r. */
        IDENTITY,
        /** u(r) = cos r. */
        COSINE,
        /** u(r) = ⌊r⌋. */
        FLOOR
    }

    /**
     * A square of weights: side · side of them, from low to high either way. Row i has the second
     * weight's place i, column j the first's.
     */
    public record Square(int side, float low, float high) {

        /** How many points it has. */
        public int points() {
            return Math.multiplyExact(side, side);
        }

        /** The place of a row or column. */
        public double place(int index) {
            return low + (double) (high - low) * index / (side - 1);
        }
    }

    /** Loads the kernels. */
    public Landscape(Device device) {
        module = device.module("landscape");
    }

    /**
     * mean(side, side) of the loss over the samples, and its standard error(side, side).
     *
     * @param target the weights with which labels are made
     * @param own whether every point has samples of its own
     * @param x (samples, 2), or (side, side, samples, 2)
     * @param noise (samples), or (side, side, samples), added to the labels; null: none
     */
    public Work surface(
            Square square,
            Activation activation,
            float[] target,
            int samples,
            boolean own,
            DeviceBuffer x,
            DeviceBuffer noise,
            DeviceBuffer mean,
            DeviceBuffer error) {
        Buffers.of("Landscape.surface")
                .floats("x", x, own ? square.points() : 1, samples, 2)
                .floatsOrNull("noise", noise, own ? square.points() : 1, samples)
                .floats("mean", mean, square.points())
                .floats("error", error, square.points());
        return module.replicated("landscape")
                .cooperative(
                        Dim.of(square.points()),
                        THREADS,
                        samples,
                        own ? samples : 0,
                        square.side,
                        square.low,
                        square.high,
                        activation.ordinal(),
                        target[0],
                        target[1],
                        x,
                        noise,
                        mean,
                        error);
    }

    /** f(side, side) = E (cos(w·x) − cos(t·x))² for x ~ N(0, I), in closed form. */
    public Work cosineSurface(Square square, float[] target, DeviceBuffer f) {
        Buffers.of("Landscape.cosineSurface").floats("f", f, square.points());
        return module.replicated("cosine_landscape")
                .elementwise(
                        square.points(),
                        square.points(),
                        square.side,
                        square.low,
                        square.high,
                        target[0],
                        target[1],
                        f);
    }

    /**
     * c(rows, d) = E[cos(v·x) sin(w·x) x] for x ~ N(0, I), in closed form.
     *
     * @param w (d)
     * @param z (rows, d), the directions of v
     * @param radius the length of v
     */
    public Work periodicGradients(int rows, int d, float radius, DeviceBuffer w, DeviceBuffer z, DeviceBuffer c) {
        Buffers.of("Landscape.periodicGradients")
                .floats("w", w, d)
                .floats("z", z, rows, d)
                .floats("c", c, rows, d);
        return module.replicated("periodic_gradients").cooperative(Dim.of(rows), ROW_THREADS, d, radius, w, z, c);
    }

    /**
     * Of scores(samples, k, width): label(samples), the product over the k of the signs of the
     * first of each width; slope(samples, k), the product over the others of the last of each.
     */
    public Work signProducts(
            int samples, int k, int width, DeviceBuffer scores, DeviceBuffer label, DeviceBuffer slope) {
        Buffers.of("Landscape.signProducts")
                .floats("scores", scores, samples, k, width)
                .floats("label", label, samples)
                .floats("slope", slope, samples, k);
        return module.replicated("sign_products").elementwise(samples, samples, k, width, scores, label, slope);
    }

    /**
     * residual(n) = u(score) − u(target) and squared(n), its square; u is a staircase.
     *
     * @param height of a step, and its width
     * @param slope at which steps climb, u's Lipschitz constant, at least 1; 0: upright steps, and
     *     u has none
     */
    public Work staircaseResidual(
            int n,
            float height,
            float slope,
            DeviceBuffer score,
            DeviceBuffer target,
            DeviceBuffer residual,
            DeviceBuffer squared) {
        Buffers.of("Landscape.staircaseResidual")
                .floats("score", score, n)
                .floats("target", target, n)
                .floats("residual", residual, n)
                .floats("squared", squared, n);
        return module.replicated("staircase_residual")
                .elementwise(n, n, height, slope, score, target, residual, squared);
    }
}
