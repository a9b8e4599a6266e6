package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** The logistic sigmoid 1/(1 + e⁻ˣ) ({@code kernels/sigmoid.cu}). */
public final class Sigmoid {
    private final KernelModule module;

    /** Loads the kernels. */
    public Sigmoid(Device device) {
        module = device.module("sigmoid");
    }

    /** y(n) = 1/(1 + e⁻ˣ). */
    public Work forward(int n, DeviceBuffer x, DeviceBuffer y) {
        Buffers.of("Sigmoid.forward").floats("x", x, n).floats("y", y, n);
        return module.replicated("sigmoid_forward").elementwise(n, n, x, y);
    }

    /** dx(n) = dy y (1 − y). */
    public Work backward(int n, DeviceBuffer y, DeviceBuffer dy, DeviceBuffer dx) {
        Buffers.of("Sigmoid.backward").floats("y", y, n).floats("dy", dy, n).floats("dx", dx, n);
        return module.replicated("sigmoid_backward").elementwise(n, n, y, dy, dx);
    }
}
