package plateau.cuda;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Handles of a CUDA library, one for each stream that uses it: work on two streams that shared one
 * would share its scratch memory. A stream that is closed leaves its handle to the next one, since
 * destroying a handle waits for the whole device, and spoils whatever is being captured there.
 *
 * @param <H> a handle
 */
public final class HandlePool<H> {
    private final Supplier<H> create;
    private final BiConsumer<H, Stream> attach;
    private final Consumer<H> destroy;
    private final Map<Stream, H> inUse = new HashMap<>();
    private final Deque<H> free = new ArrayDeque<>();

    /**
     * An empty pool.
     *
     * @param create makes a handle, with the device's context current
     * @param attach lets a handle put its work on a stream
     * @param destroy takes a handle back, when the device is closed
     */
    public HandlePool(Supplier<H> create, BiConsumer<H, Stream> attach, Consumer<H> destroy) {
        this.create = create;
        this.attach = attach;
        this.destroy = destroy;
    }

    /** The stream's handle; the first time one that is free, or a new one. */
    public synchronized H of(Stream stream) {
        H handle = inUse.get(stream);
        return handle != null ? handle : take(stream);
    }

    private H take(Stream stream) {
        stream.handle(); // which must be open
        return stream.device().within(() -> {
            H handle = free.isEmpty() ? create.get() : free.pop();
            try {
                attach.accept(handle, stream);
            } catch (RuntimeException e) {
                free.push(handle);
                throw e;
            }
            inUse.put(stream, handle);
            return handle;
        });
    }

    /** Puts a handle that no stream has used yet into the pool. */
    synchronized void add(H handle) {
        free.push(handle);
    }

    /** Handles that there are, and those of them that a stream has. */
    synchronized Size size() {
        return new Size(free.size() + inUse.size(), inUse.size());
    }

    record Size(int all, int inUse) {}

    /** A stream is about to be closed. What it has been given runs to its end first. */
    public synchronized void forget(Stream stream) {
        H handle = inUse.remove(stream);
        if (handle != null) {
            free.push(handle);
            stream.synchronize();
        }
    }

    /** Destroys all handles, whichever fails. */
    public synchronized void close() {
        List<H> all = new ArrayList<>(free);
        all.addAll(inUse.values());
        free.clear();
        inUse.clear();
        Releases.all(all.stream()
                .<Runnable>map(handle -> () -> destroy.accept(handle))
                .toList());
    }
}
