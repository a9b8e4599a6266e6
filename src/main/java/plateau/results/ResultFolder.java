package plateau.results;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A folder of results that one process holds and writes to, until it is closed. It tells its own
 * files from those of others by a list in the folder, to which every name is added before the file
 * is first made: what is not on the list is neither replaced nor deleted, and nothing at all
 * changes before {@link #begin}. For use by several threads.
 *
 * <pre>
 * run.json                         what was run, and how far it came
 * metrics.csv, metrics.jsonl       all rows of all runs
 * curves.csv                       what was learnt, where there are curves of it
 * runs/                            per run the rows and curves as they come, and its end
 * .plateau-files, .plateau-claim   the list, and whose the folder is
 * </pre>
 */
public final class ResultFolder implements AutoCloseable {
    static final String DESCRIPTION = "run.json";
    static final String METRICS = "metrics.csv";
    static final String METRIC_LINES = "metrics.jsonl";
    static final String CURVES = "curves.csv";
    static final String RUNS = "runs";
    private static final String CHECKPOINTS = "checkpoints";

    /** Every campaign writes these, or may; folders of versions that had no list had them too. */
    private static final List<String> FIXED = List.of(DESCRIPTION, METRICS, METRIC_LINES, CURVES);

    private static final String LIST = ".plateau-files";

    /** What a folder is wanted for. */
    public enum Purpose {
        /** Results where there are none. */
        NEW,
        /** Results in place of those that may be there. */
        REPLACE,
        /** More of the results that are there. */
        CONTINUE,
        /** Files beside those that may be there, and new versions of the folder's own. */
        ADD
    }

    private final Path folder;
    private final Purpose purpose;
    private final List<Path> made;
    private final Claim claim;
    /** Names on the list as it was found. */
    private final Set<String> earlier = new LinkedHashSet<>();
    /** Names that this process has added. */
    private final Set<String> added = new LinkedHashSet<>();

    private final Set<String> written = new LinkedHashSet<>();
    private boolean begun;

    private ResultFolder(Path folder, Purpose purpose, List<Path> made, Claim claim) {
        this.folder = folder;
        this.purpose = purpose;
        this.made = made;
        this.claim = claim;
    }

    /**
     * Claims a folder, and makes it where it is not there. Whatever can be seen to be in the way of
     * results is found now.
     *
     * @param folder as it is named in messages
     * @param holder who asks, for those who are refused meanwhile: {@code plateau parity}
     * @throws FolderException if it cannot be had for this purpose; nothing has changed
     */
    public static ResultFolder claim(Path folder, Purpose purpose, String holder) throws IOException {
        return claim(folder, purpose, holder, Claim.Pace.USUAL);
    }

    static ResultFolder claim(Path folder, Purpose purpose, String holder, Claim.Pace pace) throws IOException {
        if (purpose == Purpose.CONTINUE && !Files.exists(folder.resolve(DESCRIPTION))) {
            throw new FolderException.Empty(folder);
        }
        List<Path> made = new ArrayList<>();
        try {
            make(folder, made);
            ResultFolder claimed = new ResultFolder(folder, purpose, made, Claim.take(folder, holder, pace));
            try {
                claimed.inspect();
            } catch (IOException e) {
                claimed.close();
                throw e;
            }
            return claimed;
        } catch (FileException e) {
            unmake(made);
            throw e;
        } catch (IOException e) {
            unmake(made);
            throw new FolderException.Unwritable(folder, FileException.reason(e));
        }
    }

    /** Makes a folder and those above it; names them, the lowest first. */
    private static void make(Path folder, List<Path> made) throws IOException {
        for (Path path = folder.toAbsolutePath(); path != null && Files.notExists(path); path = path.getParent()) {
            made.add(path);
        }
        Files.createDirectories(folder);
    }

    private static void unmake(List<Path> made) {
        try {
            for (Path path : made) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            // Something lies in it, and so it stays.
        }
    }

    /** Finds out what lies there. */
    private void inspect() throws IOException {
        boolean holdsResults = Files.exists(folder.resolve(DESCRIPTION));
        if (purpose == Purpose.NEW && holdsResults) {
            throw FolderException.Occupied.byResults(folder);
        }
        if (purpose == Purpose.CONTINUE && !holdsResults) {
            throw new FolderException.Empty(folder);
        }
        if (Files.exists(folder.resolve(LIST))) {
            readList();
        } else if (holdsResults) {
            earlier.addAll(FIXED);
        }
        AtomicFiles.removeRemains(folder);
        for (String name : earlier) {
            if (name.endsWith("/") && Files.isDirectory(folder.resolve(name), LinkOption.NOFOLLOW_LINKS)) {
                AtomicFiles.removeRemains(folder.resolve(name));
            }
        }
        require(FIXED);
        require(List.of(RUNS + "/"));
    }

    /** A last line without an end is half a name, of a file that was never made. */
    private void readList() throws IOException {
        Path file = folder.resolve(LIST);
        String list;
        try {
            list = Files.readString(file);
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
        list.substring(0, list.lastIndexOf('\n') + 1)
                .lines()
                .filter(ResultFolder::isInside)
                .forEach(earlier::add);
    }

    private static boolean isInside(String name) {
        Path path = Path.of(name);
        return !name.isBlank() && !path.isAbsolute() && path.normalize().equals(path) && !path.startsWith("..");
    }

    /** The folder. */
    public Path path() {
        return folder;
    }

    /** Where the newest checkpoint of a run is, relative to its folder. */
    public static String checkpoint(String run) {
        return CHECKPOINTS + "/" + run + ".safetensors";
    }

    /** What it is wanted for. */
    public Purpose purpose() {
        return purpose;
    }

    /**
     * Makes sure that files of these names can be made later: nothing of others lies there.
     *
     * @param names relative to the folder; of folders with a {@code /} at the end
     * @throws FolderException.Occupied with the first that is in the way
     */
    public synchronized void require(Collection<String> names) throws IOException {
        for (String name : names) {
            for (String parent : parents(name)) {
                Path path = folder.resolve(parent);
                if (Files.exists(path) && !Files.isDirectory(path)) {
                    throw FolderException.Occupied.byOthers(path);
                }
            }
            Path file = folder.resolve(name);
            if (!name.endsWith("/") && !isOwn(name) && Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw FolderException.Occupied.byOthers(file);
            }
        }
    }

    /** The folders in a name, each with a {@code /} at its end, the uppermost first. */
    private static List<String> parents(String name) {
        return IntStream.range(0, name.length())
                .filter(i -> name.charAt(i) == '/')
                .mapToObj(i -> name.substring(0, i + 1))
                .toList();
    }

    private boolean isOwn(String name) {
        return earlier.contains(name) || added.contains(name);
    }

    /**
     * Whether the folder is still this process's.
     *
     * @throws FileException if another has taken it over, which can happen to one that was halted
     *     for long
     */
    public void requireClaim() throws IOException {
        claim.require();
    }

    /** Those of some folders to which living processes write, on this machine or on others. */
    public static Set<Path> held(Collection<Path> folders) throws IOException {
        return Claim.held(folders, Claim.Pace.USUAL);
    }

    /**
     * The time has come to change the folder: the earlier results are deleted if they are to be
     * replaced. Does nothing when called again.
     *
     * @throws FileException if that cannot be done
     */
    public synchronized void begin() throws IOException {
        claim.require();
        if (begun) {
            return;
        }
        if (purpose == Purpose.NEW || purpose == Purpose.REPLACE) {
            deleteEarlier();
        }
        AtomicFiles.write(folder.resolve(LIST), file -> {
            Set<String> all = new LinkedHashSet<>(earlier);
            all.addAll(added);
            Files.write(file, all);
        });
        begun = true;
    }

    private void deleteEarlier() throws IOException {
        for (String name : earlier) {
            Path file = folder.resolve(name);
            if (!Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
                delete(file);
            }
        }
        for (String name :
                earlier.stream().filter(name -> name.endsWith("/")).toList().reversed()) {
            try {
                delete(folder.resolve(name));
            } catch (DirectoryNotEmptyException e) {
                // Others have put something there.
            }
        }
        earlier.clear();
    }

    static void delete(Path file) throws IOException {
        try {
            Files.deleteIfExists(file);
        } catch (DirectoryNotEmptyException e) {
            throw e;
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
    }

    /**
     * The path of a file that the caller makes himself, after {@link #begin}; it becomes one of the
     * folder's own.
     *
     * @param name relative to the folder, with {@code /} between folders
     * @throws FolderException.Occupied if something of others lies there
     * @throws FileException if the list cannot be written
     */
    public synchronized Path file(String name) throws IOException {
        if (!isInside(name) || name.contains("\n")) {
            throw new IllegalArgumentException("'%s' is no name of a file inside a folder".formatted(name));
        }
        require(List.of(name));
        List<String> names = new ArrayList<>(parents(name));
        names.removeIf(parent -> !isOwn(parent) && Files.exists(folder.resolve(parent)));
        names.add(name);
        List<String> fresh = names.stream().filter(own -> !isOwn(own)).toList();
        if (begun && !fresh.isEmpty()) {
            append(fresh);
        }
        added.addAll(names);
        return folder.resolve(name);
    }

    private void append(List<String> names) throws IOException {
        try (LineFile file = LineFile.append(this, folder.resolve(LIST))) {
            for (String name : names) {
                file.put(name.getBytes(StandardCharsets.UTF_8));
                file.endLine();
            }
        }
    }

    /**
     * Creates or replaces a file, whole or not at all. Begins, where that has not been done.
     *
     * @throws FileException if it cannot be written, is not the folder's own, or the folder is no
     *     longer this process's
     */
    public void write(String name, AtomicFiles.Writer writer) throws IOException {
        begin();
        Path target = file(name);
        if (name.contains("/")) {
            createParent(target);
        }
        AtomicFiles.write(target, writer);
        if (!name.startsWith(RUNS + "/")) {
            synchronized (this) {
                written.add(name);
            }
        }
    }

    /**
     * Creates or replaces a file of results, whole or not at all, in a folder to which another
     * process may be writing.
     *
     * @throws FileException if it cannot be written, or a file of others lies there
     */
    public static void replace(Path folder, String name, AtomicFiles.Writer writer) throws IOException {
        Path list = folder.resolve(LIST);
        Path target = folder.resolve(name);
        try {
            boolean isListed = Files.exists(list) && Files.readAllLines(list).contains(name);
            if (!isListed && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                throw FolderException.Occupied.byOthers(target);
            }
            if (!isListed) {
                Files.write(
                        list,
                        (name + "\n").getBytes(StandardCharsets.UTF_8),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            }
        } catch (IOException e) {
            throw FileException.of(list, e);
        }
        AtomicFiles.write(target, writer);
    }

    static void createParent(Path file) throws IOException {
        try {
            Files.createDirectories(file.getParent());
        } catch (IOException e) {
            throw FileException.of(file.getParent(), e);
        }
    }

    /**
     * The names of what this process has written for users, in the order in which they were written
     * first.
     */
    public synchronized List<String> written() {
        return List.copyOf(written);
    }

    /** Gives the folder free; one that was made for nothing goes. */
    @Override
    public synchronized void close() throws IOException {
        claim.close();
        if (!begun) {
            unmake(made);
        }
    }
}
