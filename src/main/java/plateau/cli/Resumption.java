package plateau.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The command line of a run that goes on where it stopped: that of run.json in its folder. */
final class Resumption {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Options that may be other ones than before: they say where and how a run is computed, not what. */
    private static final Set<String> FREE = Set.of("--device", "--libcuda", "--libcublas", "--libcudnn", "--parallel", "--unroll", "--no-graph", "--checkpoint-every", "--tensorboard");

    /** Options that say where the results are, which the folder itself does. */
    private static final Set<String> FOLDER = Set.of("--resume", "--out", "--overwrite");

    private Resumption() {}

    /**
     * The complete arguments of the command, without its name.
     *
     * @throws CommandFailedException if the folder holds nothing to go on from
     * @throws IllegalArgumentException if an option that was given contradicts what the folder's run was started with
     */
    static List<String> arguments(CommandSpec command, Path folder) {
        JsonNode run = description(folder);
        String experiment = run.path("experiment").asText();
        if (!experiment.equals(command.name())) {
            throw new IllegalArgumentException("--resume %s: it holds a run of another command; use: plateau %s --resume %s".formatted(folder, experiment, folder));
        }
        JsonNode before = run.path("arguments");
        if (before.path("checkpoint-every").isNull() || before.path("checkpoint-every").isMissingNode()) {
            throw new CommandFailedException("--resume %s: its run was started without --checkpoint-every and left no checkpoints; start it again with --overwrite".formatted(folder));
        }
        List<String> arguments = new ArrayList<>(List.of("--resume=" + folder, "--out=" + folder));
        for (OptionSpec option : command.options()) {
            String name = option.longestName();
            boolean given = command.commandLine().getParseResult().hasMatchedOption(option);
            if (FOLDER.contains(name) && given && !name.equals("--resume")) {
                throw new IllegalArgumentException(name + " has no place beside --resume, which goes on in the folder it names");
            }
            if (option.usageHelp() || option.versionHelp() || FOLDER.contains(name)) {
                continue;
            }
            JsonNode stored = before.path(name.substring(2));
            JsonNode value = given ? agreed(option, name, stored, folder) : stored;
            arguments.addAll(Results.typed(option, value));
        }
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            JsonNode stored = before.path(parameter.paramLabel().toLowerCase());
            JsonNode value = command.commandLine().getParseResult().hasMatchedPositional(parameter) ? agreed(parameter, parameter.paramLabel(), stored, folder) : stored;
            arguments.addAll(Results.typed(parameter, value));
        }
        return arguments;
    }

    private static JsonNode description(Path folder) {
        Path file = folder.resolve("run.json");
        if (!Files.exists(file)) {
            throw new CommandFailedException("--resume %s: there is no run.json in it; name the folder of a run that was started with --checkpoint-every".formatted(folder));
        }
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new CommandFailedException("--resume %s: its run.json cannot be read (%s)".formatted(folder, e.getClass().getSimpleName()), e);
        }
    }

    private static JsonNode agreed(ArgSpec argument, String name, JsonNode stored, Path folder) {
        JsonNode given = JSON.valueToTree(Results.plain(argument.getValue()));
        if (!FREE.contains(name) && !text(given).equals(text(stored))) {
            throw new IllegalArgumentException("%s %s contradicts the run in %s, which has %s; leave it out, or start another run".formatted(name, text(given), folder, stored.isNull() ? "none" : text(stored)));
        }
        return given;
    }

    private static String text(JsonNode value) {
        return value.isArray() ? value.valueStream().map(JsonNode::asText).collect(Collectors.joining(",")) : value.asText();
    }
}
