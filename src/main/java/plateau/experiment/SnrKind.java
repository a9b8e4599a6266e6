package plateau.experiment;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Signal and noise of the gradients at the start of training on tuples: figure 4. */
public final class SnrKind implements Kind<Snr.Options> {
    static final String NAME = "snr";

    private static final String LOGARITHM = "log_ratio";
    private static final Panel.Axis VERTICAL = Panel.Axis.fitting("ln(Sig/Noi)");
    private static final Panel.Look PER_SAMPLE = new Panel.Look(0x808080, true);

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "Estimates signal and noise of the gradients at the start of training on tuples of k line images (section 3.2, figure"
                + " 4), end-to-end and decomposed: g = dp/dw for the weights w of N1's last layer, Sig = |E[h g]|^2,"
                + " Noi = E|h g - E[h g]|^2.";
    }

    @Override
    public Choices<Snr.Options> choices() {
        return Snr.CHOICES;
    }

    @Override
    public Experiment create(Snr.Options options, long seed) {
        return new Snr(options, seed);
    }

    @Override
    public long defaultSteps(Snr.Options options) {
        return options.samples() / options.batch();
    }

    @Override
    public boolean stepsFollow() {
        return true;
    }

    /** Figure 4, where there are several k; and the estimates as they come about. */
    @Override
    public SequencedMap<String, Figure> figures(List<Logged<Snr.Options>> runs) {
        List<Panel> panels = new ArrayList<>();
        SequencedMap<Integer, List<Logged<Snr.Options>>> kinds = byK(runs);
        if (kinds.size() > 1) {
            panels.add(againstK(kinds));
        }
        panels.add(againstSamples(Curves.firstSeeds(runs)));
        return new LinkedHashMap<>(Map.of(NAME, new Figure(panels.size(), panels)));
    }

    private static SequencedMap<Integer, List<Logged<Snr.Options>>> byK(List<Logged<Snr.Options>> runs) {
        return runs.stream().collect(Collectors.groupingBy(run -> run.options().k(), TreeMap::new, Collectors.toList()));
    }

    private static DoubleStream last(List<Logged<Snr.Options>> runs, Approach approach, String estimate) {
        return runs.stream().mapToDouble(run -> run.history().last(Snr.metric(approach, estimate)));
    }

    /**
     * Means over the seeds, and bands from the lowest to the highest; no estimate can fall much
     * below one over the samples.
     */
    private static Panel againstK(SequencedMap<Integer, List<Logged<Snr.Options>>> kinds) {
        List<Double> k = kinds.keySet().stream().map(Integer::doubleValue).toList();
        List<Panel.Curve> curves = new ArrayList<>();
        for (Approach approach : Approach.values()) {
            curves.add(new Panel.Curve(
                    approach.title(),
                    k,
                    each(kinds, runs -> last(runs, approach, LOGARITHM).average().orElseThrow()),
                    approach.look(),
                    each(kinds, runs -> last(runs, approach, LOGARITHM).min().orElseThrow()),
                    each(kinds, runs -> last(runs, approach, LOGARITHM).max().orElseThrow())));
        }
        List<Double> floor = each(kinds, runs -> -Math.log(runs.getFirst().options().samples()));
        curves.add(new Panel.Curve("1/samples", k, floor, PER_SAMPLE));
        return new Panel("Signal-to-noise ratio of the gradients", Panel.Axis.fitting("k"), VERTICAL, curves);
    }

    private static List<Double> each(
            SequencedMap<Integer, List<Logged<Snr.Options>>> kinds, ToDoubleFunction<List<Logged<Snr.Options>>> number) {
        return kinds.values().stream().map(number::applyAsDouble).toList();
    }

    private static Panel againstSamples(List<Logged<Snr.Options>> runs) {
        List<Panel.Curve> curves = new ArrayList<>();
        for (Logged<Snr.Options> run : runs) {
            List<Double> samples = run.history().steps().stream().map(step -> (double) step * run.options().batch()).toList();
            for (Approach approach : Approach.values()) {
                curves.add(new Panel.Curve(
                        run.history().label() + ", " + approach.title(),
                        samples,
                        List.copyOf(run.history().values(Snr.metric(approach, LOGARITHM))),
                        new Panel.Look(-1, approach == Approach.DEC)));
            }
        }
        return new Panel(
                "Estimates, as samples are added", new Panel.Axis("Tuples", 0, Double.NaN, false), VERTICAL, curves);
    }

    /**
     * A line for each k and approach: means over the networks, with what one network is apart from
     * them.
     */
    @Override
    public List<String> conclusion(List<Logged<Snr.Options>> runs) {
        List<String> lines = new ArrayList<>();
        SequencedMap<Integer, List<Logged<Snr.Options>>> kinds = byK(runs);
        if (kinds.isEmpty()) {
            return lines;
        }
        int networks = kinds.firstEntry().getValue().size();
        lines.add("%,d tuples, %d network%s each"
                .formatted(runs.getFirst().options().samples(), networks, networks == 1 ? "" : "s"));
        lines.add("%3s  %-8s  %9s  %9s  %9s  %18s  %22s"
                .formatted("k", "approach", "Sig", "Noi", "Sig/Noi", "ln(Sig/Noi)", "unbiased Sig"));
        kinds.forEach((k, those) -> {
            for (Approach approach : Approach.values()) {
                lines.add(line(k, approach, those));
            }
        });
        lines.add("ln(Sig/Noi) varies between networks as given; the unbiased estimate, without the 1/samples of the noise that Sig"
                + " holds, has its standard error");
        return lines;
    }

    private static String line(int k, Approach approach, List<Logged<Snr.Options>> runs) {
        ToDoubleFunction<String> mean = estimate -> last(runs, approach, estimate).average().orElseThrow();
        double logarithm = mean.applyAsDouble(LOGARITHM);
        double squares = last(runs, approach, LOGARITHM).map(value -> (value - logarithm) * (value - logarithm)).sum();
        double spread = Math.sqrt(squares / Math.max(1, runs.size() - 1));
        double error = Math.sqrt(last(runs, approach, "error").map(value -> value * value).sum()) / runs.size();
        return "%3d  %-8s  %9.2e  %9.2e  %9.2e  %18s  %22s"
                .formatted(
                        k,
                        approach.key(),
                        mean.applyAsDouble("sig"),
                        mean.applyAsDouble("noi"),
                        mean.applyAsDouble("ratio"),
                        runs.size() == 1 ? "%.2f".formatted(logarithm) : "%.2f +- %.2f".formatted(logarithm, spread),
                        "%.2e +- %.1e".formatted(mean.applyAsDouble("unbiased"), error));
    }
}
