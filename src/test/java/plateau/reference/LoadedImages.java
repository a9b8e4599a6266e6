package plateau.reference;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Kernel images that the CPU driver has in this process, as the system sees them. */
public final class LoadedImages {
    private LoadedImages() {}

    /** How many there are, by their code. */
    public static long count() throws IOException {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.filter(line -> line.contains(" r-xp ") && line.contains("memfd:plateau-kernels"))
                    .count();
        }
    }
}
