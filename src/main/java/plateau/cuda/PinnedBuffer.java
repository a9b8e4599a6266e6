package plateau.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Page-locked host memory, which asynchronous copies need. */
public final class PinnedBuffer implements AutoCloseable {
    private final Device device;
    private final Pointer pointer = new Pointer();
    private final ByteBuffer bytes;
    private boolean closed;

    PinnedBuffer(Device device, long size) {
        this.device = device;
        device.within(() ->
                CudaException.check("cuMemAllocHost(" + size + " bytes)", JCudaDriver.cuMemAllocHost(pointer, size)));
        bytes = pointer.getByteBuffer(0, size).order(ByteOrder.nativeOrder());
    }

    /** The memory. Not to be used after close. */
    public ByteBuffer bytes() {
        if (closed) {
            throw new IllegalStateException("the pinned memory has been closed");
        }
        return bytes;
    }

    Pointer pointer() {
        return pointer;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.pinned().decrementAndGet();
            device.within(() -> CudaException.check("cuMemFreeHost", JCudaDriver.cuMemFreeHost(pointer)));
        }
    }
}
