package plateau.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import plateau.results.ResultFolder;
import plateau.study.SweepFolder;

/**
 * Scripts in a sweep's folder with which anything can run its shards: {@code run-shard I}, which
 * array jobs of Slurm, PBS, SGE and LSF call without I; {@code run-merge}; and {@code tasks.txt},
 * a line for each shard that is left.
 */
final class ShardScripts {
    static final String RUN = "run-shard";
    static final String MERGE = "run-merge";
    private static final String TASKS = "tasks.txt";

    private final SweepFolder sweep;
    private final Collection<Integer> shards;
    private final EngineMixin options;
    private final Path folder;

    /** For the shards that are left, counted from 0. */
    ShardScripts(SweepFolder sweep, Collection<Integer> shards, EngineMixin options) {
        this.sweep = sweep;
        this.shards = shards;
        this.options = options;
        this.folder = sweep.path().toAbsolutePath().normalize();
    }

    /** Writes them. */
    void write(ResultFolder claimed) throws IOException {
        writeScript(claimed, RUN, runScript());
        writeScript(claimed, MERGE, "#!/bin/bash\nexec %s merge %s\n".formatted(program(), quoted(folder)));
        claimed.write(
                TASKS,
                file -> Files.writeString(
                        file,
                        shards.stream()
                                .map(shard -> "%s %d\n".formatted(quoted(folder.resolve(RUN)), shard + 1))
                                .collect(Collectors.joining())));
    }

    private static void writeScript(ResultFolder claimed, String name, String text) throws IOException {
        claimed.write(name, file -> {
            Files.writeString(file, text);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        });
    }

    /**
     * In Slurm the script gets SIGUSR1 before the job's time is over, passes it on, and puts the
     * job, whose runs have saved themselves, into the queue again.
     */
    private String runScript() {
        return """
            #!/bin/bash
            # Runs a shard of the sweep in this folder: run-shard I, from 1 to %2$d. In an array job of Slurm, PBS,
            # SGE or LSF the task's number says which.
            shard=${1:-${SLURM_ARRAY_TASK_ID:-${PBS_ARRAY_INDEX:-${PBS_ARRAYID:-${SGE_TASK_ID:-$LSB_JOBINDEX}}}}}
            [ "$(locale charmap 2>/dev/null)" = UTF-8 ] || export LC_ALL=C.UTF-8 # in which all names can be said
            set -- %1$s run %3$s --shard "$shard/%2$d"
            [ -n "$SLURM_JOB_ID" ] || exec "$@"
            trap '[ -z "$child" ] || kill -USR1 $child' USR1
            trap : TERM # which Slurm sends to the program, too
            "$@" &
            child=$!
            wait $child
            code=$?
            while kill -0 $child 2>/dev/null; do
              wait $child
              code=$?
            done
            if [ $code = 138 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 1000 ]; then
              scontrol requeue "$SLURM_JOB_ID"
            fi
            exit $code
            """.formatted(program(), sweep.sweep().shards(), quoted(folder.resolve(SweepFolder.SWEEP)));
    }

    /** What starts this program on whatever machine runs a task. */
    private String program() {
        return options.program()
                .map(ShardScripts::quoted)
                .orElseGet(() -> new OwnProgram()
                        .command().stream().map(ShardScripts::quoted).collect(Collectors.joining(" ")));
    }

    private static String quoted(Object word) {
        return quoted(word.toString());
    }

    /** For a shell, whatever it is. */
    static String quoted(String word) {
        return word.matches("[A-Za-z0-9_./=:+-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }

    /** What to do with them. */
    List<String> advice() {
        String run = quoted(folder.resolve(RUN));
        String numbers = Sweeps.numbers(shards);
        return List.of(
                "wrote %s, %s and %s to %s; one of these runs what is left, and then %s:"
                        .formatted(RUN, MERGE, TASKS, sweep.path(), MERGE),
                "  parallel < " + quoted(folder.resolve(TASKS)),
                "  qsub -J %s %s          (PBS)".formatted(numbers, run),
                "  qsub -t %s %s          (SGE)".formatted(numbers, run),
                "  bsub -J \"shards[%s]\" %s    (LSF)".formatted(numbers, run));
    }
}
