package plateau.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.experiment.Parity;
import plateau.report.AtomicFiles;
import plateau.report.LineFigure;
import plateau.train.LogRow;
import plateau.train.RunListener;
import plateau.train.RunResult;
import plateau.train.Trainer;

/** Figure 1: accuracy on random parities against training steps, one curve per input dimension. */
@Command(
        name = "parity",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Learns the parity of a random subset of d bits (section 2.1, figure 1): one hidden layer of 10 d ReLUs, hinge loss, plain gradient descent.",
            "Writes metrics.csv, run.json, parity.png and parity.svg."
        },
        footer = {
            "",
            "Examples:",
            "  plateau parity                                figure 1, into ./parity",
            "  plateau parity --d 8 --subset-size 4 --steps 5000 --out /tmp/p8"
        })
final class ParityCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private DeviceMixin device;

    @Option(names = "--d", paramLabel = "D", split = ",", defaultValue = "5,10,15,20,25,30", description = "input dimensions, one run each (default: ${DEFAULT-VALUE}; the paper's figure has 5, 10 and 30)")
    private List<Integer> dimensions;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "50000", description = "training steps (default, section 2.1: ${DEFAULT-VALUE})")
    private long steps;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "128", description = "samples in a step (default: ${DEFAULT-VALUE})")
    private int batch;

    @Option(names = "--lr", paramLabel = "RATE", defaultValue = "0.01", description = "learning rate (default: ${DEFAULT-VALUE})")
    private float learningRate;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "decides subset, first weights and data (default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(names = "--subset-size", paramLabel = "K", description = "coordinates the label depends on (default: each with probability 1/2)")
    private Integer subsetSize;

    @Option(names = "--log-every", paramLabel = "N", defaultValue = "100", description = "steps between evaluations on 500 fresh samples (default: ${DEFAULT-VALUE})")
    private long logEvery;

    @Option(names = "--unroll", paramLabel = "N", defaultValue = "" + Trainer.Options.DEFAULT_UNROLL, description = "steps in one CUDA graph (default: ${DEFAULT-VALUE})")
    private int unroll;

    @Option(names = "--no-graph", description = "launch every kernel from Java instead of replaying a graph; gives the same bits")
    private boolean noGraph;

    @Option(names = "--out", paramLabel = "DIR", defaultValue = "parity", description = "folder for the results (default: ${DEFAULT-VALUE})")
    private Path out;

    @Override
    public Integer call() throws IOException {
        List<Parity.Options> runs = new ArrayList<>();
        for (int d : dimensions) {
            runs.add(new Parity.Options(d, subsetSize == null ? OptionalInt.empty() : OptionalInt.of(subsetSize), batch, learningRate, seed));
        }
        Trainer.Options schedule = new Trainer.Options(steps, logEvery, unroll, !noGraph);
        Path folder = OutputFolder.prepare(out);
        PrintWriter print = spec.commandLine().getOut();
        List<RunResult> results = new ArrayList<>();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            Kernels kernels = Kernels.load(opened, device.gemm());
            for (Parity.Options options : runs) {
                RunResult result = train(opened, kernels, options, schedule, print);
                results.add(result);
                print.printf("d = %d: accuracy %.3f after %,d steps, %,.0f steps/s%n", options.d(), result.last().test().get(1), steps, result.stepsPerSecond());
            }
        }
        write(folder, results, runs);
        print.println("wrote metrics.csv, run.json, parity.png and parity.svg to " + folder);
        return Main.OK;
    }

    private static RunResult train(Device device, Kernels kernels, Parity.Options options, Trainer.Options schedule, PrintWriter print) {
        try (Progress progress = new Progress(print, "parity d = " + options.d(), schedule.steps())) {
            return Trainer.run(device, kernels, new Parity(options), schedule, new RunListener() {
                @Override
                public void onLog(LogRow row) {
                    progress.at(row.step(), "loss %.3f, accuracy %.3f".formatted(row.test().get(0), row.test().get(1)));
                }
            });
        }
    }

    private void write(Path folder, List<RunResult> results, List<Parity.Options> runs) throws IOException {
        AtomicFiles.write(folder.resolve("metrics.csv"), file -> {
            try (Writer writer = Files.newBufferedWriter(file);
                    CSVPrinter csv = new CSVPrinter(writer, CSVFormat.RFC4180.builder().setHeader("d", "seed", "step", "loss", "accuracy").get())) {
                for (int i = 0; i < results.size(); i++) {
                    for (LogRow row : results.get(i).history()) {
                        csv.printRecord(runs.get(i).d(), seed, row.step(), row.test().get(0), row.test().get(1));
                    }
                }
            }
        });
        LineFigure figure = figure(results, runs);
        AtomicFiles.write(folder.resolve("parity.png"), figure::writePng);
        AtomicFiles.write(folder.resolve("parity.svg"), figure::writeSvg);
        ObjectMapper json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        AtomicFiles.write(folder.resolve("run.json"), file -> json.writeValue(file.toFile(), describe(json, results, runs)));
    }

    private static LineFigure figure(List<RunResult> results, List<Parity.Options> runs) {
        List<LineFigure.Curve> curves = new ArrayList<>();
        for (int i = 0; i < results.size(); i++) {
            List<LogRow> rows = results.get(i).history();
            curves.add(new LineFigure.Curve("d = " + runs.get(i).d() + " ".repeat(duplicates(runs, i)), rows.stream().map(row -> (double) row.step()).toList(), rows.stream().map(row -> row.test().get(1)).toList()));
        }
        return new LineFigure("Parity", "Training iterations", "Accuracy", 0.4, 1.02, curves);
    }

    /** Curves of one chart need distinct names. */
    private static int duplicates(List<Parity.Options> runs, int index) {
        return (int) runs.subList(0, index).stream().filter(run -> run.d() == runs.get(index).d()).count();
    }

    private ObjectNode describe(ObjectMapper json, List<RunResult> results, List<Parity.Options> runs) {
        ObjectNode run = json.createObjectNode();
        run.put("experiment", "parity");
        run.put("status", "finished");
        ObjectNode arguments = run.putObject("arguments");
        arguments.putPOJO("d", dimensions).put("steps", steps).put("batch", batch).put("lr", learningRate).put("seed", seed).putPOJO("subset_size", subsetSize);
        arguments.put("log_every", logEvery).put("unroll", unroll).put("graph", !noGraph).put("gemm", device.gemm().name().toLowerCase());
        run.put("device", results.getFirst().device());
        run.putPOJO("versions", results.getFirst().versions());
        ArrayNode list = run.putArray("runs");
        for (int i = 0; i < results.size(); i++) {
            RunResult result = results.get(i);
            list.addObject()
                    .put("d", runs.get(i).d())
                    .put("seed", result.seed())
                    .put("steps_per_second", result.stepsPerSecond())
                    .put("steps_per_second_with_evaluation", result.stepsPerSecondWithEvaluation())
                    .put("seconds", result.seconds())
                    .put("setup_seconds", result.setupSeconds())
                    .put("final_loss", result.last().test().get(0))
                    .put("final_accuracy", result.last().test().get(1));
        }
        return run;
    }
}
