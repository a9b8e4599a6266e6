package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** Sums of gradients, for a tensor with several consumers ({@code kernels/optimizer.cu}). */
public final class Accumulate {
    private final KernelModule module;

    /** Loads the kernel. */
    public Accumulate(Device device) {
        module = device.module("optimizer");
    }

    /** sum(n) += term(n). */
    public Work add(int n, DeviceBuffer term, DeviceBuffer sum) {
        Buffers.of("Accumulate.add").floats("term", term, n).floats("sum", sum, n);
        return module.replicated("accumulate").elementwise(n, n, term, sum);
    }
}
