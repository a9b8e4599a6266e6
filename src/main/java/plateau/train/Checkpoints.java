package plateau.train;

import plateau.results.Safetensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where one run keeps its checkpoints, and how often it makes one. The one before the newest is kept too. Whenever the process is killed, at least one of the
 * two is whole.
 */
public final class Checkpoints {
    /** None at all. */
    public static final Checkpoints NONE = new Checkpoints(null, Long.MAX_VALUE, false, _ -> {});

    /** The layout of the files; another one is not understood. */
    private static final String LAYOUT = "plateau checkpoint 1";

    private static final String LAYOUT_NAME = "layout";
    private static final String DEVICE = "device";

    private final Path file;
    private final Path previous;
    private final long every;
    private final boolean resume;
    private final Consumer<String> warnings;

    private Checkpoints(Path file, long every, boolean resume, Consumer<String> warnings) {
        this.file = file;
        this.previous = file == null ? null : previous(file);
        this.every = every;
        this.resume = resume;
        this.warnings = warnings;
    }

    /**
     * Checkpoints in a file, and the one before in {@code NAME.previous.ENDING} beside it.
     *
     * @param every steps between two; the last step is always followed by one
     * @param resume whether the run goes on from the newest that is there
     * @param warnings gets a line where a checkpoint cannot be used
     * @throws IllegalArgumentException if {@code every} is below 1
     */
    public static Checkpoints of(Path file, long every, boolean resume, Consumer<String> warnings) {
        if (every < 1) {
            throw new IllegalArgumentException("checkpoint-every must be at least 1, not " + every);
        }
        return new Checkpoints(file, every, resume, warnings);
    }

    private static Path previous(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.resolveSibling(name.substring(0, dot) + ".previous" + name.substring(dot));
    }

    /** Steps between two. */
    long every() {
        return every;
    }

    /** The step after which a run with so many steps makes its next one. */
    long next(long done, long steps) {
        return Math.min((done / every + 1) * every, steps);
    }

    /**
     * The newest checkpoint of this run that is whole; empty where it is to start from the beginning.
     *
     * @param identity what the run is, by name
     * @param device that it goes on with
     * @throws IllegalStateException with one line that says what is wrong with the newest, if neither can be used
     */
    Optional<Safetensors> newest(Map<String, String> identity, String device) {
        List<Path> found = resume ? List.of(file, previous).stream().filter(Files::exists).toList() : List.of();
        List<String> problems = new ArrayList<>();
        for (Path candidate : found) {
            try {
                Safetensors saved = Safetensors.read(candidate);
                Optional<String> difference = difference(saved, identity);
                if (difference.isEmpty()) {
                    problems.forEach(problem -> warnings.accept(problem + "; going on from the one before it"));
                    if (!device.equals(saved.metadata().get(DEVICE))) {
                        warnings.accept("%s was saved on %s: from there on, the last bits may differ on %s".formatted(candidate, saved.metadata().get(DEVICE), device));
                    }
                    return Optional.of(saved);
                }
                problems.add("checkpoint %s is of another run: %s".formatted(candidate, difference.get()));
            } catch (IOException e) {
                problems.add("checkpoint %s cannot be used: %s".formatted(candidate, e instanceof Safetensors.MalformedException ? e.getMessage() : e.toString()));
            }
        }
        if (!problems.isEmpty()) {
            throw new IllegalStateException(problems.getFirst() + (found.size() > 1 ? "; nor can the one before it" : ""));
        }
        return Optional.empty();
    }

    /** Whether a file has the layout of a checkpoint. */
    static boolean isCheckpoint(Safetensors file) {
        return LAYOUT.equals(file.metadata().get(LAYOUT_NAME));
    }

    /** The first thing in which a file is not of this run. */
    private static Optional<String> difference(Safetensors file, Map<String, String> identity) {
        Map<String, String> saved = file.metadata();
        if (!isCheckpoint(file)) {
            return Optional.of("its layout is '%s', not '%s'".formatted(saved.get(LAYOUT_NAME), LAYOUT));
        }
        return identity.entrySet().stream().filter(entry -> !entry.getValue().equals(saved.get(entry.getKey()))).map(entry -> "%s is %s there, not %s".formatted(entry.getKey(), saved.get(entry.getKey()), entry.getValue())).findFirst();
    }

    /**
     * Saves a checkpoint: written whole under another name, then renamed, after the newest has become the one before.
     *
     * @throws UncheckedIOException if it cannot be written; those that were there still are
     */
    void save(Safetensors content, Map<String, String> identity, String device) {
        if (file == null) {
            return;
        }
        Path temporary = file.resolveSibling("." + file.getFileName());
        content.metadata().put(LAYOUT_NAME, LAYOUT);
        content.metadata().putAll(identity);
        content.metadata().put(DEVICE, device);
        try {
            Files.createDirectories(file.getParent());
            content.write(temporary);
            if (Files.exists(file)) {
                Files.move(file, previous, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            try (FileChannel folder = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
                folder.force(true);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
