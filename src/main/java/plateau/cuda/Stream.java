package plateau.cuda;

import java.util.List;
import java.util.concurrent.locks.LockSupport;
import jcuda.driver.CUgraph;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import plateau.cuda.trace.Trace;

/**
 * An in-order queue of a device's work. Non-blocking: it does not wait for the legacy default
 * stream.
 */
public final class Stream implements AutoCloseable {
    /** Makes the handle's value readable. */
    private static final class Handle extends CUstream {
        long value() {
            return getNativePointer();
        }
    }

    private static final long POLL_NANOSECONDS = 200_000;

    private final Device device;
    private final Handle stream = new Handle();
    private final long handle;
    private final boolean counted;
    private final Timeline.Lane lane;
    private boolean capturing;
    private boolean closed;

    Stream(Device device) {
        this(device, true);
    }

    /** One that is no program's, but the device's own. */
    static Stream uncounted(Device device) {
        return new Stream(device, false);
    }

    private Stream(Device device, boolean counted) {
        this.counted = counted;
        this.device = device;
        device.within(() -> CudaException.check(
                "cuStreamCreate", JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING)));
        handle = stream.value();
        if (counted) {
            device.streams().incrementAndGet();
        }
        Timeline timeline = Timeline.current();
        lane = timeline == null || !counted ? null : timeline.lane(this);
    }

    /** Names it, for profilers. */
    public void name(String name) {
        Trace.nameStream(handle(), name);
        if (lane != null) {
            lane.name(name);
        }
    }

    /** Whether a {@link Timeline} takes down what is enqueued now. */
    public boolean isWatched() {
        return lane != null && lane.isOpen();
    }

    /**
     * Does what enqueues something here; where it is watched, the stream begins with that when all
     * is there, so that it is not slowed by whoever enqueues.
     */
    public void fill(Runnable enqueues) {
        if (isWatched()) {
            lane.held(enqueues);
        } else {
            enqueues.run();
        }
    }

    /** What enqueues says so before it does, */
    public void before() {
        if (lane != null && !capturing) {
            lane.before();
        }
    }

    /** and when it has, for {@link Timeline}. */
    public void after(Work work) {
        if (lane != null && !capturing) {
            lane.after(work);
        }
    }

    /** Waits until everything enqueued has run; an error of that work is thrown here. */
    public void synchronize() {
        if (isWatched()) { // whoever waits is woken by each operation of the CPU driver, which takes time
            while (!query()) {
                LockSupport.parkNanos(POLL_NANOSECONDS);
            }
        }
        CudaException.check("cuStreamSynchronize", JCudaDriver.cuStreamSynchronize(stream()));
    }

    /** Whether everything enqueued has run. */
    public boolean query() {
        int status = JCudaDriver.cuStreamQuery(stream());
        if (status == CUresult.CUDA_ERROR_NOT_READY) {
            return false;
        }
        CudaException.check("cuStreamQuery", status);
        return true;
    }

    /** Marks this point of the stream. */
    public void record(Event event) {
        CudaException.check("cuEventRecord", JCudaDriver.cuEventRecord(event.event(), stream()));
    }

    /** Lets what is enqueued from here on wait for the event's last record. */
    public void await(Event event) {
        CudaException.check("cuStreamWaitEvent", JCudaDriver.cuStreamWaitEvent(stream(), event.event(), 0));
    }

    /** Copies asynchronously to page-locked memory, as many bytes as the source has. */
    public void download(DeviceBuffer source, PinnedBuffer target) {
        source.requireOpen("download");
        if (target.bytes().capacity() < source.bytes()) {
            throw new IndexOutOfBoundsException(source.bytes() + " bytes do not fit a pinned buffer of "
                    + target.bytes().capacity());
        }
        CudaException.check(
                "cuMemcpyDtoHAsync",
                JCudaDriver.cuMemcpyDtoHAsync(target.pointer(), source.pointer(), source.bytes(), stream()));
    }

    /**
     * Captures what the action enqueues on this stream into a graph instead of running it. The
     * capture ends, and is dropped, where the action fails.
     */
    public Graph capture(Runnable enqueues) {
        CudaException.check(
                "cuStreamBeginCapture",
                JCudaDriver.cuStreamBeginCapture(stream(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        CUgraph graph = new CUgraph();
        capturing = true;
        try {
            enqueues.run();
        } catch (RuntimeException | Error e) {
            Releases.after(e, () -> drop(graph));
            throw e;
        } finally {
            capturing = false;
        }
        endCapture(graph);
        return new Graph(device, graph);
    }

    private void endCapture(CUgraph graph) {
        CudaException.check("cuStreamEndCapture", JCudaDriver.cuStreamEndCapture(stream(), graph));
    }

    private void drop(CUgraph graph) {
        endCapture(graph);
        CudaException.check("cuGraphDestroy", JCudaDriver.cuGraphDestroy(graph));
    }

    /** The CUstream handle, for libraries. */
    public long handle() {
        requireOpen();
        return handle;
    }

    CUstream stream() {
        requireOpen();
        return stream;
    }

    /** A destroyed stream's handle is no longer the driver's to check: using it is undefined. */
    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the stream has been closed");
        }
    }

    /** The device that it is a queue of. */
    Device device() {
        return device;
    }

    /** Destroys the stream; work already enqueued still runs. */
    @Override
    public void close() {
        if (!closed) {
            if (counted) {
                device.streams().decrementAndGet();
            }
            Releases.all(List.of(
                    () -> device.forget(this),
                    () -> closed = true,
                    () -> device.within(
                            () -> CudaException.check("cuStreamDestroy", JCudaDriver.cuStreamDestroy(stream)))));
        }
    }
}
