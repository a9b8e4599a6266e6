package plateau.train;

import java.util.Arrays;
import plateau.cuda.Device;
import plateau.cuda.Event;
import plateau.cuda.Stream;
import plateau.cuda.Work;

/** Times work on the device. */
public final class Profiler {
    private static final int SAMPLES = 15;

    private Profiler() {}

    /** Nanoseconds of device time that a work takes when it is replayed alone, in several graphs that each hold so many repetitions of it: ascending, so that the median stands in the middle. */
    public static double[] nanoseconds(Device device, Work work, int repetitions) {
        try (Stream stream = device.createStream();
                Event begun = device.createEvent();
                Event ended = device.createEvent();
                Replay alone = new Replay(stream, work, repetitions)) {
            double[] samples = new double[SAMPLES];
            for (int i = 0; i < samples.length; i++) {
                stream.record(begun);
                alone.enqueue(repetitions);
                stream.record(ended);
                stream.synchronize();
                samples[i] = ended.millisecondsSince(begun) * 1e6 / repetitions;
            }
            Arrays.sort(samples);
            return samples;
        }
    }
}
