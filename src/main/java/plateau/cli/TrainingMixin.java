package plateau.cli;

import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.OptionalLong;
import picocli.CommandLine.Option;
import plateau.study.Settings;

/** Options of every command that trains: how it is carried out and where the results go. */
final class TrainingMixin {
    @Option(
            names = "--parallel",
            paramLabel = "N",
            description =
                    "runs at once, which has no effect on what they compute (default: one per core, as far as device"
                            + " memory goes)")
    private Integer parallel;

    @Option(
            names = "--replicas",
            paramLabel = "auto|R",
            description =
                    "runs that differ in their seeds alone and share a CUDA graph, each with the bits it has alone;"
                            + " auto: as many as fill the device, which of a CPU is one (default: auto)")
    private TypedValues.Count replicas;

    @Option(names = "--unroll", paramLabel = "N", description = "steps in one CUDA graph (default: 64)")
    private Integer unroll;

    @Option(
            names = "--no-graph",
            description = "launch every kernel from Java instead of replaying a graph; gives the same bits")
    private Boolean noGraph;

    @Option(
            names = "--checkpoint-every",
            paramLabel = "N",
            description =
                    "steps between checkpoints, in DIR/checkpoints, from which a run that was ended or killed can go"
                            + " on (default: none)")
    private Long checkpointEvery;

    @Option(
            names = "--tensorboard",
            description = "also write DIR/tensorboard, while training, for: tensorboard --logdir DIR/tensorboard")
    private Boolean tensorboard;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "folder for the results (default: one in this folder with the command's name)")
    private Path out;

    @Option(
            names = "--overwrite",
            description = "replace the results of an earlier run in that folder, once the new one has begun")
    private boolean overwrite;

    /** How runs are carried out: as given, and for the rest as they were or as usual. */
    Settings settings(Settings otherwise) {
        return new Settings(
                parallel == null ? otherwise.parallel() : OptionalInt.of(parallel),
                replicas == null ? otherwise.replicas() : replicas.number(),
                unroll == null ? otherwise.unroll() : unroll,
                noGraph == null ? otherwise.graph() : !noGraph,
                checkpointEvery == null ? otherwise.checkpointEvery() : OptionalLong.of(checkpointEvery),
                tensorboard == null ? otherwise.tensorboard() : tensorboard);
    }

    /** The folder for the results; null where none is named. */
    Path out() {
        return out;
    }

    boolean overwrite() {
        return overwrite;
    }
}
