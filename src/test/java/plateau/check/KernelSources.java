package plateau.check;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import plateau.cuda.Device;
import plateau.reference.TestDevice;

/** The kernels that {@code kernels/} has, and of which kind each is. */
final class KernelSources {
    private static final Pattern COMMENT_OR_BOUNDS = Pattern.compile("//[^\n]*|__launch_bounds__\\s*\\([^()]*\\)");
    private static final Pattern KERNEL = Pattern.compile("__global__\\s+void\\s+(\\w+)\\s*\\(");

    /**
     * A kernel.
     *
     * @param module path of its file without the ending, for example {@code data/parity}
     */
    record Source(String module, String kernel) {}

    private KernelSources() {}

    /** All of them, in the order of their files. */
    static List<Source> all() {
        Path folder = Path.of(System.getProperty("plateau.basedir"), "kernels");
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".cu"))
                    .sorted()
                    .flatMap(file -> {
                        String module = folder.relativize(file).toString().replaceFirst("\\.cu$", "");
                        return names(file).map(kernel -> new Source(module, kernel));
                    })
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<String> names(Path file) {
        try {
            String source = COMMENT_OR_BOUNDS.matcher(Files.readString(file)).replaceAll("");
            return KERNEL.matcher(source).results().map(match -> match.group(1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Read once: the images do not change. */
    private static final class Kinds {
        static final Set<String> COOPERATIVE = read();

        /**
         * A CPU's production image runs the blocks of cooperative kernels, and of no others, as one
         * thread.
         */
        private static Set<String> read() {
            try (Device device = TestDevice.open()) {
                return all().stream()
                        .filter(source -> device.isCpu())
                        .filter(source -> device.module(source.module)
                                        .kernel(source.kernel)
                                        .maxThreadsPerBlock()
                                == 1)
                        .map(Source::kernel)
                        .collect(Collectors.toSet());
            }
        }
    }

    /**
     * Whether a kernel's block works together on a row or a tile. A GPU's image does not tell:
     * there none is said to.
     */
    static boolean isCooperative(String kernel) {
        return Kinds.COOPERATIVE.contains(kernel);
    }
}
