package plateau.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import plateau.study.SweepFolder;

/**
 * Slurm: an array job with a task for each shard that is left, and a job that puts the results
 * together when it has ended.
 */
final class SlurmEngine {
    /** Seconds before a task's time is over, in which its runs save themselves, at most. */
    private static final int NOTICE = 60;

    private final SweepFolder sweep;
    private final Collection<Integer> shards;
    private final EngineMixin options;
    private final Path folder;
    private final Path logs;

    SlurmEngine(SweepFolder sweep, Collection<Integer> shards, EngineMixin options) {
        this.sweep = sweep;
        this.shards = shards;
        this.options = options;
        this.folder = sweep.path().toAbsolutePath().normalize();
        this.logs = folder.resolve("logs");
    }

    /**
     * Submits both jobs, whose scripts lie in the folder.
     *
     * @return what to tell of them
     * @throws CommandFailedException if Slurm refuses
     */
    String submit() throws IOException {
        Files.createDirectories(logs);
        int notice = options.time()
                .map(minutes -> Math.min(NOTICE, minutes * NOTICE / 4))
                .orElse(NOTICE);
        List<String> array = new ArrayList<>();
        array.add("--array=" + Sweeps.numbers(shards)
                + options.arrayParallelism().map(most -> "%" + most).orElse(""));
        array.add("--job-name=plateau-" + folder.getFileName());
        array.add("--output=" + logs.resolve("shard-%a.log"));
        array.addAll(List.of("--open-mode=append", "--requeue", "--signal=B:USR1@" + notice));
        sweep.sweep().settings().parallel().ifPresent(parallel -> array.add("--cpus-per-task=" + parallel));
        options.gpus().ifPresent(gpus -> array.add("--gpus-per-task=" + gpus));
        options.gpus().ifPresent(_ -> array.add("--ntasks=1"));
        options.time().ifPresent(minutes -> array.add("--time=" + minutes));
        options.partition().ifPresent(name -> array.add("--partition=" + name));
        array.addAll(options.sbatchOptions());
        String job = sbatch(array, ShardScripts.RUN);
        List<String> merge = new ArrayList<>(List.of(
                "--dependency=afterany:" + job,
                "--job-name=plateau-merge-" + folder.getFileName(),
                "--output=" + logs.resolve("merge.log"),
                "--open-mode=append"));
        options.partition().ifPresent(name -> merge.add("--partition=" + name));
        String merging = sbatch(merge, ShardScripts.MERGE);
        return "submitted job %s of %d tasks, and job %s, which then merges them; how far they are: plateau status %s"
                .formatted(job, shards.size(), merging, sweep.path());
    }

    private String sbatch(List<String> words, String script) throws IOException {
        List<String> command = new ArrayList<>(List.of("sbatch", "--parsable"));
        command.addAll(words);
        command.add(folder.resolve(script).toString());
        Process process;
        try {
            process = new ProcessBuilder(command).directory(folder.toFile()).start();
        } catch (IOException e) {
            throw new CommandFailedException(
                    "--engine slurm: there is no sbatch on the PATH; submit from a node of the cluster that has it, or"
                            + " use --engine files",
                    e);
        }
        process.getOutputStream().close();
        Thread.Builder reader = Thread.ofVirtual();
        StringBuffer errors = new StringBuffer();
        Thread other = reader.start(() -> {
            try {
                errors.append(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                errors.append(e.getMessage());
            }
        });
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            int code = process.waitFor();
            other.join();
            if (code != 0) {
                throw new CommandFailedException("sbatch %s refused: %s"
                        .formatted(script, errors.toString().lines().findFirst().orElse("exit code " + code)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailedException("interrupted while sbatch was at work", e);
        }
        return said.lines().reduce((_, last) -> last).orElse("").split(";")[0];
    }
}
