package plateau.results;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Objects;

/** A file or folder that cannot be read or written. The message is one line: which, and why. */
public class FileException extends IOException {
    private static final long serialVersionUID = 1;

    private final String reason;

    /** A message of the form {@code DIR/metrics.csv: the reason}. */
    public FileException(Path file, String reason) {
        this(file, reason, null);
    }

    FileException(Path file, String reason, Throwable cause) {
        super(file + ": " + reason, cause);
        this.reason = reason;
    }

    /** A message of the form {@code DIR/metrics.csv line 17: the reason}. */
    static FileException at(Path file, long line, String reason) {
        return new FileException(Path.of(file + " line " + line), reason);
    }

    /**
     * The system's error for a file, as one line that names it; errors of this class stay as they
     * are.
     */
    public static FileException of(Path file, IOException cause) {
        return cause instanceof FileException named ? named : new FileException(file, reason(cause), cause);
    }

    /** Why, without the file. */
    public String reason() {
        return reason;
    }

    /** Why, in the words of the system where it has some. */
    static String reason(IOException cause) {
        return switch (cause) {
            case FileException named -> named.reason;
            case NoSuchFileException _ -> "there is no such file or folder";
            case AccessDeniedException _ -> "permission denied";
            case FileAlreadyExistsException _ -> "it is there already";
            case NotDirectoryException _ -> "a file is where a folder should be";
            case FileNotFoundException e -> inParentheses(e.getMessage());
            case CharacterCodingException _ -> "it is not UTF-8 text";
            case FileSystemException e -> Objects.requireNonNullElse(e.getReason(), "it cannot be read or written");
            default -> Objects.requireNonNullElse(cause.getMessage(), "it cannot be read or written");
        };
    }

    /** Of {@code NAME (Permission denied)}. */
    private static String inParentheses(String message) {
        int start = message.lastIndexOf('(');
        return start < 0 ? message : message.substring(start + 1, message.length() - 1);
    }
}
