package plateau.report.paper;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import plateau.experiment.Pwl;
import plateau.results.History;
import plateau.study.Seeds;

/** Piecewise-linear curves (section 4, figure 5). */
final class PwlSection implements Section {
    private static final String VARIANT = "variant";
    private static final String LOSS = "loss";
    private static final int POINTS = 100;
    private static final long EARLY = 500;
    private static final double ACCURATE = 0.01;

    @Override
    public String name() {
        return "pwl";
    }

    @Override
    public String title() {
        return "Architecture and conditioning";
    }

    @Override
    public String source() {
        return "section 4, figure 5";
    }

    @Override
    public String about() {
        return "A piecewise-linear curve is to be encoded by its changes of slope, a linear map. Four architectures"
                + " can express it; their condition numbers, and so the iterations they take, are orders of magnitude"
                + " apart. The curves are drawn as the authors' program draws them.";
    }

    @Override
    public List<Task> tasks(Scope scale) {
        Seeds seeds = scale.seeds(5, 5);
        return List.of(
                draft("pwl", seeds, "linear", "conv")
                        .steps(scale.choose(10_000, 50_000))
                        .task(scale.routing()),
                draft("pwl-conditioned", seeds, "conditioned")
                        .steps(500)
                        .logEvery(10)
                        .task(scale.routing()),
                draft("pwl-autoencoder", seeds, "autoencoder")
                        .steps(scale.choose(3000, 50_000))
                        .task(scale.routing()));
    }

    private static Task.Draft draft(String folder, Seeds seeds, Object... variants) {
        return Task.of(folder, "pwl", seeds).with(VARIANT, variants).with("curves", "program");
    }

    @Override
    public List<PaperFigure> figures(SectionRuns study) {
        List<PaperFigure> drawings = new ArrayList<>();
        drawings.addAll(study.drawing(
                "pwl-learnt",
                "figure-5",
                "Figure 5",
                "Two curves (blue) and what is decoded from their learnt encodings (red), after so many iterations."));
        drawings.addAll(study.drawing(
                "pwl",
                "pwl-loss",
                "Losses",
                "Each architecture's own loss against training iterations: the linear map's is a sum over 100"
                        + " outputs, the others' are means."));
        return drawings;
    }

    @Override
    public List<Claim> claims(Scope scale, SectionRuns study) {
        List<History> linear = study.with(VARIANT, "linear");
        List<History> conv = study.with(VARIANT, "conv");
        List<History> conditioned = study.with(VARIANT, "conditioned");
        List<History> autoencoder = study.with(VARIANT, "autoencoder");
        return List.of(
                new Claim(
                        "section 4.1.1",
                        "Learning the full matrix converges very slowly (theorem 4).",
                        Evidence.above(
                                "largest error of an entry of the matrix after %,d iterations:"
                                        .formatted(SectionRuns.steps(linear)),
                                SectionRuns.each(linear, run -> run.last("distance")),
                                0.5)),
                new Claim(
                        "section 4.1.1",
                        "Significant inaccuracies stay where curves are not smooth.",
                        Evidence.above(
                                "relative error of decoded changes of slope after %,d iterations:"
                                        .formatted(SectionRuns.steps(linear)),
                                SectionRuns.each(
                                        linear, run -> error(run, run.curves().lastKey())),
                                0.5)),
                new Claim(
                        "section 4.1.2",
                        "A convolution converges faster to an accurate solution.",
                        Evidence.smaller(
                                "loss per output after %,d iterations below the linear map's"
                                        .formatted(SectionRuns.steps(conv)),
                                SectionRuns.each(conv, run -> run.tail(LOSS)),
                                SectionRuns.each(linear, run -> run.tail(LOSS) / POINTS))),
                new Claim(
                        "section 4.1.3",
                        "Conditioning speeds the convolution up by orders of magnitude.",
                        Evidence.above(
                                "log₁₀ of its gain in iterations until the loss is at most %s:".formatted(ACCURATE),
                                SectionRuns.pairs(conv, conditioned, PwlSection::speedup),
                                1)),
                new Claim(
                        "section 4.1.3",
                        "It leads to extremely accurate results, quickly.",
                        Evidence.below(
                                "log₁₀ of the loss after %,d iterations:".formatted(SectionRuns.steps(conditioned)),
                                SectionRuns.each(conditioned, run -> Math.log10(run.tail(LOSS))),
                                -4)),
                new Claim(
                        "section 4.1.4",
                        "A deeper network does not help: it misses fine details where curves are not smooth.",
                        Evidence.above(
                                ("log₁₀ of the autoencoder's error in decoded changes of slope (%,d iterations)"
                                                + " over the conditioned convolution's (%,d):")
                                        .formatted(SectionRuns.steps(autoencoder), SectionRuns.steps(conditioned)),
                                SectionRuns.pairs(
                                        autoencoder,
                                        conditioned,
                                        (one, other) -> Math.log10(error(
                                                        one, one.curves().lastKey())
                                                / error(other, other.curves().lastKey()))),
                                1)),
                new Claim(
                        "figure 5",
                        "With conditioning, curves are decoded best of all, already after 500 iterations.",
                        early(study, conditioned)));
    }

    /**
     * Of the convolution that was not conditioned; one that never gets there counts with all its
     * iterations, which is too few.
     */
    private static double speedup(History conv, History conditioned) {
        return Math.log10((double) conv.firstAtMost(LOSS, ACCURATE).orElse(conv.lastStep())
                / conditioned.firstAtMost(LOSS, ACCURATE).orElse(conditioned.lastStep()));
    }

    private static Evidence early(SectionRuns study, List<History> conditioned) {
        return Evidence.all(Stream.of(Pwl.Variant.LINEAR, Pwl.Variant.CONV, Pwl.Variant.AUTOENCODER)
                .map(variant -> Evidence.smaller(
                        "error of decoded changes of slope below the %s's"
                                .formatted(variant.title().toLowerCase(Locale.ROOT)),
                        SectionRuns.each(conditioned, run -> error(run, EARLY)),
                        SectionRuns.each(
                                study.with(VARIANT, variant.name().toLowerCase(Locale.ROOT)),
                                run -> error(run, EARLY))))
                .toList());
    }

    /**
     * The error of decoded curves' second differences, which are their changes of slope, in
     * relation to the original ones.
     */
    private static double error(History run, long step) {
        Map<String, float[]> curves = run.curves().get(step);
        double[] original = secondDifferences(curves.get("original"));
        double[] decoded = secondDifferences(curves.get("decoded"));
        double error = IntStream.range(0, original.length)
                .mapToDouble(i -> Math.pow(decoded[i] - original[i], 2))
                .sum();
        return Math.sqrt(
                error / Arrays.stream(original).map(change -> change * change).sum());
    }

    private static double[] secondDifferences(float[] curves) {
        return IntStream.range(0, curves.length)
                .filter(i -> i % POINTS >= 2)
                .mapToDouble(i -> (double) curves[i] - 2.0 * curves[i - 1] + curves[i - 2])
                .toArray();
    }
}
