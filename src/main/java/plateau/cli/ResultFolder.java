package plateau.cli;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import plateau.results.AtomicFiles;
import plateau.figure.Figure;
import plateau.results.Safetensors;

/** The folder a command writes to, made and tried before any work is done. Each file in it is whole at any moment. */
final class ResultFolder {
    private static final String DESCRIPTION = "run.json";
    private static final String CHECKPOINTS = "checkpoints";
    private static final String CHECKPOINT = ".safetensors";

    /** Neither one before the newest, nor one that is being written. */
    private static final Pattern RUN = Pattern.compile("(?!\\.).*(?<!\\.previous)\\.safetensors");

    private final Path path;
    private final boolean made;
    private final Set<String> written = new LinkedHashSet<>();

    private ResultFolder(Path path, boolean made) {
        this.path = path;
        this.made = made;
    }

    /**
     * Makes the folder where it is not there.
     *
     * @throws CommandFailedException if it cannot be made or written to, or holds results that may not be replaced
     */
    static ResultFolder prepare(Path path, boolean overwrite) {
        if (!overwrite && Files.exists(path.resolve(DESCRIPTION))) {
            throw new CommandFailedException("--out " + path + " holds the results of an earlier run; name another folder, or replace them with --overwrite");
        }
        try {
            boolean made = Files.notExists(path);
            Files.createDirectories(path);
            Files.delete(Files.createTempFile(path, ".plateau", ".probe"));
            AtomicFiles.removeRemains(path);
            return new ResultFolder(path, made);
        } catch (IOException e) {
            throw new CommandFailedException("cannot write to --out " + path + " (" + e.getClass().getSimpleName() + "); name a folder that can be written");
        }
    }

    Path path() {
        return path;
    }

    /** Where a run's newest checkpoint is. */
    static Path checkpoint(Path folder, String run) {
        return folder.resolve(CHECKPOINTS).resolve(run + CHECKPOINT);
    }

    /** The newest checkpoints in a folder, in the order of their names. */
    static List<Path> checkpoints(Path folder) throws IOException {
        Path checkpoints = folder.resolve(CHECKPOINTS);
        if (!Files.isDirectory(checkpoints)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(checkpoints)) {
            return files.filter(file -> RUN.matcher(file.getFileName().toString()).matches()).sorted().toList();
        }
    }

    /** Deletes the checkpoints of earlier runs, which are not to be gone on with. */
    void forgetCheckpoints() throws IOException {
        if (Files.isDirectory(path.resolve(CHECKPOINTS))) {
            try (Stream<Path> files = Files.list(path.resolve(CHECKPOINTS))) {
                for (Path file : files.filter(file -> file.toString().endsWith(CHECKPOINT)).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private void write(String name, AtomicFiles.Writer writer) throws IOException {
        AtomicFiles.write(path.resolve(name), writer);
        written.add(name);
    }

    /** Writes a text. */
    void text(String name, String content) throws IOException {
        write(name, file -> Files.writeString(file, content));
    }

    /** Writes a table as CSV. */
    void table(String name, List<String> header, List<? extends List<?>> rows) throws IOException {
        write(name, file -> {
            try (Writer writer = Files.newBufferedWriter(file);
                    CSVPrinter csv = new CSVPrinter(writer, CSVFormat.RFC4180.builder().setHeader(header.toArray(String[]::new)).get())) {
                csv.printRecords(rows);
            }
        });
    }

    /** Writes a figure as NAME.png and NAME.svg. */
    void figure(String name, Figure figure) throws IOException {
        write(name + ".png", figure::writePng);
        write(name + ".svg", figure::writeSvg);
    }

    /** Writes arrays as NAME.safetensors. */
    void safetensors(String name, Safetensors content) throws IOException {
        write(name + CHECKPOINT, content::write);
    }

    /** What lies where, for the user. */
    String description() {
        return String.join(", ", written) + " to " + path;
    }

    /** Writes what another file holds. */
    void copy(String name, Path other) throws IOException {
        write(name, file -> Files.copy(other, file));
    }

    /** Takes the folder away again if it was made for nothing. */
    void discard() throws IOException {
        try (Stream<Path> content = Files.list(path)) {
            if (!made || content.findAny().isPresent()) {
                return;
            }
        }
        Files.delete(path);
    }
}
