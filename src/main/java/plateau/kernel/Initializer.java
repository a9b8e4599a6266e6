package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * First values, drawn on the device, and what they are drawn from ({@code kernels/data/init.cu}).
 */
public final class Initializer {
    private final KernelModule module;

    /** Loads the kernels. */
    public Initializer(Device device) {
        module = device.module("data/init");
    }

    /** w(n) from N(0, σ²), redrawn while outside ±2σ. */
    public Work truncatedNormal(int n, DeviceBuffer seed, int stream, float sigma, DeviceBuffer w) {
        Buffers.of("Initializer.truncatedNormal").longs("seed", seed, 1).floats("w", w, n);
        return module.replicated("truncated_normal").elementwise(n, n, seed, stream, sigma, w);
    }

    /** out(n) from N(0, 1); numbers of different streams or steps are independent. */
    public Work standardNormal(int n, DeviceBuffer seed, int stream, int step, DeviceBuffer out) {
        Buffers.of("Initializer.standardNormal").longs("seed", seed, 1).floats("out", out, n);
        return module.replicated("standard_normal").elementwise(n, n, seed, stream, step, out);
    }

    /**
     * out(n, 4), the words that Philox4x32-10 gives for the counters (first + i, c1, c2, c3) under
     * a key: what all is drawn from.
     */
    public Work philoxWords(int n, int first, int c1, int c2, int c3, DeviceBuffer seed, DeviceBuffer out) {
        Buffers.of("Initializer.philoxWords").longs("seed", seed, 1).ints("out", out, n, 4);
        return module.replicated("philox_words").elementwise(n, n, first, c1, c2, c3, seed, out);
    }
}
