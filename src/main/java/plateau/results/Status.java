package plateau.results;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Where a run stands, or all runs of a folder together. */
public enum Status {
    /** Not begun. */
    WAITING,
    /** Begun; or killed, if no process holds its folder. */
    RUNNING,
    /** All its steps are done. */
    FINISHED,
    /** Ended by an error. */
    FAILED,
    /** Ended by a signal; it goes on from its checkpoint, if it has one. */
    INTERRUPTED;

    /** As it is written: {@code finished}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The status that is written so; empty where there is none. */
    public static Optional<Status> of(String text) {
        return Arrays.stream(values())
                .filter(status -> status.text().equals(text))
                .findFirst();
    }
}
