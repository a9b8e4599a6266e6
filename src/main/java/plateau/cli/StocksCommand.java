package plateau.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import plateau.autograd.Kernels;
import plateau.experiment.Stocks;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.results.LogRow;

/** Figure 8: investing in stocks, learnt end-to-end and by decomposition. */
@Command(
        name = "stocks",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Learns which of k stocks each of d one-hot inputs speaks of, from gains alone or by being told (appendix A, figure 8): one linear layer and a softmax.",
            "Writes metrics.csv, metrics.jsonl, run.json, the losses (stocks.png, stocks.svg) and how noisy either gradient is (stocks-noise.png, stocks-noise.svg)."
        },
        footer = {
            "",
            "Examples:",
            "  plateau stocks",
            "      figure 8, into ./stocks",
            "  plateau stocks --k 100 --mode e2e --log-every 10 --out s100",
            "      one curve, in more detail"
        })
final class StocksCommand extends ExperimentCommand {
    private static final Panel.Look END_TO_END = new Panel.Look(0xD40000, false);
    private static final Panel.Look DECOMPOSED = new Panel.Look(0x0000D4, false);

    /** What {@code --mode} takes. */
    enum Modes {
        /** End-to-end. */
        E2E(Stocks.Mode.E2E),
        /** Decomposition. */
        DEC(Stocks.Mode.DEC),
        /** Both, one run after the other. */
        BOTH(Stocks.Mode.E2E, Stocks.Mode.DEC);

        private final List<Stocks.Mode> modes;

        Modes(Stocks.Mode... modes) {
            this.modes = List.of(modes);
        }

        Stream<Stocks.Mode> each() {
            return modes.stream();
        }
    }

    @Option(names = "--d", paramLabel = "D", defaultValue = "1000", description = "inputs (default, appendix A: ${DEFAULT-VALUE})")
    private int d;

    @Option(names = "--k", paramLabel = "K", split = ",", defaultValue = "10,1000,2000", description = "stocks, one run each per mode (default, figure 8: ${DEFAULT-VALUE})")
    private List<Integer> stocks;

    @Option(names = "--mode", paramLabel = "WHICH", defaultValue = "both", description = "e2e: from gains; dec: from the right stock; or both (default: ${DEFAULT-VALUE})")
    private Modes modes;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "" + Stocks.DEFAULT_STEPS, description = "training steps (default, figure 8: ${DEFAULT-VALUE})")
    private long steps;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "100", description = "samples in a step (default: ${DEFAULT-VALUE})")
    private int batch;

    @Option(names = "--lr", paramLabel = "RATE", defaultValue = "0.1", description = "Adam's learning rate (default: ${DEFAULT-VALUE})")
    private float learningRate;

    @Override
    List<Run> runs(long seed) {
        if (stocks.stream().distinct().count() < stocks.size()) {
            throw new IllegalArgumentException("--k names a number twice: " + stocks);
        }
        return stocks.stream().flatMap(k -> modes.each().map(mode -> run(k, mode, seed))).toList();
    }

    private Run run(int k, Stocks.Mode mode, long seed) {
        Map<String, Object> key = new LinkedHashMap<>();
        key.put("k", k);
        key.put("mode", Choices.typed(mode));
        return new Run(key, new Stocks(new Stocks.Options(d, k, mode, batch, learningRate, seed)));
    }

    @Override
    long steps(Run run) {
        return steps;
    }

    @Override
    Map<String, Object> facts(Kernels kernels, Run run) {
        return Map.of("start", ((Stocks) run.experiment()).start(kernels));
    }

    /** Figure 8, a panel per k; and how many times noisier the end-to-end gradient is along each run. */
    @Override
    Map<String, Figure> figures(List<Outcome> outcomes) {
        List<Outcome> whole = outcomes.stream().map(StocksCommand::withStart).toList();
        List<Panel> losses = stocks.stream().map(k -> losses(k, whole.stream().filter(outcome -> outcome.run().key().get("k").equals(k)).toList())).toList();
        Map<String, Figure> figures = new LinkedHashMap<>();
        figures.put("stocks", new Figure(Math.min(3, losses.size()), losses));
        figures.put("stocks-noise", new Figure(Curves.of("Noise of the end-to-end gradient over that of the decomposed one", whole, "noise_ratio", Panel.Axis.logarithmic("Ratio"))));
        return figures;
    }

    private static Panel losses(int k, List<Outcome> outcomes) {
        return Curves.of("k = " + k, outcomes, "loss", Panel.Axis.of("Loss", -1.02, 0.1), outcome -> Stocks.Mode.E2E == ((Stocks) outcome.run().experiment()).options().mode() ? END_TO_END : DECOMPOSED);
    }

    /** With what was measured before the first step as its first row. */
    private static Outcome withStart(Outcome outcome) {
        List<Double> start = ((Map<?, ?>) outcome.facts().get("start")).values().stream().map(Double.class::cast).toList();
        List<LogRow> rows = Stream.concat(Stream.of(new LogRow(0, start, List.of())), outcome.rows().stream()).toList();
        return new Outcome(outcome.run(), outcome.facts(), rows, outcome.snapshots(), outcome.status(), outcome.result(), outcome.failure());
    }
}
