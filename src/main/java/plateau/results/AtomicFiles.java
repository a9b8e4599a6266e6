package plateau.results;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Files that appear whole or not at all: written under a temporary name beside their place and renamed. */
public final class AtomicFiles {
    /** The process that writes it, and the name that it gets. */
    private static final Pattern TEMPORARY = Pattern.compile("\\.(\\d{1,10})\\..+");

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

    /** Deletes what processes that were killed have left half written in a folder. */
    public static void removeRemains(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Matcher name = TEMPORARY.matcher(file.getFileName().toString());
                if (name.matches() && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }
}
