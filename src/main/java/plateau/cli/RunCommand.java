package plateau.cli;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.results.Description;
import plateau.results.ResultFolder.Purpose;
import plateau.results.Results;
import plateau.study.Campaign;
import plateau.study.Settings;
import plateau.study.Sweep;
import plateau.study.SweepFolder;

/** Runs a campaign that is written down. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Runs the campaign that a JSON file describes: the experiment, and its runs with their options, steps and"
                    + " seeds.",
            "The run.json of every command's results holds the campaign that repeats it, so that its file can be given"
                    + " too."
        },
        footer = {
            "",
            "Examples:",
            "  plateau run parity/run.json --out again",
            "      the runs in ./parity once more, with the same bits on the same device",
            "  echo '{\"experiment\": \"parity\", \"runs\": [{\"options\": {\"d\": [5, 8]}, \"steps\": 5000,"
                    + " \"seeds\": 3}]}' > small.json",
            "  plateau run small.json",
            "      six runs, into ./small; what is not said is as usual",
            "  plateau run small.json --shard 1/2 && plateau run small.json --shard 2/2 && plateau merge small",
            "      the same in two parts, which two machines can run that share the folder"
        })
final class RunCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DevicesMixin device;

    @Parameters(paramLabel = "FILE", description = "a campaign as JSON, the run.json of results, or a sweep.json")
    private Path file;

    @Mixin
    private TrainingMixin training;

    @Option(
            names = "--shard",
            paramLabel = "I/N",
            description = "run only the I-th of N parts, and go on with it where it has begun; then: plateau merge DIR")
    private String shard;

    @Override
    public Integer call() throws IOException {
        JsonNode node = read(file);
        if (Sweep.isSweep(node)) {
            Sweep sweep = sweep(node);
            return runShard(sweep, file.toAbsolutePath().getParent(), sweep.settings());
        }
        boolean isDescription = node.has("campaign");
        Campaign<?> campaign;
        try {
            campaign = Campaign.of(isDescription ? node.get("campaign") : node);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
        device.requireSame(campaign.routing(), file);
        Path folder = training.out() == null
                ? Path.of(
                        isDescription
                                ? campaign.kind().name()
                                : file.getFileName().toString().replaceFirst("\\.json$", ""))
                : training.out();
        if (shard != null) {
            Sweep sweep = Sweep.of(campaign, shards(), Settings.USUAL, "auto");
            return runShard(sweep, folder, before(new SweepFolder(folder, sweep)));
        }
        return new CampaignRunner(spec, device)
                .run(
                        campaign,
                        training.settings(Settings.USUAL),
                        folder,
                        training.overwrite() ? Purpose.REPLACE : Purpose.NEW);
    }

    private Sweep sweep(JsonNode node) {
        try {
            return Sweep.of(node);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    /** Carries out the shard that is named; of an earlier process's it goes on. */
    private int runShard(Sweep sweep, Path usual, Settings before) throws IOException {
        if (shard == null) {
            throw new IllegalArgumentException(
                    "%s is a sweep of %d shards: name one with --shard 1/%d, or use: plateau sweep --out %s"
                            .formatted(file, sweep.shards(), sweep.shards(), usual));
        }
        if (training.overwrite()) {
            throw new IllegalArgumentException(
                    "--overwrite has no place beside --shard, which goes on with what is there");
        }
        if (shards() != sweep.shards()) {
            throw new IllegalArgumentException(
                    "--shard %s: %s is cut into %d shards".formatted(shard, file, sweep.shards()));
        }
        SweepFolder folder = new SweepFolder(training.out() == null ? usual : training.out(), sweep);
        device.otherwise(sweep.device());
        for (Campaign<?> campaign : sweep.campaigns()) {
            device.requireSame(campaign.routing(), file);
        }
        try (Interruption interruption = new Interruption()) {
            new CampaignRunner(spec, device).runShard(folder, number(0) - 1, training.settings(before), interruption);
            return interruption.happened() ? ExitCode.FAILED : ExitCode.OK; // after a signal never seen
        }
    }

    /** As the shard was started. */
    private Settings before(SweepFolder folder) throws IOException {
        Path own = folder.shardFolder(0, number(0) - 1);
        return Results.areIn(own) ? Settings.of(Description.read(own).settings()) : Settings.USUAL;
    }

    private int shards() {
        if (number(0) < 1 || number(0) > number(1)) {
            throw new IllegalArgumentException(
                    "--shard %s: shards are counted from 1 to their number, as in --shard 1/%d"
                            .formatted(shard, Math.max(1, number(1))));
        }
        return number(1);
    }

    /** One of the two numbers. */
    private int number(int part) {
        if (!shard.matches("[0-9]{1,9}/[0-9]{1,9}")) {
            throw new IllegalArgumentException("--shard '%s': it is of the form I/N, as in 3/10".formatted(shard));
        }
        return Integer.parseInt(shard.split("/")[part]);
    }

    /**
     * Reads a campaign or a sweep.
     *
     * @throws IllegalArgumentException with one line, if it is not there, or no JSON
     */
    static JsonNode read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("there is no file " + file);
        }
        try {
            return new ObjectMapper()
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            JsonLocation place = e.getLocation(); // none where it is nested deeper than Jackson goes
            throw new IllegalArgumentException(
                    place == null
                            ? file + " is no campaign: it is nested too deeply"
                            : "%s is no JSON: line %d, column %d"
                                    .formatted(file, place.getLineNr(), place.getColumnNr()),
                    e);
        }
    }
}
