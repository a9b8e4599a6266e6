package plateau.cuda;

import java.util.Optional;

/**
 * A library that a device may have, where it works.
 *
 * @param library it; none where it is not there or does not work
 * @param words where it was found, or why there is none, for a reader
 */
public record Availability<T>(Optional<T> library, String words) {
    /** That there is none. */
    public static <T> Availability<T> none(String words) {
        return new Availability<>(Optional.empty(), words);
    }

    /** That there is none that works, with the first line of what was said. */
    public static <T> Availability<T> none(String where, Throwable reason) {
        return none(where + ": "
                + String.valueOf(reason.getMessage()).lines().findFirst().orElse(""));
    }
}
