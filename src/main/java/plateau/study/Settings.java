package plateau.study;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.OptionalInt;
import java.util.OptionalLong;
import plateau.train.Trainer;

/**
 * How a campaign is carried out, which has no effect on what it computes.
 *
 * @param parallel runs at once; empty: one per core, as far as device memory goes
 * @param replicas runs that share a CUDA graph at most; empty: as many as fill the device
 * @param unroll steps in one CUDA graph
 * @param graph false: launch every kernel from Java
 * @param checkpointEvery steps between checkpoints; empty: none
 * @param tensorboard whether event files are written
 */
public record Settings(
        OptionalInt parallel,
        OptionalInt replicas,
        int unroll,
        boolean graph,
        OptionalLong checkpointEvery,
        boolean tensorboard) {
    /** As usual: graphs, no checkpoints, no event files. */
    public static final Settings USUAL = new Settings(
            OptionalInt.empty(),
            OptionalInt.empty(),
            Trainer.Options.DEFAULT_UNROLL,
            true,
            OptionalLong.empty(),
            false);

    /** Runs in one graph at most: the layers of a grid. */
    public static final int MOST_REPLICAS = 65_535;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** @throws IllegalArgumentException with one line on the first number that is out of range */
    public Settings {
        if (parallel.orElse(1) < 1) {
            throw new IllegalArgumentException("parallel must be at least 1, not " + parallel.getAsInt());
        }
        if (replicas.orElse(1) < 1 || replicas.orElse(1) > MOST_REPLICAS) {
            throw new IllegalArgumentException(
                    "replicas must be between 1 and %d, not %d".formatted(MOST_REPLICAS, replicas.getAsInt()));
        }
        if (unroll < 1 || unroll > Trainer.Options.MOST_UNROLLED) {
            throw new IllegalArgumentException(
                    "unroll must be between 1 and %d, not %d".formatted(Trainer.Options.MOST_UNROLLED, unroll));
        }
        if (checkpointEvery.orElse(1) < 1) {
            throw new IllegalArgumentException(
                    "checkpoint-every must be at least 1, not " + checkpointEvery.getAsLong());
        }
    }

    /** With so many steps between checkpoints. */
    public Settings withCheckpointEvery(long steps) {
        return new Settings(parallel, replicas, unroll, graph, OptionalLong.of(steps), tensorboard);
    }

    /** As JSON. */
    public ObjectNode toJson() {
        ObjectNode node = JSON.createObjectNode();
        node.put("parallel", parallel.isPresent() ? Integer.valueOf(parallel.getAsInt()) : null);
        node.put("replicas", replicas.isPresent() ? Integer.valueOf(replicas.getAsInt()) : null);
        node.put("unroll", unroll).put("graph", graph);
        node.put("checkpoint-every", checkpointEvery.isPresent() ? Long.valueOf(checkpointEvery.getAsLong()) : null);
        return node.put("tensorboard", tensorboard);
    }

    /** From JSON; what is missing there is as usual. */
    public static Settings of(JsonNode node) {
        return new Settings(
                number(node.path("parallel")),
                number(node.path("replicas")),
                node.path("unroll").asInt(USUAL.unroll),
                node.path("graph").asBoolean(USUAL.graph),
                node.path("checkpoint-every").canConvertToLong()
                                && node.path("checkpoint-every").isNumber()
                        ? OptionalLong.of(node.path("checkpoint-every").asLong())
                        : OptionalLong.empty(),
                node.path("tensorboard").asBoolean(USUAL.tensorboard));
    }

    private static OptionalInt number(JsonNode node) {
        return node.isInt() ? OptionalInt.of(node.asInt()) : OptionalInt.empty();
    }
}
