package plateau.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import plateau.figure.Figure;
import plateau.report.Recorded;

/** Draws the figures of results that are there. */
@Command(
        name = "plot",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Draws a command's figures again, as PNG and SVG, from its metrics.csv, curves.csv and run.json: of a run that still goes on, was interrupted, or whose tables were edited.",
        footer = {
            "",
            "Examples:",
            "  plateau plot parity",
            "      parity/parity.png and parity/parity.svg, of all that has been logged",
            "  plateau plot reproduction/step reproduction/pwl",
            "      the figures of two commands, each into its own folder"
        })
final class PlotCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "DIR", arity = "1..*", description = "folders that hold the results of commands")
    private List<Path> folders;

    @Override
    public Integer call() throws IOException {
        for (Path path : folders) {
            Recorded recorded = read(path);
            Map<String, Figure> figures = command(recorded).figures(recorded);
            ResultFolder folder = ResultFolder.prepare(path, true);
            for (Map.Entry<String, Figure> figure : figures.entrySet()) {
                folder.figure(figure.getKey(), figure.getValue());
            }
            spec.commandLine().getOut().println("wrote " + folder.description());
        }
        return Main.OK;
    }

    /** @throws CommandFailedException if the folder holds none */
    static Recorded read(Path folder) {
        try {
            return Recorded.read(folder);
        } catch (IOException e) {
            throw new CommandFailedException(e.getMessage());
        }
    }

    /** The command that wrote the results, with its options as they were. */
    private ExperimentCommand command(Recorded recorded) {
        CommandLine line = Main.commandLine(spec.commandLine().getFactory());
        CommandLine written = line.getSubcommands().get(recorded.experiment());
        if (written == null || !(written.getCommand() instanceof ExperimentCommand command)) {
            throw new CommandFailedException("%s holds results of '%s', which has no figures".formatted(recorded.folder(), recorded.experiment()));
        }
        List<String> arguments = new ArrayList<>(List.of(recorded.experiment()));
        arguments.addAll(arguments(written.getCommandSpec(), recorded.description().path("arguments")));
        ParseResult parsed = line.parseArgs(arguments.toArray(String[]::new));
        return (ExperimentCommand) parsed.subcommand().commandSpec().userObject();
    }

    private static List<String> arguments(CommandSpec command, JsonNode recorded) {
        List<String> arguments = new ArrayList<>();
        command.positionalParameters().forEach(parameter -> arguments.addAll(Results.typed(parameter, recorded.path(parameter.paramLabel().toLowerCase()))));
        command.options().forEach(option -> arguments.addAll(Results.typed(option, recorded.path(option.longestName().substring(2)))));
        return arguments;
    }
}
