package plateau.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options of engines that run shards elsewhere. */
final class EngineMixin {
    private static final String SLURM = "slurm";
    private static final String K8S = "k8s";

    @Option(names = "--partition", paramLabel = "NAME", description = "slurm: where the tasks run")
    private String partition;

    @Option(names = "--gpus", paramLabel = "N", description = "slurm, k8s: GPUs of each task (default: none)")
    private Integer gpus;

    @Option(
            names = "--time",
            paramLabel = "MINUTES",
            description =
                    "slurm, k8s: longest time of a task; before it is over, a task saves itself and is queued again")
    private Integer time;

    @Option(names = "--array-parallelism", paramLabel = "N", description = "slurm, k8s: tasks at once at most")
    private Integer arrayParallelism;

    @Option(
            names = "--sbatch-option",
            paramLabel = "OPTION",
            description = "slurm: an option for sbatch, as in --sbatch-option=--mem=4G; may be given several times")
    private List<String> sbatchOptions = List.of();

    @Option(
            names = "--program",
            paramLabel = "FILE",
            description = "slurm, files, k8s: bin/plateau of the package as tasks find it (default: this program; in a"
                    + " container: plateau)")
    private String program;

    @Option(names = "--image", paramLabel = "IMAGE", description = "k8s: container image that holds the package")
    private String image;

    @Option(
            names = "--volume-claim",
            paramLabel = "NAME",
            description = "k8s: PersistentVolumeClaim that all tasks can write to, for the results")
    private String volumeClaim;

    /**
     * @throws IllegalArgumentException with one line on the first option that is not for an engine
     */
    void check(String engine) {
        Map<String, Object> given = new LinkedHashMap<>();
        given.put("--partition " + SLURM, partition);
        given.put("--gpus " + SLURM + " " + K8S, gpus);
        given.put("--time " + SLURM + " " + K8S, time);
        given.put("--array-parallelism " + SLURM + " " + K8S, arrayParallelism);
        given.put("--sbatch-option " + SLURM, sbatchOptions.isEmpty() ? null : sbatchOptions);
        given.put("--program " + SLURM + " " + K8S + " files", program);
        given.put("--image " + K8S, image);
        given.put("--volume-claim " + K8S, volumeClaim);
        given.forEach((names, value) -> {
            List<String> words = List.of(names.split(" "));
            if (value != null && !words.subList(1, words.size()).contains(engine)) {
                throw new IllegalArgumentException("%s is for --engine %s"
                        .formatted(words.getFirst(), String.join(" or ", words.subList(1, words.size()))));
            }
            if (value instanceof Integer number && number < 1) {
                throw new IllegalArgumentException("%s must be at least 1, not %d".formatted(words.getFirst(), number));
            }
        });
        if (engine.equals(K8S) && (image == null || volumeClaim == null)) {
            throw new IllegalArgumentException(
                    "--engine k8s needs --image, which holds the program, and --volume-claim, for the results");
        }
    }

    Optional<String> partition() {
        return Optional.ofNullable(partition);
    }

    Optional<Integer> gpus() {
        return Optional.ofNullable(gpus);
    }

    /** In minutes. */
    Optional<Integer> time() {
        return Optional.ofNullable(time);
    }

    Optional<Integer> arrayParallelism() {
        return Optional.ofNullable(arrayParallelism);
    }

    List<String> sbatchOptions() {
        return sbatchOptions;
    }

    Optional<String> program() {
        return Optional.ofNullable(program);
    }

    String image() {
        return image;
    }

    String volumeClaim() {
        return volumeClaim;
    }
}
