package plateau.train;

import plateau.results.Safetensors;
import plateau.results.LogRow;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import plateau.results.Safetensors.Array;

/**
 * What a checkpoint tells somebody who does not go on with the run.
 *
 * @param description what run it is of, and of which step
 * @param parameters learnt values by name
 * @param metrics the names of the test values in each row
 * @param rows logged
 * @param curves of what was learnt, by step and name
 */
public record Saved(Map<String, String> description, SequencedMap<String, Array> parameters, List<String> metrics, List<LogRow> rows, SequencedMap<Long, Map<String, float[]>> curves) {
    private static final String METRICS = "metrics";

    /**
     * Reads a checkpoint.
     *
     * @throws Safetensors.MalformedException if it is damaged, or no checkpoint
     * @throws IOException if it cannot be read
     */
    public static Saved read(Path checkpoint) throws IOException {
        Safetensors file = Safetensors.read(checkpoint);
        if (!Checkpoints.isCheckpoint(file)) {
            throw new Safetensors.MalformedException("it is no checkpoint of this program");
        }
        SequencedMap<String, Array> parameters = new LinkedHashMap<>();
        file.arrays().forEach((name, values) -> {
            if (!name.contains("/")) {
                parameters.put(name, file.arrays().getOrDefault(Trainer.LEARNT + name, values));
            }
        });
        Course course = Course.read(file);
        return new Saved(file.metadata(), parameters, List.of(file.metadata().get(METRICS).split(",")), course.rows(), course.curves());
    }

    static void describe(List<String> metrics, Map<String, String> metadata) {
        metadata.put(METRICS, String.join(",", metrics));
    }
}
