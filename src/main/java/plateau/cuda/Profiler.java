package plateau.cuda;

import java.util.Arrays;

/** Times work on the device. */
public final class Profiler {
    private static final int SAMPLES = 15;
    private static final double SAMPLE_NANOSECONDS = 2e7;

    private Profiler() {}

    /**
     * Nanoseconds of device time that a work takes when it is replayed alone, in several graphs
     * that each hold so many repetitions of it, or fewer where those would take long: ascending, so
     * that the median stands in the middle.
     */
    public static double[] nanoseconds(Device device, Work work, int mostRepetitions) {
        try (Stream stream = device.createStream();
                Event begun = device.createEvent();
                Event ended = device.createEvent()) {
            double once = nanoseconds(stream, begun, ended, new Replay(stream, work, 0, 1), 1);
            int repetitions = (int) Math.clamp(SAMPLE_NANOSECONDS / once, 1, mostRepetitions);
            try (Replay alone = new Replay(stream, work, repetitions, repetitions)) {
                double[] samples = new double[SAMPLES];
                for (int i = 0; i < samples.length; i++) {
                    samples[i] = nanoseconds(stream, begun, ended, alone, repetitions);
                }
                Arrays.sort(samples);
                return samples;
            }
        }
    }

    private static double nanoseconds(Stream stream, Event begun, Event ended, Replay replay, int repetitions) {
        stream.record(begun);
        replay.enqueue(repetitions);
        stream.record(ended);
        stream.synchronize();
        return ended.millisecondsSince(begun) * 1e6 / repetitions;
    }
}
