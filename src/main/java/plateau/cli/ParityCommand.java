package plateau.cli;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import plateau.autograd.Kernels;
import plateau.experiment.Parity;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Figure 1: accuracy on random parities against training steps, one curve per input dimension. */
@Command(
        name = "parity",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Learns the parity of a random subset of d bits (section 2.1, figure 1): one hidden layer of 10 d ReLUs, hinge loss, plain gradient descent.",
            "Writes metrics.csv, metrics.jsonl, run.json, parity.png and parity.svg."
        },
        footer = {
            "",
            "Examples:",
            "  plateau parity",
            "      figure 1, into ./parity",
            "  plateau parity --d 8 --subset-size 4 --steps 5000 --out p8",
            "      a problem that is learnt in about 2,000 steps"
        })
final class ParityCommand extends ExperimentCommand {
    @Option(names = "--d", paramLabel = "D", split = ",", defaultValue = "5,10,15,20,25,30", description = "input dimensions, one run each (default: ${DEFAULT-VALUE}; the paper's figure has 5, 10 and 30)")
    private List<Integer> dimensions;

    @Option(names = "--subset-size", paramLabel = "K", description = "coordinates the label depends on (default: each with probability 1/2)")
    private Integer subsetSize;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "" + Parity.DEFAULT_STEPS, description = "training steps (default, section 2.1: ${DEFAULT-VALUE})")
    private long steps;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "128", description = "samples in a step (default: ${DEFAULT-VALUE})")
    private int batch;

    @Option(names = "--lr", paramLabel = "RATE", defaultValue = "0.01", description = "learning rate (default: ${DEFAULT-VALUE})")
    private float learningRate;

    @Override
    List<Run> runs(long seed) {
        if (dimensions.stream().distinct().count() < dimensions.size()) {
            throw new IllegalArgumentException("--d names a dimension twice: " + dimensions);
        }
        return dimensions.stream().map(d -> run(d, seed)).toList();
    }

    private Run run(int d, long seed) {
        OptionalInt size = subsetSize == null ? OptionalInt.empty() : OptionalInt.of(subsetSize);
        return new Run(Map.of("d", d), new Parity(new Parity.Options(d, size, batch, learningRate, seed)));
    }

    @Override
    long steps(Run run) {
        return steps;
    }

    @Override
    Map<String, Object> facts(Kernels kernels, Run run) {
        return Map.of("subset", ((Parity) run.experiment()).subset(kernels));
    }

    @Override
    Map<String, Figure> figures(List<Outcome> outcomes) {
        return Map.of("parity", new Figure(Curves.of("Learning random parities", outcomes, "accuracy", Panel.Axis.of("Accuracy", 0.4, 1.02))));
    }
}
