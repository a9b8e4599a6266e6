package plateau.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import plateau.results.ResultFolder;
import plateau.study.SweepFolder;

/**
 * Kubernetes: a manifest with the sweep as a ConfigMap and an Indexed Job, an index for each shard
 * that is left, and a second one with the Job that puts the results together. The folder of the
 * results is the root of a volume that all pods share.
 *
 * <p>A pod that ends with exit code 2 was asked for what cannot be, and fails the Job; one that was
 * ended by a signal, or by a node that is drained, is started anew and counts as no failure; any
 * other failure is tried again a few times, for its index alone.
 */
final class KubernetesEngine {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final int RETRIES_OF_INDEX = 3;
    private static final int GRACE_SECONDS = 60;
    private static final int LONGEST_NAME = 40;
    private static final int MOST_CONFIG_BYTES = 1 << 20;
    private static final String CONTAINER = "plateau";
    private static final String RESULTS = "/results";
    private static final String SWEEP = "/sweep";

    private final SweepFolder sweep;
    private final List<Integer> shards;
    private final EngineMixin options;
    private final String name;
    private final int attempt;

    KubernetesEngine(SweepFolder sweep, Collection<Integer> shards, EngineMixin options) {
        this.sweep = sweep;
        this.shards = List.copyOf(shards);
        this.options = options;
        int earlier = 1;
        while (Files.exists(sweep.path().resolve(shardsFile(earlier)))) {
            earlier++; // a Job cannot be changed: what is left gets one of its own
        }
        this.attempt = earlier;
        String plain = sweep.path()
                .toAbsolutePath()
                .normalize()
                .getFileName()
                .toString()
                .toLowerCase(Locale.ROOT);
        String allowed = plain.replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
        this.name = "plateau-%s-%d"
                .formatted(allowed.substring(0, Math.min(allowed.length(), LONGEST_NAME)), attempt)
                .replace("--", "-");
    }

    private static String shardsFile(int attempt) {
        return "k8s/shards-%d.json".formatted(attempt);
    }

    private static String mergeFile(int attempt) {
        return "k8s/merge-%d.json".formatted(attempt);
    }

    /** Writes both manifests, and says what to do with them. */
    List<String> write(ResultFolder claimed) throws IOException {
        ObjectNode both = JSON.createObjectNode().put("apiVersion", "v1").put("kind", "List");
        both.putArray("items").add(configMap()).add(shardsJob());
        claimed.write(shardsFile(attempt), file -> Files.writeString(file, JSON.writeValueAsString(both) + "\n"));
        claimed.write(mergeFile(attempt), file -> Files.writeString(file, JSON.writeValueAsString(mergeJob()) + "\n"));
        String shardsPath =
                ShardScripts.quoted(sweep.path().resolve(shardsFile(attempt)).toString());
        String mergePath =
                ShardScripts.quoted(sweep.path().resolve(mergeFile(attempt)).toString());
        return List.of(
                "wrote a Job of %d indices and one that puts their results together:".formatted(shards.size()),
                "  kubectl apply -f " + shardsPath,
                "  kubectl wait --for=condition=Complete --timeout=-1s job/" + name,
                "  kubectl apply -f " + mergePath,
                "the volume of claim %s then holds the results".formatted(options.volumeClaim()));
    }

    private ObjectNode configMap() throws IOException {
        ObjectNode map = JSON.createObjectNode().put("apiVersion", "v1").put("kind", "ConfigMap");
        map.putObject("metadata").put("name", name);
        String text = sweep.sweep().toJson().toString();
        if (text.length() > MOST_CONFIG_BYTES) {
            throw new CommandFailedException(
                    "the sweep's description has more than the MiB that a ConfigMap holds; use several sweeps");
        }
        map.putObject("data").put(SweepFolder.SWEEP, text);
        return map;
    }

    private ObjectNode shardsJob() {
        ObjectNode job = job(name);
        ObjectNode spec = (ObjectNode) job.get("spec");
        spec.put("completionMode", "Indexed")
                .put("completions", shards.size())
                .put(
                        "parallelism",
                        Math.min(shards.size(), options.arrayParallelism().orElse(shards.size())))
                .put("backoffLimitPerIndex", RETRIES_OF_INDEX);
        ArrayNode rules = spec.putObject("podFailurePolicy").putArray("rules");
        ObjectNode wrong = rules.addObject().put("action", "FailJob").putObject("onExitCodes");
        wrong.put("containerName", CONTAINER)
                .put("operator", "In")
                .putArray("values")
                .add(ExitCode.USAGE);
        ObjectNode ended = rules.addObject().put("action", "Ignore").putObject("onExitCodes");
        ended.put("containerName", CONTAINER)
                .put("operator", "In")
                .putArray("values")
                .add(130)
                .add(138)
                .add(143);
        rules.addObject()
                .put("action", "Ignore")
                .putArray("onPodConditions")
                .addObject()
                .put("type", "DisruptionTarget")
                .put("status", "True");
        container(
                job,
                "%sexec %s run %s/%s --shard $shard/%d --out %s"
                        .formatted(
                                shardOfIndex(),
                                program(),
                                SWEEP,
                                SweepFolder.SWEEP,
                                sweep.sweep().shards(),
                                RESULTS));
        return job;
    }

    private String shardOfIndex() {
        return shards.size() == sweep.sweep().shards()
                ? "shard=$((JOB_COMPLETION_INDEX + 1)); "
                : "set -- %s; shift $JOB_COMPLETION_INDEX; shard=$1; "
                        .formatted(shards.stream()
                                .map(shard -> Integer.toString(shard + 1))
                                .collect(Collectors.joining(" ")));
    }

    private ObjectNode mergeJob() {
        ObjectNode job = job(name + "-merge");
        ((ObjectNode) job.get("spec")).put("backoffLimit", 0);
        container(job, "exec %s merge %s".formatted(program(), RESULTS));
        return job;
    }

    private String program() {
        return options.program().map(ShardScripts::quoted).orElse("plateau");
    }

    private static ObjectNode job(String name) {
        ObjectNode job = JSON.createObjectNode().put("apiVersion", "batch/v1").put("kind", "Job");
        job.putObject("metadata").put("name", name);
        job.putObject("spec");
        return job;
    }

    private void container(ObjectNode job, String script) {
        ObjectNode pod = ((ObjectNode) job.get("spec")).putObject("template").putObject("spec");
        pod.put("restartPolicy", "Never").put("terminationGracePeriodSeconds", GRACE_SECONDS);
        ObjectNode container = pod.putArray("containers").addObject();
        container.put("name", CONTAINER).put("image", options.image());
        container.putArray("command").add("/bin/sh").add("-c").add(script);
        boolean trains = script.contains("--shard");
        if (trains) {
            options.time().ifPresent(minutes -> pod.put("activeDeadlineSeconds", minutes * 60L));
            options.gpus()
                    .ifPresent(gpus -> container
                            .putObject("resources")
                            .putObject("limits")
                            .put("nvidia.com/gpu", Integer.toString(gpus)));
        }
        ArrayNode mounts = container.putArray("volumeMounts");
        ArrayNode volumes = pod.putArray("volumes");
        mounts.addObject().put("name", "results").put("mountPath", RESULTS);
        volumes.addObject()
                .put("name", "results")
                .putObject("persistentVolumeClaim")
                .put("claimName", options.volumeClaim());
        if (trains) {
            mounts.addObject().put("name", "sweep").put("mountPath", SWEEP);
            volumes.addObject().put("name", "sweep").putObject("configMap").put("name", name);
        }
    }
}
