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
        return module.kernel("sigmoid_forward").elementwise(n, n, x, y);
    }

    /** dx(n) = dy y (1 − y). */
    public Work backward(int n, DeviceBuffer y, DeviceBuffer dy, DeviceBuffer dx) {
        return module.kernel("sigmoid_backward").elementwise(n, n, y, dy, dx);
    }
}
