package plateau.cuda.load;

import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Optional;

/**
 * The functions that a driver must have. JCuda's own library binds each when it is first called,
 * and ends the process where there is none: so they are looked for before.
 */
final class DriverFunctions {
    /** All that this program calls but for what it can do without, under the names of the ABI. */
    static final List<String> NEEDED = List.of(
            "cuCtxPopCurrent_v2",
            "cuCtxPushCurrent_v2",
            "cuCtxSetCurrent",
            "cuCtxSynchronize",
            "cuDeviceGet",
            "cuDeviceGetAttribute",
            "cuDeviceGetCount",
            "cuDeviceGetName",
            "cuDevicePrimaryCtxRelease_v2",
            "cuDevicePrimaryCtxRetain",
            "cuDevicePrimaryCtxSetFlags_v2",
            "cuDeviceTotalMem_v2",
            "cuDriverGetVersion",
            "cuEventCreate",
            "cuEventDestroy_v2",
            "cuEventElapsedTime",
            "cuEventRecord",
            "cuEventSynchronize",
            "cuFuncGetAttribute",
            "cuGraphDestroy",
            "cuGraphExecDestroy",
            "cuGraphGetNodes",
            "cuGraphInstantiateWithFlags",
            "cuGraphLaunch",
            "cuInit",
            "cuLaunchKernel",
            "cuMemAllocHost_v2",
            "cuMemAlloc_v2",
            "cuMemFreeHost",
            "cuMemFree_v2",
            "cuMemGetInfo_v2",
            "cuMemcpy2D_v2",
            "cuMemcpyDtoDAsync_v2",
            "cuMemcpyDtoHAsync_v2",
            "cuMemcpyDtoH_v2",
            "cuMemcpyHtoDAsync_v2",
            "cuMemsetD32Async",
            "cuModuleGetFunction",
            "cuModuleGetGlobal_v2",
            "cuModuleLoadData",
            "cuModuleUnload",
            "cuStreamBeginCapture_v2",
            "cuStreamCreate",
            "cuStreamDestroy_v2",
            "cuStreamEndCapture",
            "cuStreamQuery",
            "cuStreamSynchronize",
            "cuStreamWaitEvent");

    private DriverFunctions() {}

    /** Why a library is no driver, in words for a reader; empty where it is one. */
    static Optional<String> noDriver(String library, SymbolLookup functions) {
        return functions.find("cuInit").isPresent()
                ? Optional.empty()
                : Optional.of(library + " is no CUDA driver: it has no function cuInit");
    }

    /** Likewise, why a driver cannot be used: the first function that it lacks. */
    static Optional<String> tooOld(String library, SymbolLookup functions) {
        return NEEDED.stream()
                .filter(function -> functions.find(function).isEmpty())
                .findFirst()
                .map(function -> "%s is too old: it has no function %s; driver %d or later has it"
                        .formatted(library, function, DriverVersion.OF_FUNCTIONS));
    }
}
