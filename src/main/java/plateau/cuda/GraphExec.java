package plateau.cuda;

import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.JCudaDriver;

/** An executable graph: enqueueing it is one call of the driver, whatever it holds. */
public final class GraphExec implements Work, AutoCloseable {
    /** Makes the handle's value readable. */
    private static final class Handle extends CUgraphExec {
        long value() {
            return getNativePointer();
        }
    }

    private final Device device;
    private final Handle exec = new Handle();
    private final long handle;
    private boolean closed;

    GraphExec(Device device, CUgraph graph) {
        this.device = device;
        device.within(() -> CudaException.check("cuGraphInstantiate", JCudaDriver.cuGraphInstantiate(exec, graph, 0)));
        device.graphs().incrementAndGet();
        handle = exec.value();
    }

    @Override
    public void enqueue(Stream stream) {
        if (closed) {
            throw new IllegalStateException("the graph has been closed");
        }
        stream.before();
        try {
            CudaException.check("cuGraphLaunch", (int) Calls.LAUNCH_GRAPH.invokeExact(handle, stream.handle()));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw Calls.unexpected(e);
        }
        stream.after(this);
    }

    @Override
    public String name() {
        return "graph";
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.graphs().decrementAndGet();
            device.within(() -> CudaException.check("cuGraphExecDestroy", JCudaDriver.cuGraphExecDestroy(exec)));
        }
    }
}
