package plateau.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import plateau.results.AtomicFiles;
import plateau.results.FileException;
import plateau.results.Safetensors;
import plateau.results.Safetensors.Array;

/**
 * Where one run keeps its checkpoints, and how often it makes one. The one before the newest is
 * kept too. Whenever the process is killed, at least one of the two is whole.
 */
public final class Checkpoints {
    /** None at all. */
    public static final Checkpoints NONE = new Checkpoints(null, Long.MAX_VALUE, false, _ -> {});

    /** The layout of the files; another one is not understood. */
    private static final String LAYOUT = "plateau checkpoint 2";

    private static final String LAYOUT_NAME = "layout";
    private static final String DEVICE = "device";
    private static final String STEP = "step";
    private static final String SECONDS = "seconds";
    private static final String EVALUATION_SECONDS = "evaluation_seconds";

    /** Values of a parameter in place of those under its own name, which are not up to date. */
    static final String LEARNT = "learnt/";

    /**
     * How far a run had come when it was saved.
     *
     * @param step training steps done
     * @param seconds of training and evaluation
     * @param evaluationSeconds of evaluation alone
     * @param arrays what a run goes on with, by name
     */
    record Saved(long step, double seconds, double evaluationSeconds, SequencedMap<String, Array> arrays) {}

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

    /** Where the checkpoint before the newest lies. */
    public static Path previous(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.resolveSibling(name.substring(0, dot) + ".previous" + name.substring(dot));
    }

    /** The step after which a run with so many steps makes its next one. */
    long next(long done, long steps) {
        return Math.min((done / every + 1) * every, steps);
    }

    /**
     * The newest checkpoint of this run that is whole; empty where it is to start from the
     * beginning.
     *
     * @param identity what the run is, by name
     * @param steps of the run
     * @param layout arrays of the types and shapes that it must have, by name
     * @param device that it goes on with
     * @throws IllegalStateException with one line that says what is wrong with the newest, if
     *     neither can be used
     */
    Optional<Saved> newest(Map<String, String> identity, long steps, Map<String, Array> layout, String device) {
        List<Path> found =
                resume ? List.of(file, previous).stream().filter(Files::exists).toList() : List.of();
        List<String> problems = new ArrayList<>();
        for (Path candidate : found) {
            try {
                Safetensors content = Safetensors.read(candidate);
                Optional<String> difference = difference(content, identity);
                if (difference.isEmpty()) {
                    Saved saved = read(content, steps, layout);
                    problems.forEach(problem -> warnings.accept(problem + "; going on from the one before it"));
                    String before = content.metadata().get(DEVICE);
                    if (!device.equals(before)) {
                        warnings.accept("%s was saved on %s: from there on, the last bits may differ on %s"
                                .formatted(candidate, before, device));
                    }
                    return Optional.of(saved);
                }
                problems.add("checkpoint %s is of another run: %s".formatted(candidate, difference.get()));
            } catch (Safetensors.MalformedException e) {
                problems.add("checkpoint %s cannot be used: %s".formatted(candidate, e.getMessage()));
            } catch (IOException e) {
                problems.add("checkpoint %s cannot be read: %s"
                        .formatted(candidate, FileException.of(candidate, e).reason()));
            }
        }
        if (!problems.isEmpty()) {
            throw new IllegalStateException(
                    problems.getFirst() + (found.size() > 1 ? "; nor can the one before it" : ""));
        }
        return Optional.empty();
    }

    /**
     * Takes nothing for granted: a file may be whole, and its checksum right, but not written here.
     */
    private static Saved read(Safetensors content, long steps, Map<String, Array> layout)
            throws Safetensors.MalformedException {
        for (Map.Entry<String, Array> wanted : layout.entrySet()) {
            Array array = content.arrays().get(wanted.getKey());
            if (array == null
                    || array.type() != wanted.getValue().type()
                    || !array.shape().equals(wanted.getValue().shape())) {
                throw new Safetensors.MalformedException("its array '%s' is %s, not %s"
                        .formatted(wanted.getKey(), array == null ? "missing" : text(array), text(wanted.getValue())));
            }
        }
        long step = (long) number(content, STEP, steps);
        double seconds = number(content, SECONDS, Double.MAX_VALUE);
        return new Saved(step, seconds, number(content, EVALUATION_SECONDS, seconds), content.arrays());
    }

    private static String text(Array array) {
        return array.type() + " of shape " + array.shape();
    }

    private static double number(Safetensors content, String name, double most) throws Safetensors.MalformedException {
        String text = content.metadata().get(name);
        try {
            double number = name.equals(STEP) ? Long.parseLong(text) : Double.parseDouble(text);
            if (number >= 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException | NullPointerException e) {
            // told below
        }
        throw new Safetensors.MalformedException("its %s is '%s'".formatted(name, text));
    }

    /** The first thing in which a file is not of this run. */
    private static Optional<String> difference(Safetensors file, Map<String, String> identity) {
        Map<String, String> saved = file.metadata();
        if (!LAYOUT.equals(saved.get(LAYOUT_NAME))) {
            return Optional.of("its layout is '%s', not '%s'".formatted(saved.get(LAYOUT_NAME), LAYOUT));
        }
        return identity.entrySet().stream()
                .filter(entry -> !entry.getValue().equals(saved.get(entry.getKey())))
                .map(entry ->
                        "%s is %s there, not %s".formatted(entry.getKey(), saved.get(entry.getKey()), entry.getValue()))
                .findFirst();
    }

    /**
     * Saves a checkpoint: written whole under another name, then renamed, after the newest has
     * become the one before.
     *
     * @param device that the run is on
     * @throws UncheckedIOException if it cannot be written; those that were there still are
     */
    void save(Saved saved, Map<String, String> identity, String device) {
        if (file == null) {
            return;
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put(STEP, Long.toString(saved.step));
        metadata.put(SECONDS, Double.toString(saved.seconds));
        metadata.put(EVALUATION_SECONDS, Double.toString(saved.evaluationSeconds));
        metadata.put(LAYOUT_NAME, LAYOUT);
        metadata.putAll(identity);
        metadata.put(DEVICE, device);
        try {
            Files.createDirectories(file.getParent());
            AtomicFiles.replace(file, previous, new Safetensors(metadata, saved.arrays)::write);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What a run had learnt when a checkpoint was made, for other programs: its parameters by name,
     * and texts about the run.
     *
     * @throws Safetensors.MalformedException if the file is damaged, or no checkpoint
     * @throws IOException if it cannot be read
     */
    public static Safetensors learnt(Path checkpoint) throws IOException {
        Safetensors file = Safetensors.read(checkpoint);
        if (!LAYOUT.equals(file.metadata().get(LAYOUT_NAME))) {
            throw new Safetensors.MalformedException("it is no checkpoint of this program, or of another version");
        }
        SequencedMap<String, Array> parameters = new LinkedHashMap<>();
        file.arrays().forEach((name, values) -> {
            if (!name.contains("/")) {
                parameters.put(name, file.arrays().getOrDefault(LEARNT + name, values));
            }
        });
        return new Safetensors(file.metadata(), parameters);
    }
}
