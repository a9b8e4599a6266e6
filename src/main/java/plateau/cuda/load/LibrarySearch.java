package plateau.cuda.load;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What came of looking for a library.
 *
 * @param file the library; none where there is none that serves
 * @param words where it was found and why it was looked for there, or what kept each from being
 *     used, in the loader's words
 * @param isForwarded whether it is found under another name than it is asked for by, and a
 *     forwarder stands between
 */
public record LibrarySearch(Optional<Path> file, String words, boolean isForwarded) {
    static LibrarySearch none(String words) {
        return new LibrarySearch(Optional.empty(), words, false);
    }

    static LibrarySearch found(Path file, String reason) {
        return new LibrarySearch(Optional.of(file), file + ", " + reason, false);
    }
}
