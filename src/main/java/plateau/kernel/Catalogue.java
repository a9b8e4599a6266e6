package plateau.kernel;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * The kernels of this build: what their files say of them, and what ptxas said when it compiled
 * them ({@code native/KernelCatalogue.java} writes it down).
 */
public final class Catalogue {
    private static final List<KernelFile> FILES = read();

    private Catalogue() {}

    /**
     * A kernel file.
     *
     * @param file its path in the sources
     * @param about the first sentence at its head
     * @param kernels in the order of the file
     */
    public record KernelFile(String file, String about, List<Entry> kernels) {}

    /**
     * A kernel.
     *
     * @param name of the kernel
     * @param line of the file where its name stands
     * @param bound its launch bound: threads of a block at most; 0 for an elementwise kernel
     * @param summary what it computes, in a sentence
     * @param comment all that stands above it
     * @param launch the grid in words; empty where none are told
     * @param parameters in order
     * @param uses by architecture; empty where no ptxas was there at build time
     */
    public record Entry(
            String name,
            int line,
            int bound,
            String summary,
            String comment,
            String launch,
            List<Parameter> parameters,
            List<Use> uses) {

        /** Whether a block works together; else there is a thread per element. */
        public boolean isCooperative() {
            return bound > 0;
        }
    }

    /**
     * A parameter.
     *
     * @param type in CUDA C++
     * @param name of the parameter
     * @param shape of what a pointer points to, as the comments have it; empty where they do not
     */
    public record Parameter(String type, String name, String shape) {}

    /**
     * What a kernel takes of a multiprocessor.
     *
     * @param architecture for example {@code sm_90}
     * @param registers of a thread
     * @param sharedBytes of a block
     * @param spilledBytes that a thread stores and loads for want of registers
     */
    public record Use(String architecture, int registers, int sharedBytes, int spilledBytes) {
        /** The share of a multiprocessor's warps that blocks of so many threads keep resident. */
        public double occupancy(int threads) {
            return Multiprocessor.of(architecture).occupancy(this, threads);
        }
    }

    /** All kernel files, by their names. */
    public static List<KernelFile> files() {
        return FILES;
    }

    /** The names of all kernels, in the order of the files. */
    public static List<String> names() {
        return FILES.stream()
                .flatMap(file -> file.kernels().stream())
                .map(Entry::name)
                .toList();
    }

    /** @throws IllegalArgumentException with one line, if one of them is no kernel */
    public static void requireKnown(List<String> names) {
        names.stream().filter(name -> !names().contains(name)).findFirst().ifPresent(name -> {
            throw new IllegalArgumentException("there is no kernel '" + name + "'; all are in the catalogue");
        });
    }

    private static List<KernelFile> read() {
        try (InputStream file = Catalogue.class.getResourceAsStream("catalogue.json")) {
            ObjectMapper mapper = new ObjectMapper();
            return mapper.readValue(
                    file, mapper.getTypeFactory().constructCollectionType(List.class, KernelFile.class));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
