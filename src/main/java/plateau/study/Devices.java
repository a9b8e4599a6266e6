package plateau.study;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import plateau.cuda.Device;
import plateau.cuda.Releases;

/**
 * Devices that are used and closed together.
 *
 * @param all at least one
 */
public record Devices(List<Device> all) implements AutoCloseable {

    /** What opens them. */
    public interface Source {
        /**
         * Opens the devices; the first one is current on the calling thread.
         *
         * @throws RuntimeException if one of them cannot be had
         */
        Devices open();
    }

    /** Copies the list. */
    public Devices {
        all = List.copyOf(all);
    }

    /** Opens one after the other; where one cannot be had, those before it are closed. */
    public static Devices open(List<? extends Supplier<Device>> openers) {
        List<Device> devices = new ArrayList<>();
        try {
            openers.forEach(opener -> devices.add(opener.get()));
        } catch (RuntimeException e) {
            devices.forEach(device -> Releases.after(e, device::close));
            throw e;
        }
        devices.getFirst().makeCurrent();
        return new Devices(devices);
    }

    /** For a reader. */
    public String description() {
        return all.stream().map(Device::description).collect(Collectors.joining("; "));
    }

    /** Closes all of them, whichever fails. */
    @Override
    public void close() {
        Releases.all(all.stream().<Runnable>map(device -> device::close).toList());
    }
}
