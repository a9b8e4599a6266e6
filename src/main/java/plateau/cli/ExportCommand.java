package plateau.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.train.Saved;
import plateau.results.Safetensors;

/** What runs have learnt, for other programs. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Writes what runs have learnt, for other programs: RUN.safetensors with each run's parameters by name, RUN.csv with what it logged, and RUN-curves.csv with its curves, where it has some.",
            "The runs are those of a folder that was written with --checkpoint-every; a run that is not finished is taken from its newest checkpoint."
        },
        footer = {
            "",
            "Examples:",
            "  plateau step e2e --checkpoint-every 1000",
            "  plateau export step",
            "      step/export/e2e-seed-1.safetensors and .csv; in Python: safetensors.numpy.load_file(…)"
        })
final class ExportCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "folder with the results of a command that trains")
    private Path folder;

    @Option(names = "--out", paramLabel = "DIR", description = "folder to write to (default: DIR/export)")
    private Path out;

    @Override
    public Integer call() throws IOException {
        List<Path> checkpoints = ResultFolder.checkpoints(folder);
        if (checkpoints.isEmpty()) {
            throw new CommandFailedException(folder + " holds no checkpoints to export; train with --checkpoint-every N");
        }
        ResultFolder target = ResultFolder.prepare(out == null ? folder.resolve("export") : out, true);
        for (Path checkpoint : checkpoints) {
            export(checkpoint, target);
        }
        spec.commandLine().getOut().println("wrote " + target.description());
        return Main.OK;
    }

    private static void export(Path checkpoint, ResultFolder target) throws IOException {
        Saved saved;
        try {
            saved = Saved.read(checkpoint);
        } catch (Safetensors.MalformedException e) {
            throw new CommandFailedException("%s cannot be used: %s; go on with its run by --resume, or delete it".formatted(checkpoint, e.getMessage()));
        }
        String run = checkpoint.getFileName().toString().replaceFirst("\\.safetensors$", "");
        target.safetensors(run, new Safetensors(saved.description(), saved.parameters()));
        List<String> header = new ArrayList<>(List.of("step"));
        header.addAll(saved.metrics());
        target.table(run + ".csv", header, saved.rows().stream().map(row -> cells(row.step(), row.test())).toList());
        exportCurves(saved.curves(), run, target);
    }

    private static List<Object> cells(long step, List<Double> values) {
        List<Object> cells = new ArrayList<>(List.of(step));
        values.forEach(value -> cells.add(Results.shortest(value)));
        return cells;
    }

    private static void exportCurves(SequencedMap<Long, Map<String, float[]>> curves, String run, ResultFolder target) throws IOException {
        if (curves.isEmpty()) {
            return;
        }
        List<String> names = List.copyOf(curves.firstEntry().getValue().keySet());
        List<String> header = new ArrayList<>(List.of("step", "point"));
        header.addAll(names);
        List<List<Object>> rows = new ArrayList<>();
        curves.forEach((step, values) -> {
            for (int i = 0; i < values.get(names.getFirst()).length; i++) {
                List<Object> row = new ArrayList<>(List.of(step, i));
                for (String name : names) {
                    row.add(values.get(name)[i]);
                }
                rows.add(row);
            }
        });
        target.table(run + "-curves.csv", header, rows);
    }
}
