package plateau.kernel;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import plateau.cuda.Device;
import plateau.cuda.Stream;
import plateau.cuda.Work;

/** Runs work on a device, and remembers which kernels it was. */
final class KernelRuns {
    private static final Set<String> NAMES = ConcurrentHashMap.newKeySet();

    private KernelRuns() {}

    /** Runs the work on a stream of its own, to its end. */
    static void run(Device device, Work work) {
        try (Stream stream = device.createStream()) {
            work.enqueue(stream);
            stream.synchronize();
        }
        work.parts().forEach(part -> NAMES.add(part.name()));
    }

    /** What has been run since the last {@link #forget}. */
    static Set<String> names() {
        return Set.copyOf(NAMES);
    }

    static void forget() {
        NAMES.clear();
    }
}
