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

    /** A library that the loader has refused, with its words, and what to do about them. */
    public static DeviceUnavailableException notLoaded(UnsatisfiedLinkError e) {
        String words = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        String advice = words.contains("failed to map segment")
                ? "; if its file system is mounted noexec, set XDG_CACHE_HOME to a folder on another"
                : "";
        DeviceUnavailableException exception = new DeviceUnavailableException("cannot load " + words + advice);
        exception.initCause(e);
        return exception;
    }
}
