package plateau.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Copies from the host to a device. CUDA's cuMemcpyHtoD may return before ordinary memory has
 * arrived, and is ordered with nothing that a non-blocking stream does. So copies go through a
 * stream of their own, which is waited for: what is enqueued anywhere afterwards sees them. The
 * legacy stream is left alone, and whatever other streams capture.
 */
final class Transfers {
    private final Stream stream;

    Transfers(Device device) {
        stream = Stream.uncounted(device);
    }

    /** Returns when the values are in device memory. */
    void upload(long address, MemorySegment values) {
        try (Arena arena = Arena.ofConfined()) {
            // Java may move an array while it is being copied.
            MemorySegment fixed = arena.allocate(values.byteSize(), Long.BYTES).copyFrom(values);
            CudaException.check("cuMemcpyHtoDAsync", (int)
                    Calls.UPLOAD.invokeExact(address, fixed.address(), fixed.byteSize(), stream.handle()));
            stream.synchronize();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw Calls.unexpected(e);
        }
    }

    void close() {
        stream.close();
    }
}
