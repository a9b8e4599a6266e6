package plateau.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.experiment.Logged;
import plateau.figure.Figure;
import plateau.report.FigureFiles;
import plateau.results.Description;
import plateau.results.Results;
import plateau.study.Campaign;

/** Draws the figures of results that are there. */
@Command(
        name = "plot",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description =
                "Draws a command's figures again, as PNG and SVG, from its metrics.csv, curves.csv and run.json: of"
                        + " runs that still go on, were interrupted, or whose tables were edited.",
        footer = {
            "",
            "Examples:",
            "  plateau plot parity",
            "      parity/parity.png and parity/parity.svg, of all that has been logged",
            "  plateau plot reproduction/step reproduction/pwl",
            "      the figures of two commands, each into its own folder"
        })
final class PlotCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", arity = "1..*", description = "folders that hold the results of commands")
    private List<Path> folders;

    @Override
    public Integer call() throws IOException {
        for (Path folder : folders) { // before any of them is drawn
            Results.requireIn(folder);
            Campaigns.read(folder, Description.read(folder));
        }
        for (Path folder : folders) {
            Results results = Results.read(folder);
            List<String> written = draw(Campaigns.read(results), results);
            spec.commandLine().getOut().println("wrote " + String.join(", ", written) + " to " + folder);
        }
        return ExitCode.OK;
    }

    private static <O extends Record> List<String> draw(Campaign<O> campaign, Results results) throws IOException {
        List<Logged<O>> runs = campaign.logged(results.histories());
        if (runs.isEmpty()) {
            throw new CommandFailedException(
                    results.folder() + " holds nothing to draw: its runs have not logged anything");
        }
        List<String> written = new ArrayList<>();
        for (Map.Entry<String, Figure> figure : campaign.kind().figures(runs).entrySet()) {
            written.addAll(FigureFiles.redraw(results.folder(), figure.getKey(), figure.getValue()));
        }
        return written;
    }
}
