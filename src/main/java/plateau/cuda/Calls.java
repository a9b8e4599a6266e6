package plateau.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.invoke.MethodHandle;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import plateau.cuda.load.Libraries;

/**
 * The driver functions that run at every step, called through the Foreign Function &amp; Memory
 * API. Handles and device pointers are passed as longs.
 */
final class Calls {
    /**
     * What each symbol takes; all return a CUresult. Checked against cuda.h by a test, where that
     * is installed.
     */
    static final Map<String, FunctionDescriptor> DESCRIPTORS = new LinkedHashMap<>();

    /**
     * cuLaunchKernel(function, grid x y z, block x y z, shared bytes, stream, parameters, extra).
     */
    static final MethodHandle LAUNCH_KERNEL = handle(
            "cuLaunchKernel",
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG);

    /** cuGraphLaunch(exec, stream). */
    static final MethodHandle LAUNCH_GRAPH = handle("cuGraphLaunch", JAVA_LONG, JAVA_LONG);

    /** cuMemsetD32Async(destination, value, count, stream). */
    static final MethodHandle FILL = handle("cuMemsetD32Async", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);

    /** cuMemcpyDtoDAsync(destination, source, bytes, stream). */
    static final MethodHandle COPY = handle("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    /** cuMemcpyHtoDAsync(destination, source, bytes, stream). */
    static final MethodHandle UPLOAD = handle("cuMemcpyHtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    /**
     * cuFuncGetParamInfo(function, index, &amp;offset, &amp;bytes), from CUDA 12.4 on. Where an
     * older driver lacks it, a call through JCuda would end the process.
     */
    private static final Optional<MethodHandle> PARAMETER_INFO =
            handleIfThere("cuFuncGetParamInfo", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    /** plateau_carve(address, bytes), which the CPU driver alone has. */
    private static final Optional<MethodHandle> CARVE = Libraries.inUse()
            .driver()
            .find("plateau_carve")
            .map(symbol -> Linker.nativeLinker()
                    .downcallHandle(symbol, FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG)));

    /** Says to NVIDIA's profilers where what they are to look at begins and ends. */
    private static final Optional<MethodHandle> PROFILER_START = handleIfThere("cuProfilerStart");

    private static final Optional<MethodHandle> PROFILER_STOP = handleIfThere("cuProfilerStop");

    private Calls() {}

    /** Calls cuProfilerStart, where the driver has that function. */
    static void profilerStart() {
        call("cuProfilerStart", PROFILER_START);
    }

    /** Calls cuProfilerStop, where the driver has that function. */
    static void profilerStop() {
        call("cuProfilerStop", PROFILER_STOP);
    }

    private static void call(String name, Optional<MethodHandle> function) {
        if (function.isPresent()) {
            int status;
            try {
                status = (int) function.get().invokeExact();
            } catch (Throwable e) {
                throw unexpected(e);
            }
            CudaException.check(name, status);
        }
    }

    /** Makes a part of an allocation one of its own, where the driver keeps account of that. */
    static Optional<MethodHandle> carve() {
        return CARVE;
    }

    /**
     * Tells the place and the bytes of a kernel's parameter, where the driver has that function.
     */
    static Optional<MethodHandle> parameterInfo() {
        return PARAMETER_INFO;
    }

    private static Optional<MethodHandle> handleIfThere(String symbol, MemoryLayout... parameters) {
        return Libraries.inUse().driver().find(symbol).map(_ -> handle(symbol, parameters));
    }

    private static MethodHandle handle(String symbol, MemoryLayout... parameters) {
        FunctionDescriptor descriptor = FunctionDescriptor.of(JAVA_INT, parameters);
        DESCRIPTORS.put(symbol, descriptor);
        return Linker.nativeLinker().downcallHandle(Libraries.inUse().driver().findOrThrow(symbol), descriptor);
    }

    /** What an invokeExact that cannot throw, but must declare to, threw. */
    static IllegalStateException unexpected(Throwable throwable) {
        return new IllegalStateException(throwable);
    }
}
