package plateau.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.study.SweepFolder;

/** Puts the results of shards together. */
@Command(
        name = "merge",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Puts the shards of a sweep together: metrics.csv, metrics.jsonl, curves.csv and run.json with the bytes"
                    + " that one process would have written, but for times, speeds, device, versions and settings in"
                    + " run.json; and the figures.",
            "Says what is missing, and how to run just that; what there is until then is put together all the same."
        },
        footer = {"", "Examples:", "  plateau merge curve", "      of: plateau sweep --grid … --out curve"})
final class MergeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", arity = "1..*", description = "folders of sweeps")
    private List<Path> folders;

    @Override
    public Integer call() throws IOException {
        List<SweepFolder> sweeps = new ArrayList<>();
        for (Path folder : folders) {
            sweeps.add(Sweeps.open(folder));
        }
        for (SweepFolder sweep : sweeps) {
            Sweeps.merge(sweep, spec.commandLine().getOut(), spec.commandLine().getErr());
        }
        return ExitCode.OK;
    }
}
