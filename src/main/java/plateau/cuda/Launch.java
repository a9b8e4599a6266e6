package plateau.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A kernel launch with its arguments laid out in native memory, so that enqueueing it is one
 * foreign call and allocates nothing. One whose buffers have replicas works on all of them, each a
 * layer of the grid.
 */
public final class Launch implements Work {
    private final Kernel kernel;
    private final Dim grid;
    private final int threads;
    private final Cost cost;
    private final Object[] arguments;
    private final DeviceBuffer[] buffers;
    private final long function;
    private final MemorySegment pointers;
    private final MemorySegment values;
    private final long pointersAddress;

    Launch(Kernel kernel, Dim grid, int threads, Object... arguments) {
        kernel.signature().check(kernel.name(), arguments);
        Replicas replicas = Replicas.of(kernel, arguments);
        this(kernel, replicas.layers(kernel, grid), threads, null, replicas.withStride(kernel, arguments));
    }

    /** @param cost null: all of the buffers, and no operations */
    private Launch(Kernel kernel, Dim grid, int threads, Cost cost, Object[] arguments) {
        this.kernel = kernel;
        this.grid = grid;
        this.threads = threads;
        this.arguments = arguments.clone();
        this.buffers = Arrays.stream(arguments)
                .filter(DeviceBuffer.class::isInstance)
                .map(DeviceBuffer.class::cast)
                .toArray(DeviceBuffer[]::new);
        this.cost = cost != null
                ? cost
                : new Cost(
                        0,
                        Arrays.stream(buffers)
                                .mapToLong(buffer -> buffer.replicas().count() * buffer.bytes())
                                .sum());
        function = kernel.handle();
        Arena arena = Arena.ofAuto();
        values = arena.allocate(Math.max(1, arguments.length) * (long) Long.BYTES, Long.BYTES);
        pointers = arena.allocate(Math.max(1, arguments.length) * (long) Long.BYTES, Long.BYTES);
        for (int i = 0; i < arguments.length; i++) {
            long offset = (long) i * Long.BYTES;
            write(arguments[i], offset);
            pointers.set(ValueLayout.JAVA_LONG, offset, values.address() + offset);
        }
        pointersAddress = pointers.address();
    }

    private void write(Object argument, long offset) {
        switch (argument) {
            case null -> values.set(ValueLayout.JAVA_LONG, offset, 0L);
            case DeviceBuffer buffer -> values.set(ValueLayout.JAVA_LONG, offset, buffer.address());
            case Integer value -> values.set(ValueLayout.JAVA_INT, offset, value);
            case Long value -> values.set(ValueLayout.JAVA_LONG, offset, value);
            case Float value -> values.set(ValueLayout.JAVA_FLOAT, offset, value);
            case Double value -> values.set(ValueLayout.JAVA_DOUBLE, offset, value);
            default -> throw new AssertionError("checked by Signature: " + argument);
        }
    }

    @Override
    public void enqueue(Stream stream) {
        for (DeviceBuffer buffer : buffers) {
            if (buffer.isClosed()) {
                throw closedArgument();
            }
        }
        long queue = stream.handle();
        stream.before();
        int status;
        try {
            status = (int) Calls.LAUNCH_KERNEL.invokeExact(
                    function, grid.x(), grid.y(), grid.z(), threads, 1, 1, 0, queue, pointersAddress, 0L);
        } catch (Throwable e) {
            throw Calls.unexpected(e);
        }
        if (status != 0) {
            throw CudaException.of("cuLaunchKernel(" + this + ")", status);
        }
        stream.after(this);
    }

    private IllegalStateException closedArgument() {
        int index = 0;
        while (!(arguments[index] instanceof DeviceBuffer buffer && buffer.isClosed())) {
            index++;
        }
        return new IllegalStateException(
                kernel.name() + ": argument " + index + " is device memory that has been closed");
    }

    @Override
    public String name() {
        return kernel.name();
    }

    /** The same launch with another block, for tests of cooperative kernels. */
    public Launch withBlock(int otherThreads) {
        return new Launch(kernel, grid, otherThreads, cost, arguments);
    }

    /** The same launch, known to take so many operations on floats, for each replica. */
    public Launch costing(double operations) {
        return new Launch(kernel, grid, threads, new Cost(replicas() * operations, cost.bytes()), arguments);
    }

    /**
     * The same launch, known to take so many operations on floats and to touch so many bytes, for
     * each replica, where that is not all of its buffers.
     */
    public Launch costing(double operations, double bytes) {
        return new Launch(kernel, grid, threads, new Cost(replicas() * operations, replicas() * bytes), arguments);
    }

    private int replicas() {
        return kernel.replicated() ? grid.z() : 1;
    }

    @Override
    public Cost cost() {
        return cost;
    }

    /** The kernel. */
    public Kernel kernel() {
        return kernel;
    }

    /** Blocks, of each replica. */
    public int blocks() {
        return Math.multiplyExact(Math.multiplyExact(grid.x(), grid.y()), grid.z() / replicas());
    }

    /** Blocks. */
    public Dim grid() {
        return grid;
    }

    /** Threads in a block. */
    public int threads() {
        return threads;
    }

    /** Grid and block as CUDA writes them. */
    public String shape() {
        return "<<<(%d,%d,%d),%d>>>".formatted(grid.x(), grid.y(), grid.z(), threads);
    }

    @Override
    public String toString() {
        return kernel.name() + shape();
    }
}
