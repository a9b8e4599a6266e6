package plateau.cuda;

import jcuda.driver.CUresult;

/**
 * A call of the CUDA driver, cuBLAS or cuDNN failed. The message names the call, the code, its
 * text, and what can be done.
 */
public class CudaException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String call;
    private final int code;

    /** A failed call with the name and text of its code. */
    public CudaException(String call, int code, String name, String text) {
        super(call + " failed: " + name + " (" + code + ")" + (text.isEmpty() ? "" : ": " + text));
        this.call = call;
        this.code = code;
    }

    /** The function that failed. */
    public String call() {
        return call;
    }

    /** Its status, as the library returned it. */
    public int code() {
        return code;
    }

    /** Whether the device had not as much memory as was asked for. */
    public boolean saysThatMemoryRanOut() {
        return code == CUresult.CUDA_ERROR_OUT_OF_MEMORY;
    }

    /**
     * Whether the driver has no use for a kernel image that another driver or device may take: it
     * is for another kind of device, or of a newer CUDA version.
     */
    boolean saysThatTheImageDoesNotFit() {
        return switch (code) {
            case CUresult.CUDA_ERROR_INVALID_IMAGE,
                    CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
                    CUresult.CUDA_ERROR_INVALID_PTX,
                    CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
                    CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND,
                    CUresult.CUDA_ERROR_INVALID_SOURCE -> true;
            default -> false;
        };
    }

    /** Throws unless a driver call's status is CUDA_SUCCESS. */
    static void check(String call, int status) {
        if (status != CUresult.CUDA_SUCCESS) {
            throw of(call, status);
        }
    }

    static CudaException of(String call, int status) {
        return new CudaException(call, status, CUresult.stringFor(status), advice(status));
    }

    /** What to do, to those who write a program and to those who run one. */
    private static String advice(int status) {
        return switch (status) {
            case CUresult.CUDA_ERROR_OUT_OF_MEMORY ->
                "the device's memory is full; use smaller batches, or end other programs on the device";
            case CUresult.CUDA_ERROR_NO_DEVICE ->
                "no CUDA device is visible; check nvidia-smi and CUDA_VISIBLE_DEVICES, or use device cpu";
            case CUresult.CUDA_ERROR_INVALID_DEVICE -> "there is no device with this number";
            case CUresult.CUDA_ERROR_INVALID_CONTEXT ->
                "the device is not current on this thread, or has been closed; call device.makeCurrent() on each"
                        + " thread once";
            case CUresult.CUDA_ERROR_INVALID_IMAGE, CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU ->
                "the kernels do not fit this device or are damaged; build the program again on this machine";
            case CUresult.CUDA_ERROR_OPERATING_SYSTEM ->
                "the operating system refused what the driver asked it for; a process may have too few files open at"
                        + " once (ulimit -n), or too little memory";
            case CUresult.CUDA_ERROR_ILLEGAL_ADDRESS ->
                "a kernel was given memory that is not the device's or has been freed, by a graph that outlived its"
                    + " buffers for example, or went past the end of it; the context is lost, compute-sanitizer finds"
                    + " the kernel";
            case CUresult.CUDA_ERROR_LAUNCH_FAILED ->
                "a kernel went wrong and the device's context is lost; run again under compute-sanitizer and report"
                        + " this";
            case CUresult.CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES ->
                "a kernel was launched with too many threads in a block";
            case CUresult.CUDA_ERROR_NOT_INITIALIZED, CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH ->
                "the driver does not work; restart the machine after a driver update, or use device cpu";
            case CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION ->
                "the driver is too old for these kernels; update the NVIDIA driver";
            default -> "";
        };
    }
}
