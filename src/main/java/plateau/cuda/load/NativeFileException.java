package plateau.cuda.load;

/**
 * A native file that the program brings along is missing, damaged, not for this machine, or cannot
 * be extracted. The message says what to do.
 */
public final class NativeFileException extends RuntimeException {
    private static final long serialVersionUID = 1;

    NativeFileException(String message) {
        super(message);
    }

    NativeFileException(String message, Throwable cause) {
        super(message, cause);
    }
}
