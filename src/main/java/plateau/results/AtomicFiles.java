package plateau.results;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Files that appear whole or not at all: written under a temporary name beside their place and
 * renamed.
 */
public final class AtomicFiles {
    /** Of this process; 16 hexadecimal digits. */
    private static final String TOKEN = token();

    private static final Pattern TEMPORARY = Pattern.compile("\\..+\\.plateau-[0-9a-f]{16}\\.tmp", Pattern.DOTALL);

    /** Writes a file's content to the path it is given. */
    public interface Writer {
        /** Writes everything. */
        void write(Path temporary) throws IOException;
    }

    private AtomicFiles() {}

    /** 16 hexadecimal digits that nobody else has drawn. */
    static String token() {
        return HexFormat.of().toHexDigits(new SecureRandom().nextLong());
    }

    /**
     * Creates or replaces a file. Two threads may not write the same one at a time.
     *
     * @throws FileException if it cannot be written; what stood there before still does
     */
    public static void write(Path target, Writer writer) throws IOException {
        Path temporary = temporary(target);
        temporary.toFile().deleteOnExit(); // where a signal comes in between
        try {
            writer.write(temporary);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new FileException(target, FileException.reason(e), e);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /**
     * Creates a file whose content is on the disk when this returns; where there was one of that
     * name, it lies under another name then. Whenever the process ends, one of the two is whole.
     *
     * @param previous where the file that was there goes, in the same folder
     * @throws FileException if it cannot be written; what stood there before still does, under one
     *     of the names
     */
    public static void replace(Path target, Path previous, Writer writer) throws IOException {
        Path temporary = temporary(target);
        try {
            writer.write(temporary);
            if (Files.exists(target)) {
                Files.move(target, previous, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            try (FileChannel folder = FileChannel.open(target.getParent(), StandardOpenOption.READ)) {
                folder.force(true);
            }
        } catch (IOException e) {
            throw new FileException(target, FileException.reason(e), e);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static Path temporary(Path target) {
        return target.resolveSibling(".%s.plateau-%s.tmp".formatted(target.getFileName(), TOKEN));
    }

    /**
     * Deletes what processes that were killed have left half written in a folder to which nobody
     * else writes. Names that are not exactly of the form used here are those of others.
     */
    public static void removeRemains(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                if (TEMPORARY.matcher(file.getFileName().toString()).matches()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }
}
