package plateau.cuda;

import java.util.Arrays;

/**
 * How memory is laid out of which several runs of one shape have a copy each: so many, each as many
 * bytes behind the one before it, whichever buffer it is.
 *
 * @param count copies, at least 1
 * @param stride bytes from one copy to the next; 0 where there is one
 */
record Replicas(int count, long stride) {
    /** Memory that there is once. */
    static final Replicas ONE = new Replicas(1, 0);

    /**
     * Those that a launch works on.
     *
     * @throws IllegalArgumentException if its buffers differ in that, or the kernel knows no
     *     replicas
     */
    static Replicas of(Kernel kernel, Object... arguments) {
        Replicas[] different = Arrays.stream(arguments)
                .filter(DeviceBuffer.class::isInstance)
                .map(argument -> ((DeviceBuffer) argument).replicas())
                .distinct()
                .toArray(Replicas[]::new);
        if (different.length > 1) {
            throw new IllegalArgumentException("kernel %s: its buffers have %d and %d replicas, %d and %d bytes apart"
                    .formatted(
                            kernel.name(),
                            different[0].count,
                            different[1].count,
                            different[0].stride,
                            different[1].stride));
        }
        Replicas all = different.length == 0 ? ONE : different[0];
        if (all.count > 1 && !kernel.replicated()) {
            throw new IllegalArgumentException("kernel %s: its buffers have %d replicas, of which it knows nothing"
                    .formatted(kernel.name(), all.count));
        }
        return all;
    }

    /** The arguments of the kernel, the distance between replicas behind all others. */
    Object[] withStride(Kernel kernel, Object... arguments) {
        if (!kernel.replicated()) {
            return arguments;
        }
        Object[] all = Arrays.copyOf(arguments, arguments.length + 1);
        all[arguments.length] = stride;
        return all;
    }

    /** The grid with a layer for each. */
    Dim layers(Kernel kernel, Dim grid) {
        if (kernel.replicated() && grid.z() > 1) {
            throw new IllegalArgumentException("kernel %s: the layers of a grid are its replicas, which are %d, not %d"
                    .formatted(kernel.name(), count, grid.z()));
        }
        return kernel.replicated() ? new Dim(grid.x(), grid.y(), count) : grid;
    }
}
