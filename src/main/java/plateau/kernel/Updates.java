package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * Updates of all of a network's parameters at once ({@code kernels/optimizer.cu}). The learning
 * rate, one float, and the step, one uint32, live in device memory.
 */
public final class Updates {
    private final KernelModule module;

    /** Loads the kernels. */
    public Updates(Device device) {
        module = device.module("optimizer");
    }

    /** w(n) −= lr g(n). */
    public Work sgd(int n, DeviceBuffer learningRate, DeviceBuffer w, DeviceBuffer g) {
        Buffers.of("Updates.sgd")
                .floats("learningRate", learningRate, 1)
                .floats("w", w, n)
                .floats("g", g, n);
        return module.replicated("sgd").elementwise(n, n, learningRate, g, w).costing(2.0 * n);
    }

    /**
     * rate = lr √(1 − β₂ᵗ)/(1 − β₁ᵗ): Adam's rate with both bias corrections.
     *
     * @param step updates done before this one; t is one more
     * @param rate one float
     */
    public Work rate(DeviceBuffer learningRate, DeviceBuffer step, float beta1, float beta2, DeviceBuffer rate) {
        Buffers.of("Updates.rate")
                .floats("learningRate", learningRate, 1)
                .ints("step", step, 1)
                .floats("rate", rate, 1);
        return module.replicated("adam_rate").elementwise(1, learningRate, step, (double) beta1, (double) beta2, rate);
    }

    /**
     * One step of Adam (Kingma &amp; Ba 2015) with ε outside the bias correction: w −= rate
     * m/(√v + ε).
     *
     * @param rate of this step, as {@link #rate} gives it
     * @param m first moments, zero at the start
     * @param v second moments, zero at the start
     */
    public Work adam(
            int n,
            DeviceBuffer rate,
            float beta1,
            float beta2,
            float epsilon,
            DeviceBuffer w,
            DeviceBuffer g,
            DeviceBuffer m,
            DeviceBuffer v) {
        Buffers.of("Updates.adam")
                .floats("rate", rate, 1)
                .floats("w", w, n)
                .floats("g", g, n)
                .floats("m", m, n)
                .floats("v", v, n);
        return module.replicated("adam")
                .elementwise(n, n, rate, beta1, beta2, epsilon, g, m, v, w)
                .costing(12.0 * n);
    }
}
