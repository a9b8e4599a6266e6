package plateau.results;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One process's right to write to a folder, as a file in it that says who holds it and whose
 * counter advances while he lives. Locks of the kernel are not relied on: they do not reach through
 * every disk that hosts and containers share.
 *
 * <p>A claim that a killed process has left is taken over: at once where this process would see the
 * holder if he lived, else when the counter has stood still for a while, so that no two clocks are
 * compared. Whoever takes over creates a file with the old claim's token in its name, which only
 * one process can do, and renames it over the old claim: at no moment there is none.
 */
final class Claim implements AutoCloseable {
    private static final String NAME = ".plateau-claim";
    private static final Pattern SUCCESSOR = Pattern.compile("\\.plateau-claim\\.[0-9a-f]{16}");
    private static final String TOKEN = "token";
    private static final String BEAT = "beat=";
    private static final int BEAT_DIGITS = 19;
    private static final Path PROCESSES = Path.of("/proc");

    /**
     * How often things are done.
     *
     * @param beat time between two advances of the counter
     * @param patience time for which another's counter must stand still until he is given up
     */
    record Pace(Duration beat, Duration patience) {
        static final Pace USUAL = new Pace(Duration.ofSeconds(2), Duration.ofSeconds(10));
    }

    private final Path folder;
    private final Path file;
    private final Pace pace;
    private final String token = AtomicFiles.token();
    private final CountDownLatch closed = new CountDownLatch(1);
    private long beats;
    private volatile long lastBeat;
    private volatile boolean lost;

    private Claim(Path folder, Pace pace) {
        this.folder = folder;
        this.file = folder.resolve(NAME);
        this.pace = pace;
    }

    /**
     * Claims a folder that is there.
     *
     * @param holder who asks, for those who are refused meanwhile
     * @throws FolderException.InUse if another process holds it
     */
    static Claim take(Path folder, String holder, Pace pace) throws IOException {
        Claim claim = new Claim(folder, pace);
        String content = claim.content(holder);
        while (!isCreated(claim.file, content)) {
            Optional<Found> found = Found.read(claim.file);
            if (found.isPresent() && claim.isAbandoned(found.get()) && claim.isTakenOver(found.get(), content)) {
                break;
            }
        }
        claim.removeSuccessors();
        claim.lastBeat = System.nanoTime();
        Thread.ofPlatform().daemon().name("plateau-claim").start(claim::beatUntilClosed);
        return claim;
    }

    /**
     * The folders that living processes hold. Where holders cannot be seen from here, this looks
     * twice whether their counters advance, once for all folders.
     */
    static Set<Path> held(Collection<Path> folders, Pace pace) throws IOException {
        Set<Path> held = new HashSet<>();
        Map<Path, Found> remote = new LinkedHashMap<>();
        for (Path folder : folders) {
            Optional<Found> found = Found.read(folder.resolve(NAME));
            if (found.isPresent() && !found.get().isOfThisKernel()) {
                remote.put(folder, found.get());
            } else if (found.filter(Found::lives).isPresent()) {
                held.add(folder);
            }
        }
        long start = System.nanoTime();
        while (!remote.isEmpty() && System.nanoTime() - start < 2 * pace.beat.toNanos()) {
            try {
                Thread.sleep(pace.beat.dividedBy(2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return held;
            }
            for (Map.Entry<Path, Found> claim : List.copyOf(remote.entrySet())) {
                Optional<Found> now = Found.read(claim.getKey().resolve(NAME));
                if (!now.equals(Optional.of(claim.getValue()))) {
                    remote.remove(claim.getKey());
                    now.ifPresent(_ -> held.add(claim.getKey()));
                }
            }
        }
        return held;
    }

    private String content(String holder) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("holder", holder.replaceAll("\\p{Cntrl}", " "));
        lines.put("host", host());
        lines.putAll(Found.process(ProcessHandle.current().pid()));
        lines.put(TOKEN, token);
        return lines.entrySet().stream()
                        .map(line -> line.getKey() + "=" + line.getValue() + "\n")
                        .collect(Collectors.joining())
                + BEAT + "0".repeat(BEAT_DIGITS) + "\n";
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "an unknown host";
        }
    }

    private static boolean isCreated(Path file, String content) throws IOException {
        try {
            Files.createFile(file);
        } catch (FileAlreadyExistsException e) {
            return false;
        }
        try {
            Files.writeString(file, content);
            return true;
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw e;
        }
    }

    /**
     * Whether a claim's holder is gone, or the claim itself.
     *
     * @throws FolderException.InUse if he lives
     */
    private boolean isAbandoned(Found found) throws IOException {
        if (found.isOfThisKernel() ? found.lives() : isChangedWithinPatience(file, found)) {
            if (Found.read(file).filter(found::hasSameToken).isPresent()) {
                throw new FolderException.InUse(folder, found.description());
            }
            return false; // closed meanwhile, or taken over by a third
        }
        return true;
    }

    private boolean isChangedWithinPatience(Path file, Found found) throws IOException {
        long start = System.nanoTime();
        while (System.nanoTime() - start < pace.patience.toNanos()) {
            sleep(pace.beat.dividedBy(4));
            if (!Found.read(file).equals(Optional.of(found))) {
                return true;
            }
        }
        return false;
    }

    private boolean isTakenOver(Found found, String content) throws IOException {
        Path successor = folder.resolve(NAME + "." + found.token());
        if (!isCreated(successor, content)) {
            Optional<Found> rival = Found.read(successor);
            if (rival.isPresent() && !isChangedWithinPatience(successor, rival.get())) {
                Files.deleteIfExists(successor); // he was killed while taking over
            }
            return false;
        }
        if (Found.read(file).equals(Optional.of(found))) {
            Files.move(successor, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return true;
        }
        Files.deleteIfExists(successor);
        return false;
    }

    private void removeSuccessors() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path successor : files.filter(path ->
                            SUCCESSOR.matcher(path.getFileName().toString()).matches())
                    .toList()) {
                Files.deleteIfExists(successor);
            }
        }
    }

    private void sleep(Duration time) throws IOException {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new FileException(folder, "interrupted while waiting to see whether another process writes to it");
        }
    }

    private void beatUntilClosed() {
        try {
            while (!lost && !closed.await(pace.beat.toNanos(), TimeUnit.NANOSECONDS)) {
                beat();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Advances the counter, in the very file that was seen to be this process's. */
    private synchronized void beat() {
        if (closed.getCount() == 0) {
            return;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(channel.size()));
            while (content.hasRemaining() && channel.read(content) >= 0) {}
            if (!new Found(new String(content.array(), StandardCharsets.UTF_8))
                    .token()
                    .equals(token)) {
                lost = true;
                return;
            }
            byte[] count = ("%0" + BEAT_DIGITS + "d").formatted(++beats).getBytes(StandardCharsets.US_ASCII);
            channel.write(ByteBuffer.wrap(count), content.capacity() - 1 - BEAT_DIGITS);
            lastBeat = System.nanoTime();
        } catch (NoSuchFileException e) {
            lost = true;
        } catch (IOException e) {
            // A disk that is full or away for a moment: the next beat tries again.
        }
    }

    /**
     * Makes sure that the folder is still this process's, looking itself where the last look was
     * some time ago.
     *
     * @throws FileException if another has taken it over
     */
    void require() throws IOException {
        if (!lost && System.nanoTime() - lastBeat > 2 * pace.beat.toNanos()) {
            beat();
        }
        if (lost) {
            throw new FileException(
                    folder,
                    "its claim " + NAME + " is gone: it was deleted, or another process has taken the folder over; "
                            + "nothing more is written to it");
        }
    }

    /** Gives the folder free, if it still is this process's. */
    @Override
    public synchronized void close() throws IOException {
        closed.countDown();
        try {
            if (Found.read(file).filter(found -> found.token().equals(token)).isPresent()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
    }

    /**
     * A claim as it is read; of one that is being written, or was written by half, all or the rest
     * is missing.
     */
    private record Found(String text) {

        static Optional<Found> read(Path file) throws IOException {
            try {
                return Optional.of(new Found(new String(Files.readAllBytes(file), StandardCharsets.UTF_8)));
            } catch (NoSuchFileException e) {
                return Optional.empty();
            }
        }

        /** What tells a process of this host from all others, where the system can say it. */
        static Map<String, String> process(long pid) {
            Map<String, String> lines = new LinkedHashMap<>();
            lines.put("pid", Long.toString(pid));
            lines.put("start", start(Long.toString(pid)));
            lines.put("boot", boot());
            lines.put("namespace", namespace());
            return lines;
        }

        private static String boot() {
            try {
                return Files.readString(PROCESSES.resolve("sys/kernel/random/boot_id"))
                        .strip();
            } catch (IOException e) {
                return "";
            }
        }

        private static String namespace() {
            try {
                return Files.readSymbolicLink(PROCESSES.resolve("self/ns/pid")).toString();
            } catch (IOException e) {
                return "";
            }
        }

        /**
         * When a process of this host began, in ticks since the boot; empty if it is not there, or
         * a zombie.
         */
        private static String start(String pid) {
            try {
                String stat = Files.readString(PROCESSES.resolve(pid).resolve("stat"), StandardCharsets.ISO_8859_1);
                String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" "); // the name may have spaces
                return "ZX".contains(fields[0]) ? "" : fields[19];
            } catch (IOException e) {
                return "";
            }
        }

        private String get(String name) {
            return text.lines()
                    .filter(line -> line.startsWith(name + "="))
                    .findFirst()
                    .map(line -> line.substring(name.length() + 1))
                    .orElse("");
        }

        String token() {
            String token = get(TOKEN);
            return token.matches("[0-9a-f]{16}") ? token : "0".repeat(16);
        }

        boolean hasSameToken(Found other) {
            return token().equals(other.token());
        }

        /**
         * Whether its process would be seen from here, which it is not through a /proc that hides
         * those of others.
         */
        boolean isOfThisKernel() {
            return !boot().isEmpty()
                    && boot().equals(get("boot"))
                    && namespace().equals(get("namespace"))
                    && get("pid").matches("\\d{1,10}")
                    && !start("1").isEmpty();
        }

        boolean lives() {
            String start = start(get("pid"));
            return !start.isEmpty() && start.equals(get("start"));
        }

        String description() {
            String holder = get("holder");
            return holder.isEmpty()
                    ? "another process"
                    : "%s (process %s on %s)".formatted(holder, get("pid"), get("host"));
        }
    }
}
