package plateau.cuda;

import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/** A point in a stream that can be waited for and timed. */
public final class Event implements AutoCloseable {
    private final Device device;
    private final CUevent event = new CUevent();
    private boolean closed;

    Event(Device device) {
        this.device = device;
        device.within(() ->
                CudaException.check("cuEventCreate", JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DEFAULT)));
    }

    /** Waits until the last record has been reached. */
    public void synchronize() {
        CudaException.check("cuEventSynchronize", JCudaDriver.cuEventSynchronize(event()));
    }

    /** Milliseconds of device time between the other event's record and this one's. */
    public float millisecondsSince(Event earlier) {
        float[] milliseconds = new float[1];
        CudaException.check(
                "cuEventElapsedTime", JCudaDriver.cuEventElapsedTime(milliseconds, earlier.event(), event()));
        return milliseconds[0];
    }

    CUevent event() {
        if (closed) {
            throw new IllegalStateException("the event has been closed");
        }
        return event;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.events().decrementAndGet();
            device.within(() -> CudaException.check("cuEventDestroy", JCudaDriver.cuEventDestroy(event)));
        }
    }
}
