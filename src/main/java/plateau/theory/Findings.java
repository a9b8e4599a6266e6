package plateau.theory;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import plateau.results.FileException;
import plateau.results.ResultFolder;

/**
 * What a folder holds of computed statements, as {@code theory.json}, and beside it each one's
 * table as {@code NAME.csv}.
 *
 * @param statements by name
 */
public record Findings(Map<String, Entry> statements) {
    private static final String FILE = "theory.json";
    private static final String CSV = ".csv";

    /** Records alone, by their components. */
    private static final ObjectMapper JSON = JsonMapper.builder()
            .visibility(PropertyAccessor.IS_GETTER, JsonAutoDetect.Visibility.NONE)
            .build();

    /** Copies the map. */
    public Findings {
        statements = new LinkedHashMap<>(statements);
    }

    /**
     * A statement that has been computed.
     *
     * @param scale at which
     * @param device that did the work
     * @param seconds it took
     * @param finding what came out
     */
    public record Entry(Scale scale, String device, double seconds, Finding finding) {}

    /** Nothing yet. */
    public static Findings none() {
        return new Findings(Map.of());
    }

    /**
     * What a folder holds; nothing where it holds none.
     *
     * @throws FileException with one line, if the file cannot be read or is none of this program's
     */
    public static Findings read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        try {
            return JSON.readValue(Files.readString(file), Findings.class);
        } catch (NoSuchFileException e) {
            return none();
        } catch (JsonProcessingException e) {
            throw new FileException(file, "it is damaged: it does not hold what plateau theory writes");
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
    }

    /** What came of a statement; empty where it has not been computed. */
    public Optional<Entry> of(Statement statement) {
        return Optional.ofNullable(statements.get(statement.name()));
    }

    /** These, and one more or in place of an earlier one. */
    public Findings with(Statement statement, Entry entry) {
        Findings more = new Findings(statements);
        more.statements.put(statement.name(), entry);
        return more;
    }

    /** The names of the files that {@link #write} makes for a statement. */
    public static List<String> files(Statement statement) {
        return List.of(statement.name() + CSV, FILE);
    }

    /** Writes all of them, and the table of one. */
    public void write(ResultFolder folder, Statement statement) throws IOException {
        folder.write(
                statement.name() + CSV,
                file -> statements.get(statement.name()).finding().table().writeCsv(file));
        folder.write(FILE, file -> Files.writeString(file, JSON.writeValueAsString(this) + "\n"));
    }
}
