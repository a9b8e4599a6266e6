package plateau.study;

/**
 * A campaign could not be carried out, or some of its runs could not. The message says all there is
 * to say.
 */
public final class CampaignFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** For this reason. */
    public CampaignFailedException(String message) {
        super(message);
    }

    /** For this reason, which came of another. */
    public CampaignFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
