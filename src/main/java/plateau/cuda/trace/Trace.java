package plateau.cuda.trace;

/**
 * Says what goes on, where somebody listens: NVIDIA's profilers by NVTX, or a {@link Recording}.
 * Where nobody does, a range is a constant that does nothing, and no text is made for it. Nothing
 * of this changes what a program computes.
 */
public final class Trace {
    private static final Nvtx NVTX = Nvtx.open().orElse(null);
    private static volatile Recording recording;

    private Trace() {}

    /** Whether anybody listens. */
    public static boolean isOn() {
        return NVTX != null || recording != null;
    }

    /** Opens a range on this thread, inside those that are open there; close it on this thread. */
    public static Range open(Category category, String name) {
        return isOn() ? new Range(NVTX, recording, category, name, true) : Range.NONE;
    }

    /** Opens a range {@code what first to last}. */
    public static Range open(Category category, String what, long first, long last) {
        return isOn() ? new Range(NVTX, recording, category, what + " " + first + " to " + last, false) : Range.NONE;
    }

    /** Names this thread. */
    public static void nameThread(String name) {
        if (NVTX != null) {
            NVTX.nameThread(name);
        }
    }

    /** Names a CUstream. */
    public static void nameStream(long stream, String name) {
        if (NVTX != null) {
            NVTX.nameStream(stream, name);
        }
    }

    /** Names a CUcontext. */
    public static void nameContext(long context, String name) {
        if (NVTX != null) {
            NVTX.nameContext(context, name);
        }
    }

    /** Takes down the ranges that are opened from now on, until {@link #stop}. */
    public static Recording record() {
        recording = new Recording();
        return recording;
    }

    /** What is recording; null if nothing is. */
    public static Recording recording() {
        return recording;
    }

    /** Ends the recording. */
    public static void stop() {
        recording = null;
    }
}
