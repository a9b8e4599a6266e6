package plateau.cuda.load;

/**
 * The requested device, or a library named for it, is not there. The message says what was looked
 * for and what to do.
 */
public final class DeviceUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** With what was looked for and what to do, on one line. */
    public DeviceUnavailableException(String message) {
        super(message);
    }
}
