package plateau.study;

import java.util.Arrays;
import java.util.Collections;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.kernel.Conv2d;
import plateau.kernel.Dense;
import plateau.kernel.Measurements;
import plateau.kernel.Measurements.Measured;

/**
 * What computes matrix products and convolutions: a library, the hand-written kernels, or whichever
 * is faster. It decides the last bits of a result.
 *
 * @param gemm of matrix products
 * @param conv of two-dimensional convolutions
 * @param measured what is known of the times of both, by shape: who was faster once computes it
 *     again
 */
public record Routing(Dense.Products gemm, Conv2d.Convolutions conv, SortedMap<String, Measured> measured) {
    /** As is judged best. */
    public static final Routing AUTO = new Routing(Dense.Products.AUTO, Conv2d.Convolutions.AUTO);

    /** Copies the map. */
    public Routing {
        measured = Collections.unmodifiableSortedMap(new TreeMap<>(measured));
    }

    /** Nothing is known of times. */
    public Routing(Dense.Products gemm, Conv2d.Convolutions conv) {
        this(gemm, conv, Collections.emptySortedMap());
    }

    /**
     * From what is typed and written.
     *
     * @throws IllegalArgumentException with one line, if one is none of those that there are
     */
    public static Routing of(String gemm, String conv) {
        return new Routing(parse(Dense.Products.class, "gemm", gemm), parse(Conv2d.Convolutions.class, "conv", conv));
    }

    /** The same, with this known of times. */
    public Routing with(SortedMap<String, Measured> known) {
        return new Routing(gemm, conv, known);
    }

    /** As it is typed. */
    public String gemmText() {
        return text(gemm);
    }

    /** As it is typed. */
    public String convText() {
        return text(conv);
    }

    /** The launchers on a device. */
    public Kernels kernels(Device device) {
        return kernels(device, new Measurements(measured));
    }

    /** The launchers on a device, which share with others what is known of times. */
    Kernels kernels(Device device, Measurements measurements) {
        return Kernels.of(device, gemm, conv, measurements);
    }

    private static String text(Enum<?> path) {
        return path.name().toLowerCase(Locale.ROOT);
    }

    private static <E extends Enum<E>> E parse(Class<E> type, String name, String text) {
        return Arrays.stream(type.getEnumConstants())
                .filter(path -> text(path).equals(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("%s: '%s' is none of %s"
                        .formatted(
                                name,
                                text,
                                String.join(
                                        ", ",
                                        Arrays.stream(type.getEnumConstants())
                                                .map(Routing::text)
                                                .toList()))));
    }
}
