package plateau.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * Device memory that is given back together. It is taken in few large blocks: giving one back waits
 * for all that the device does, whoever has asked for it. With replicas it is one block, each
 * replica as far behind the one before it, whichever buffer it is of.
 */
public final class DeviceArena implements AutoCloseable {
    /** As cuMemAlloc aligns. */
    private static final long ALIGNMENT = 256;

    /** Bytes behind each buffer that are nobody's: the CPU driver sees who writes there. */
    private static final long GUARD = 64;

    /** Bytes of the first block, which is what NVIDIA's driver takes from the system at least. */
    private static final long SMALLEST_BLOCK = 2 << 20;

    /** Bytes of a block at most, but for a buffer that needs more. */
    private static final long LARGEST_BLOCK = 16 << 20;

    private final Device device;
    private final Replicas replicas;
    private final List<DeviceBuffer> blocks = new ArrayList<>();
    private DeviceBuffer block;
    private long used;
    private long bytes;
    private long content;

    /** An empty arena. */
    public DeviceArena(Device device) {
        this.device = device;
        this.replicas = Replicas.ONE;
    }

    /**
     * An empty arena of several replicas.
     *
     * @param content bytes of one of them, as {@link #content} tells of an arena of which the same
     *     has been asked
     * @throws CudaException if there is not enough
     */
    public DeviceArena(Device device, int count, long content) {
        this.device = device;
        this.replicas = count == 1 ? Replicas.ONE : new Replicas(count, content);
        this.block = take(Math.multiplyExact(count, content));
    }

    /**
     * Memory of that many bytes, content undefined; closing it does nothing.
     *
     * @throws CudaException if there is not enough
     * @throws IllegalStateException if it is of replicas, and more than was said
     */
    public DeviceBuffer allocate(long size) {
        if (size <= 0) {
            throw new IllegalArgumentException("a buffer needs at least one byte, not " + size);
        }
        long taken = Math.ceilDiv(Math.addExact(size, GUARD), ALIGNMENT) * ALIGNMENT;
        content += taken;
        if (replicas.count() > 1) {
            if (content > replicas.stride()) {
                throw new IllegalStateException(
                        "%d bytes of a replica are taken, of %d".formatted(content, replicas.stride()));
            }
            return carve(block, content - taken, size);
        }
        if (taken >= LARGEST_BLOCK) {
            return carve(take(taken), 0, size);
        }
        if (block == null || taken > block.bytes() - used) {
            block = take(Math.max(taken, Math.clamp(bytes, SMALLEST_BLOCK, LARGEST_BLOCK)));
            used = 0;
        }
        DeviceBuffer buffer = carve(block, used, size);
        used += taken;
        return buffer;
    }

    private DeviceBuffer take(long size) {
        DeviceBuffer taken = device.allocate(size);
        blocks.add(taken);
        bytes += size;
        return taken;
    }

    /** The CPU driver is told, so that it refuses what lies between the buffers. */
    private DeviceBuffer carve(DeviceBuffer from, long offset, long size) {
        DeviceBuffer part = from.slice(offset, size).in(replicas);
        Calls.carve()
                .ifPresent(carve -> device.within(() -> {
                    try {
                        for (int i = 0; i < replicas.count(); i++) {
                            CudaException.check("plateau_carve", (int)
                                    carve.invokeExact(part.replica(i).address(), size));
                        }
                    } catch (RuntimeException | Error e) {
                        throw e;
                    } catch (Throwable e) {
                        throw Calls.unexpected(e);
                    }
                }));
        return part;
    }

    /** Bytes that what was asked for takes, of each replica. */
    public long content() {
        return content;
    }

    /** Bytes that have been taken from the device. */
    public long bytes() {
        return bytes;
    }

    /** Gives all of it back once what uses it has run. Closing twice does nothing. */
    @Override
    public void close() {
        List<Runnable> all =
                blocks.stream().<Runnable>map(taken -> taken::close).toList();
        blocks.clear();
        block = null;
        Releases.all(all);
    }
}
