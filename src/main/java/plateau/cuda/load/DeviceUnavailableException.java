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

    /** A device past the last of its kind. */
    public static DeviceUnavailableException noSuch(DeviceSelector selector, int count) {
        boolean cpu = selector.kind() == DeviceSelector.Kind.CPU;
        return new DeviceUnavailableException("there is no device %s: %s devices are numbered from 0, and there %s %d%s"
                .formatted(
                        selector,
                        cpu ? "CPU" : "CUDA",
                        count == 1 ? "is" : "are",
                        count,
                        cpu ? "; PLATEAU_CPU_DEVICES says how many" : ""));
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
