package plateau.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import plateau.results.AtomicFiles;
import plateau.report.paper.Task;

/** What was run for a report, when parts of it may be run at different times: by folder the command as it is typed, and how long it took. */
final class Journal {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final Path file;
    private final ObjectNode commands;

    private Journal(Path file, ObjectNode commands) {
        this.file = file;
        this.commands = commands;
    }

    /** @throws CommandFailedException if the folder holds a journal that cannot be read */
    static Journal open(Path folder) {
        Path file = folder.resolve("reproduce.json");
        try {
            return new Journal(file, Files.exists(file) ? (ObjectNode) JSON.readTree(file.toFile()) : JSON.createObjectNode());
        } catch (IOException | ClassCastException e) {
            throw new CommandFailedException(file + " is damaged; name another --out");
        }
    }

    /** A command is about to start, or has ended. */
    void add(Task task, String line, double seconds) throws IOException {
        commands.putObject(task.folder()).put("command", line).put("seconds", seconds);
        AtomicFiles.write(file, temporary -> Files.writeString(temporary, JSON.writeValueAsString(commands) + System.lineSeparator()));
    }

    /** The command whose results the folder holds; empty where there is none. */
    String line(Task task) {
        return commands.path(task.folder()).path("command").asText();
    }

    /** What it took. */
    double seconds(Task task) {
        return commands.path(task.folder()).path("seconds").asDouble();
    }
}
