package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import plateau.cuda.Device;
import plateau.cuda.DeviceArena;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Releases;

/**
 * What one run holds on its device: memory, planned before the first step, and the stream and
 * events it uses. All is released together.
 */
public final class Workspace implements AutoCloseable {
    private final Device device;
    private final int replicas;
    private final DeviceArena memory;
    private final List<Runnable> releases = new ArrayList<>();

    /** An empty workspace. */
    public Workspace(Device device) {
        this.device = device;
        this.replicas = 1;
        this.memory = own(new DeviceArena(device), DeviceArena::close);
    }

    /**
     * An empty workspace of several runs that do the same with memory of their own: all buffers
     * have as many replicas.
     *
     * @param content bytes of one of them, as {@link #content} tells of a workspace in which the
     *     same run was planned alone
     */
    public Workspace(Device device, int replicas, long content) {
        this.device = device;
        this.replicas = replicas;
        this.memory = own(new DeviceArena(device, replicas, content), DeviceArena::close);
    }

    /** The device whose memory this is. */
    public Device device() {
        return device;
    }

    /** Room for 32-bit words, floats or ints; its content is undefined. */
    public DeviceBuffer words(long count) {
        return memory.allocate(Math.multiplyExact(count, (long) Float.BYTES));
    }

    /** Floats with a first content. */
    public DeviceBuffer floats(float... content) {
        DeviceBuffer words = words(Math.max(1, content.length));
        words.upload(content);
        return words;
    }

    /** Ints with a first content. */
    public DeviceBuffer ints(int... content) {
        DeviceBuffer words = words(Math.max(1, content.length));
        words.upload(content);
        return words;
    }

    /** Longs with a first content. */
    public DeviceBuffer longs(long... content) {
        DeviceBuffer words = words(2L * Math.max(1, content.length));
        words.upload(content);
        return words;
    }

    /** How many runs have memory here, at least 1. */
    public int replicas() {
        return replicas;
    }

    /** Bytes that what was asked for takes, of each run. */
    public long content() {
        return memory.content();
    }

    /** Bytes of device memory in all. */
    public long bytes() {
        return memory.bytes();
    }

    /** Takes over a resource, and returns it. */
    public <T> T own(T resource, Consumer<T> release) {
        releases.add(() -> release.accept(resource));
        return resource;
    }

    /**
     * Releases everything, the latest first; a release that fails does not keep the others from it.
     */
    @Override
    public void close() {
        List<Runnable> all = List.copyOf(releases.reversed());
        releases.clear();
        Releases.all(all);
    }
}
