package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** First values, drawn on the device ({@code kernels/data/init.cu}). */
public final class Initializer {
    private final KernelModule module;

    /** Loads the kernels. */
    public Initializer(Device device) {
        module = device.module("data/init");
    }

    /** w(n) from N(0, σ²), redrawn while outside ±2σ. */
    public Work truncatedNormal(int n, long seed, int stream, float sigma, DeviceBuffer w) {
        Buffers.of("Initializer.truncatedNormal").floats("w", w, n);
        return module.kernel("truncated_normal").elementwise(n, n, seed, stream, sigma, w);
    }

    /** out(n) from N(0, 1); numbers of different streams or steps are independent. */
    public Work standardNormal(int n, long seed, int stream, int step, DeviceBuffer out) {
        Buffers.of("Initializer.standardNormal").floats("out", out, n);
        return module.kernel("standard_normal").elementwise(n, n, seed, stream, step, out);
    }
}
