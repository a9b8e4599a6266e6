package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Releases;

/**
 * What one run holds on its device: memory, planned before the first step, and the stream and
 * events it uses. All is released together.
 */
public final class Workspace implements AutoCloseable {
    private final Device device;
    private final List<Runnable> releases = new ArrayList<>();
    private long bytes;

    /** An empty workspace. */
    public Workspace(Device device) {
        this.device = device;
    }

    /** The device whose memory this is. */
    public Device device() {
        return device;
    }

    /** Room for 32-bit words, floats or ints; its content is undefined. */
    public DeviceBuffer words(long count) {
        return own(device.allocate(Math.multiplyExact(count, (long) Float.BYTES)));
    }

    /** Floats with a first content. */
    public DeviceBuffer floats(float... content) {
        return own(device.upload(content));
    }

    /** Ints with a first content. */
    public DeviceBuffer ints(int... content) {
        return own(device.upload(content));
    }

    /** Bytes of device memory in all. */
    public long bytes() {
        return bytes;
    }

    private DeviceBuffer own(DeviceBuffer memory) {
        bytes += memory.bytes();
        return own(memory, DeviceBuffer::close);
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
