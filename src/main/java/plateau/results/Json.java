package plateau.results;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Descriptions as files. */
final class Json {
    static final ObjectMapper LINE = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final ObjectMapper INDENTED = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private Json() {}

    static void write(Path file, ObjectNode content) throws IOException {
        Files.writeString(file, INDENTED.writeValueAsString(content) + "\n");
    }

    /**
     * @throws FileException with one line, if it is not there, cannot be read, or is no JSON object
     */
    static ObjectNode read(Path file) throws IOException {
        requireFile(file);
        try {
            if (LINE.readTree(Files.readString(file)) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            long line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
            throw FileException.at(file, line, "it is damaged from there on: no JSON");
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
        throw new FileException(file, "it is damaged: no JSON object");
    }

    static void requireFile(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new FileException(file, "a folder is where a file should be");
        }
    }
}
