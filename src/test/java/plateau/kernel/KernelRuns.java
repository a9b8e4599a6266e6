package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.Stream;
import plateau.cuda.Work;

/** Runs work on a device. */
final class KernelRuns {
    private KernelRuns() {}

    /** Runs the work on a stream of its own, to its end. */
    static void run(Device device, Work work) {
        try (Stream stream = device.createStream()) {
            work.enqueue(stream);
            stream.synchronize();
        }
    }
}
