package plateau.cuda.load;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * The folder of this user to which libraries are extracted from the jar, each when it is first
 * used. A file there is whole at any moment, as it gets its name when it is; so processes that
 * start at once need no lock, and what an administrator has put there can be read-only.
 */
final class Cache {
    /** What to do about a cache that cannot be used. */
    static final String ADVICE = "set XDG_CACHE_HOME to a folder that only you can write";

    private static final String UNFINISHED = ".part";
    private static final Duration ABANDONED = Duration.ofHours(1);

    private Cache() {}

    /**
     * The folder {@code plateau} under XDG_CACHE_HOME, or under .cache in the home folder.
     *
     * @throws NativeFileException if there is neither
     */
    static Path folder() {
        return folder(System.getenv(), System.getProperty("user.home"));
    }

    /**
     * As above; paths that are not absolute count as not given, as the XDG specification wants it.
     *
     * @param account the home folder that the system's list of users has for this one
     */
    static Path folder(Map<String, String> environment, String account) {
        return absolute(environment.get("XDG_CACHE_HOME"))
                .or(() -> absolute(environment.get("HOME"))
                        .or(() -> absolute(account))
                        .map(home -> home.resolve(".cache")))
                .orElseThrow(() -> new NativeFileException(
                        "there is no folder for native libraries: neither XDG_CACHE_HOME nor HOME is an absolute path,"
                                + " and this user has no home folder; "
                                + ADVICE))
                .resolve("plateau");
    }

    private static Optional<Path> absolute(String path) {
        try {
            return Optional.ofNullable(path).map(Path::of).filter(Path::isAbsolute);
        } catch (InvalidPathException e) {
            throw new NativeFileException(
                    "the path %s cannot be read in this locale (%s); %s".formatted(path, e.getReason(), ADVICE), e);
        }
    }

    /**
     * A library in the cache, extracted unless it is there.
     *
     * @return its path, by which nobody but this user and root can put another file
     * @throws NativeFileException if it cannot be extracted, or others can write the cache
     */
    static Path extracted(Path target, NativeFile file) {
        try {
            Path folder = PrivateFolder.require(target.getParent());
            Path library = folder.resolve(target.getFileName());
            if (!isIntact(library, file)) {
                extract(library, file);
            }
            return library;
        } catch (IOException e) {
            throw new NativeFileException(
                    "cannot extract the native library %s: %s; %s".formatted(target, words(e), ADVICE), e);
        }
    }

    /** Where an exception of the file system has no reason, its class is what says it. */
    private static String words(IOException e) {
        return e instanceof FileSystemException failure && failure.getReason() == null
                ? e.getClass().getSimpleName() + ": " + e.getMessage()
                : e.getMessage();
    }

    private static boolean isIntact(Path library, NativeFile file) throws IOException {
        if (!PrivateFolder.isOnlyOurs(library) || Files.size(library) != file.size()) {
            return false;
        }
        try (InputStream in = Files.newInputStream(library)) {
            return file.isCopiedBy(in);
        }
    }

    /** Processes that have the old file loaded keep it. */
    private static void extract(Path library, NativeFile file) throws IOException {
        removeAbandoned(library.getParent());
        Path unfinished =
                Files.createTempFile(library.getParent(), library.getFileName().toString(), UNFINISHED);
        try {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(unfinished))) {
                file.copyTo(out);
            }
            Files.move(unfinished, library, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /** What processes have left that were killed while they extracted. */
    private static void removeAbandoned(Path folder) throws IOException {
        Instant before = Instant.now().minus(ABANDONED);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*" + UNFINISHED)) {
            for (Path file : files) {
                try {
                    if (Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
                        Files.deleteIfExists(file);
                    }
                } catch (NoSuchFileException e) {
                    // Its process has finished it meanwhile.
                }
            }
        }
    }
}
