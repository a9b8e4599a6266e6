package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** The hinge loss max(0, 1 − y p) for labels y ∈ {−1, +1} ({@code kernels/hinge.cu}). */
public final class Hinge {
    private final KernelModule module;

    /** Loads the kernels. */
    public Hinge(Device device) {
        module = device.module("hinge");
    }

    /**
     * loss(n) per sample and its scaled gradient dp(n).
     *
     * @param scale factor of the gradient: 1/n for the mean over the batch
     */
    public Work forwardBackward(
            int n, float scale, DeviceBuffer p, DeviceBuffer y, DeviceBuffer loss, DeviceBuffer dp) {
        Buffers.of("Hinge.forwardBackward")
                .floats("p", p, n)
                .floats("y", y, n)
                .floats("loss", loss, n)
                .floats("dp", dp, n);
        return module.replicated("hinge_forward_backward").elementwise(n, n, scale, p, y, loss, dp);
    }

    /** loss(n) per sample. */
    public Work forward(int n, DeviceBuffer p, DeviceBuffer y, DeviceBuffer loss) {
        Buffers.of("Hinge.forward").floats("p", p, n).floats("y", y, n).floats("loss", loss, n);
        return module.replicated("hinge_forward").elementwise(n, n, p, y, loss);
    }
}
