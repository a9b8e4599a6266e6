package plateau.theory;

import java.util.Arrays;
import plateau.autograd.Kernels;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;

/** Memory and a stream of a device, for one part of a statement; both go when it is closed. */
final class Computation implements AutoCloseable {
    private final Kernels kernels;
    private final Workspace workspace;
    private final Stream stream;

    Computation(Kernels kernels) {
        this.kernels = kernels;
        workspace = new Workspace(kernels.device());
        stream = workspace.own(kernels.device().createStream(), Stream::close);
    }

    Kernels kernels() {
        return kernels;
    }

    Workspace workspace() {
        return workspace;
    }

    /** Room for so many float32 or int32. */
    DeviceBuffer words(long count) {
        return workspace.words(count);
    }

    /** Room for so many float64. */
    DeviceBuffer doubles(long count) {
        return workspace.words(Math.multiplyExact(count, 2L));
    }

    /** Float64 with a first content. */
    DeviceBuffer upload(double... content) {
        DeviceBuffer buffer = doubles(content.length);
        buffer.upload(content);
        return buffer;
    }

    DeviceBuffer upload(float... content) {
        return workspace.floats(content);
    }

    DeviceBuffer upload(long... content) {
        return workspace.longs(content);
    }

    DeviceBuffer upload(int... content) {
        return workspace.ints(content);
    }

    /** Standard normals, float32. */
    DeviceBuffer normals(int count, long seed, int of, int step) {
        DeviceBuffer out = words(count);
        run(kernels.initializer().standardNormal(count, upload(seed), of, step, out));
        return out;
    }

    /** Carries out the works one after the other, and waits for the last. */
    void run(Work... works) {
        enqueue(works);
        stream.synchronize();
    }

    /** Carries out the works one after the other, and waits for none. */
    void enqueue(Work... works) {
        Arrays.stream(works).forEach(work -> work.enqueue(stream));
    }

    @Override
    public void close() {
        stream.synchronize();
        workspace.close();
    }
}
