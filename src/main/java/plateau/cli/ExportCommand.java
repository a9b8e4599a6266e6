package plateau.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;
import plateau.results.Results;
import plateau.results.RunKey;
import plateau.results.Safetensors;
import plateau.study.RunSpec;
import plateau.train.Checkpoints;

/** What runs have learnt, for other programs. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Writes what runs have learnt, for other programs: RUN.safetensors with each run's parameters by name,"
                    + " RUN.csv with what it logged, and RUN-curves.csv with its curves, where it has some.",
            "The runs are those of a folder that was written with --checkpoint-every; a run that is not finished is"
                    + " taken from its newest checkpoint."
        },
        footer = {
            "",
            "Examples:",
            "  plateau step e2e --checkpoint-every 1000",
            "  plateau export step",
            "      step/export/e2e-seed-1.safetensors and .csv; in Python: safetensors.numpy.load_file(…)"
        })
final class ExportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "folder with the results of a command that trains")
    private Path folder;

    @Option(names = "--out", paramLabel = "DIR", description = "folder to write to (default: DIR/export)")
    private Path out;

    @Option(names = "--overwrite", description = "replace files of an earlier export")
    private boolean overwrite;

    @Override
    public Integer call() throws IOException {
        List<String> names = RunKey.fileNames(Campaigns.read(Results.read(folder)).runs().stream()
                .map(RunSpec::key)
                .toList());
        Path target = out == null ? folder.resolve("export") : out;
        List<String> written;
        try (ResultFolder export =
                ResultFolder.claim(target, overwrite ? Purpose.REPLACE : Purpose.NEW, "plateau export")) {
            for (String name : names) {
                Path checkpoint = folder.resolve(ResultFolder.checkpoint(name));
                if (Files.exists(checkpoint)) {
                    export(checkpoint, name, export);
                }
            }
            written = export.written();
        }
        if (written.isEmpty()) {
            throw new CommandFailedException(
                    folder + " holds no checkpoints to export; train with --checkpoint-every N");
        }
        spec.commandLine().getOut().println("wrote " + String.join(", ", written) + " to " + target);
        return ExitCode.OK;
    }

    private void export(Path checkpoint, String name, ResultFolder export) throws IOException {
        Safetensors learnt;
        try {
            learnt = Checkpoints.learnt(checkpoint);
        } catch (Safetensors.MalformedException e) {
            throw new CommandFailedException(
                    "%s cannot be used: %s; go on with its run by --resume, or delete it"
                            .formatted(checkpoint, e.getMessage()),
                    e);
        }
        export.write(name + ".safetensors", learnt::write);
        Results.export(folder, name, export);
    }
}
