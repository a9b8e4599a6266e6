package plateau.cuda;

import jcuda.driver.CUgraph;
import jcuda.driver.JCudaDriver;

/** A captured sequence of work. */
public final class Graph implements AutoCloseable {
    private final Device device;
    private final CUgraph graph;
    private boolean closed;

    Graph(Device device, CUgraph graph) {
        this.device = device;
        this.graph = graph;
        device.graphs().incrementAndGet();
    }

    /** Makes it executable. The graph itself may be closed afterwards. */
    public GraphExec instantiate() {
        return new GraphExec(device, graph());
    }

    /** How many operations were captured. */
    public int nodeCount() {
        long[] count = new long[1];
        CudaException.check("cuGraphGetNodes", JCudaDriver.cuGraphGetNodes(graph(), null, count));
        return Math.toIntExact(count[0]);
    }

    private CUgraph graph() {
        if (closed) {
            throw new IllegalStateException("the graph has been closed");
        }
        return graph;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.graphs().decrementAndGet();
            device.within(() -> CudaException.check("cuGraphDestroy", JCudaDriver.cuGraphDestroy(graph)));
        }
    }
}
