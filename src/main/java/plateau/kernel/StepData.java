package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** Data of the step functions, section 5 ({@code kernels/data/step.cu}). */
public final class StepData {
    private static final int NORMALS_PER_BLOCK = 256;
    private static final int DRAW_THREADS = 64;
    private static final int LANES = 32;

    private final KernelModule module;

    /** Loads the kernels. */
    public StepData(Device device) {
        module = device.module("data/step");
    }

    /**
     * out(n) from N(0, scale²).
     *
     * @param step one uint32: numbers of different steps are independent
     */
    public Work normals(int n, float scale, DeviceBuffer seed, int stream, DeviceBuffer step, DeviceBuffer out) {
        Buffers.of("StepData.normals")
                .longs("seed", seed, 1)
                .ints("step", step, 1)
                .floats("out", out, n);
        return module.replicated("scaled_normals")
                .cooperative(
                        Dim.of(Math.ceilDiv(n, NORMALS_PER_BLOCK)), DRAW_THREADS, n, scale, seed, stream, step, out);
    }

    /** z(levels) = offset(levels) + b. */
    public Work shiftedLevels(int levels, DeviceBuffer offset, DeviceBuffer b, DeviceBuffer z) {
        Buffers.of("StepData.shiftedLevels")
                .floats("offset", offset, levels)
                .floats("b", b, 1)
                .floats("z", z, levels);
        return module.replicated("shifted_levels").elementwise(levels, levels, offset, b, z);
    }

    /**
     * r(n) = x(n, d) w(d) + b, label(n) the index of the largest level of z(levels) that is at most
     * r (0 where there is none), y(n) that level.
     *
     * @param b one float
     * @param label int32
     */
    public Work labels(
            int n,
            int d,
            int levels,
            DeviceBuffer x,
            DeviceBuffer w,
            DeviceBuffer b,
            DeviceBuffer z,
            DeviceBuffer r,
            DeviceBuffer label,
            DeviceBuffer y) {
        Buffers.of("StepData.labels")
                .floats("x", x, n, d)
                .floats("w", w, d)
                .floats("b", b, 1)
                .floats("z", z, levels)
                .floats("r", r, n)
                .ints("label", label, n)
                .floats("y", y, n);
        return module.replicated("step_labels")
                .cooperative(Dim.of(n), LANES, d, levels, x, w, b, z, r, label, y)
                .costing(2.0 * n * d);
    }
}
