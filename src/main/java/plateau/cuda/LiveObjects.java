package plateau.cuda;

/** How many objects of a device have not been closed. */
public record LiveObjects(int buffers, int pinned, int streams, int events, int graphs) {

    /** Nothing is open. */
    public static final LiveObjects NONE = new LiveObjects(0, 0, 0, 0, 0);
}
