package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** The step number in device memory ({@code kernels/metrics.cu}). */
public final class Counter {
    private final KernelModule module;

    /** Loads the kernel. */
    public Counter(Device device) {
        module = device.module("metrics");
    }

    /** step += 1. */
    public Work advance(DeviceBuffer step) {
        Buffers.of("Counter.advance").ints("step", step, 1);
        return module.replicated("advance_step").elementwise(1, step);
    }
}
