package plateau.cuda.trace;

import java.util.Locale;

/** What a range is of. */
public enum Category {
    /** A run, from its first step to its last. */
    RUN,
    /** Planning a run: memory, first kernels, capture. */
    SET_UP,
    /** Capturing a graph. */
    CAPTURE,
    /** Enqueueing training steps. */
    REPLAY,
    /** Enqueueing an evaluation. */
    EVALUATION,
    /** Saving a run's state. */
    CHECKPOINT,
    /** A call of cuBLAS or cuDNN. */
    LIBRARY;

    /** As a profiler shows it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
