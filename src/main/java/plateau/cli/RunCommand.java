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
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.results.ResultFolder.Purpose;
import plateau.study.Campaign;
import plateau.study.Settings;

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
            "      six runs, into ./small; what is not said is as usual"
        })
final class RunCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DevicesMixin device;

    @Parameters(paramLabel = "FILE", description = "a campaign as JSON, or the run.json of results")
    private Path file;

    @Mixin
    private TrainingMixin training;

    @Override
    public Integer call() throws IOException {
        JsonNode node = read();
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
        return new CampaignRunner(spec, device)
                .run(
                        campaign,
                        training.settings(Settings.USUAL),
                        folder,
                        training.overwrite() ? Purpose.REPLACE : Purpose.NEW);
    }

    private JsonNode read() throws IOException {
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
