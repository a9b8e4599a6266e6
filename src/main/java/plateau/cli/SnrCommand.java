package plateau.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import plateau.experiment.Snr;
import plateau.kernel.LineData;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.results.LogRow;

/** Figure 4: how much of the gradients at the start is signal. */
@Command(
        name = "snr",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Estimates signal and noise of the gradients at the start of training on tuples of k line images (section 3.2, figure 4), end-to-end and decomposed:",
            "g = dp/dw for the weights w of N1's last layer, Sig = |E[h g]|^2, Noi = E|h g - E[h g]|^2.",
            "Writes metrics.csv, metrics.jsonl, run.json, snr.png and snr.svg."
        },
        footer = {
            "",
            "Examples:",
            "  plateau snr",
            "      figure 4, into ./snr",
            "  plateau snr --k 2,3 --inits 5 --samples 2000000 --out s",
            "      five networks each, and four times the paper's samples, which show smaller signals"
        })
final class SnrCommand extends ExperimentCommand {
    private static final Panel.Look PER_SAMPLE = new Panel.Look(0x808080, true);

    /** The two ways to train, in the paper's colours. */
    private enum Approach {
        E2E(0xD40000),
        DEC(0x0000D4);

        private final int rgb;

        Approach(int rgb) {
            this.rgb = rgb;
        }

        double value(Outcome outcome, LogRow row, String metric) {
            return row.test().get(outcome.run().experiment().metrics().indexOf(Choices.typed(this) + "_" + metric));
        }

        double last(Outcome outcome, String metric) {
            return value(outcome, outcome.rows().getLast(), metric);
        }
    }

    @Option(names = "--k", paramLabel = "K", split = ",", defaultValue = "1,2,3,4", description = "images in a tuple (default: ${DEFAULT-VALUE})")
    private List<Integer> sizes;

    @Option(names = "--samples", paramLabel = "N", defaultValue = "" + Snr.DEFAULT_SAMPLES, description = "tuples, a multiple of --batch (default, section 3.2: ${DEFAULT-VALUE})")
    private long samples;

    @Option(names = "--inits", paramLabel = "N", description = "fresh networks, whose mean and spread are told: another name for --seeds")
    private Integer inits;

    @Option(names = "--raster", paramLabel = "WHICH", defaultValue = "paper", description = "how lines become pixels, as in the paper or as in the authors' program (default: ${DEFAULT-VALUE})")
    private LineData.Raster raster;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "200", description = "tuples drawn at once, a step; has no effect on what is estimated (default: ${DEFAULT-VALUE})")
    private int batch;

    @Override
    List<Run> runs(long seed) {
        Choices.requireDistinct("--k", sizes);
        List<Run> runs = sizes.stream().map(k -> new Run(Map.of("k", k), new Snr(new Snr.Options(k, raster, batch, seed)))).toList();
        if (samples < batch || samples % batch != 0) {
            throw new IllegalArgumentException("samples must be a multiple of the batch, %d, not %d".formatted(batch, samples));
        }
        return runs;
    }

    @Override
    int seeds() {
        return inits == null ? super.seeds() : inits;
    }

    @Override
    long steps(Run run) {
        return samples / batch;
    }

    @Override
    String summary(Run run, LogRow row) {
        List<String> names = run.experiment().metrics();
        return "ln(Sig/Noi) e2e %.2f, dec %.2f".formatted(row.test().get(names.indexOf("e2e_log_ratio")), row.test().get(names.indexOf("dec_log_ratio")));
    }

    /** A line for each k and approach: means over the networks, with what one network is apart from them. */
    @Override
    void conclude(List<Outcome> outcomes, PrintWriter print) {
        print.printf("%,d tuples, %d network%s each%n", samples, seeds(), seeds() == 1 ? "" : "s");
        print.printf("%3s  %-8s  %9s  %9s  %9s  %18s  %22s%n", "k", "approach", "Sig", "Noi", "Sig/Noi", "ln(Sig/Noi)", "unbiased Sig");
        for (Map.Entry<Integer, List<Outcome>> kind : byK(outcomes).entrySet()) {
            for (Approach approach : Approach.values()) {
                ToDoubleFunction<String> mean = metric -> stream(kind.getValue(), approach, metric).average().orElseThrow();
                double logarithm = mean.applyAsDouble("log_ratio");
                double spread = Math.sqrt(stream(kind.getValue(), approach, "log_ratio").map(value -> (value - logarithm) * (value - logarithm)).sum() / Math.max(1, kind.getValue().size() - 1));
                double error = Math.sqrt(stream(kind.getValue(), approach, "error").map(value -> value * value).sum()) / kind.getValue().size();
                print.printf(
                        "%3d  %-8s  %9.2e  %9.2e  %9.2e  %18s  %22s%n",
                        kind.getKey(),
                        Choices.typed(approach),
                        mean.applyAsDouble("sig"),
                        mean.applyAsDouble("noi"),
                        mean.applyAsDouble("ratio"),
                        seeds() == 1 ? "%.2f".formatted(logarithm) : "%.2f +- %.2f".formatted(logarithm, spread),
                        "%.2e +- %.1e".formatted(mean.applyAsDouble("unbiased"), error));
            }
        }
        print.println("ln(Sig/Noi) varies between networks as given; the unbiased estimate, without the 1/samples of the noise that Sig holds, has its standard error");
    }

    private static DoubleStream stream(List<Outcome> outcomes, Approach approach, String metric) {
        return outcomes.stream().mapToDouble(outcome -> approach.last(outcome, metric));
    }

    private static Map<Integer, List<Outcome>> byK(List<Outcome> outcomes) {
        return outcomes.stream().collect(Collectors.groupingBy(outcome -> (Integer) outcome.run().key().get("k"), LinkedHashMap::new, Collectors.toList()));
    }

    /** Figure 4, where there are several k; and the estimates as they come about. */
    @Override
    Map<String, Figure> figures(List<Outcome> outcomes) {
        List<Panel> panels = new ArrayList<>();
        Map<Integer, List<Outcome>> kinds = byK(outcomes);
        if (kinds.size() > 1) {
            panels.add(againstK(kinds));
        }
        panels.add(againstSamples(Curves.firstSeeds(outcomes)));
        return Map.of("snr", new Figure(panels.size(), panels));
    }

    private Panel againstK(Map<Integer, List<Outcome>> kinds) {
        List<Double> k = kinds.keySet().stream().map(Integer::doubleValue).toList();
        List<Panel.Curve> curves = new ArrayList<>();
        for (Approach approach : Approach.values()) {
            ToDoubleFunction<Outcome> logarithm = outcome -> approach.last(outcome, "log_ratio");
            curves.add(new Panel.Curve(
                    Choices.typed(approach),
                    k,
                    kinds.values().stream().map(kind -> kind.stream().mapToDouble(logarithm).average().orElseThrow()).toList(),
                    new Panel.Look(approach.rgb, false),
                    kinds.values().stream().map(kind -> kind.stream().mapToDouble(logarithm).min().orElseThrow()).toList(),
                    kinds.values().stream().map(kind -> kind.stream().mapToDouble(logarithm).max().orElseThrow()).toList()));
        }
        double floor = -Math.log(samples);
        curves.add(new Panel.Curve("1/samples", k, k.stream().map(_ -> floor).toList(), PER_SAMPLE));
        return new Panel("Signal-to-noise ratio of the gradients", Panel.Axis.fitting("k"), Panel.Axis.fitting("ln(Sig/Noi)"), curves);
    }

    private Panel againstSamples(List<Outcome> outcomes) {
        List<Panel.Curve> curves = new ArrayList<>();
        for (Outcome outcome : outcomes) {
            for (Approach approach : Approach.values()) {
                curves.add(new Panel.Curve(
                        outcome.run().label() + ", " + Choices.typed(approach),
                        outcome.rows().stream().map(row -> (double) row.step() * batch).toList(),
                        outcome.rows().stream().map(row -> approach.value(outcome, row, "log_ratio")).toList(),
                        new Panel.Look(-1, approach == Approach.DEC)));
            }
        }
        return new Panel("Estimates, as samples are added", new Panel.Axis("Tuples", 0, Double.NaN, false), Panel.Axis.fitting("ln(Sig/Noi)"), curves);
    }
}
