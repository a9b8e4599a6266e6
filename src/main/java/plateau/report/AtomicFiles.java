package plateau.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Files that appear whole or not at all: written under a temporary name beside their place and renamed. */
public final class AtomicFiles {

    /** Writes a file's content to the path it is given. */
    public interface Writer {
        /** Writes everything. */
        void write(Path temporary) throws IOException;
    }

    private AtomicFiles() {}

    /**
     * Creates or replaces a file.
     *
     * @throws IOException if it cannot be written; what stood there before still does
     */
    public static void write(Path target, Writer writer) throws IOException {
        String name = target.getFileName().toString();
        Path temporary = target.resolveSibling("." + ProcessHandle.current().pid() + "." + name);
        temporary.toFile().deleteOnExit(); // where Ctrl-C comes in between
        try {
            writer.write(temporary);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }
}
