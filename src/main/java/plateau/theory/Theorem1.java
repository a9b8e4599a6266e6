package plateau.theory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import plateau.autograd.Kernels;
import plateau.autograd.Tensor;
import plateau.cuda.DeviceBuffer;
import plateau.experiment.Parity;
import plateau.experiment.Plan;
import plateau.experiment.RandomStreams;
import plateau.experiment.RunContext;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.kernel.ParityData;
import plateau.kernel.Statistics;
import plateau.kernel.WalshHadamard;
import plateau.kernel.WalshHadamard.Network;
import plateau.kernel.WalshHadamard.Part;
import plateau.results.Numbers;
import plateau.results.Table;
import plateau.results.Verdict;

/**
 * Theorem 1: the gradient's variance over an orthonormal family H is at most G(w)²/|H|. Exact, over
 * all 2^d inputs and all 2^d parities, by a Walsh-Hadamard transform of the network's gradient.
 */
final class Theorem1 implements Statement {
    private static final String SOURCE = "theorem 1";

    /** Float32 sums stand on the measured side: equality may be missed by so much. */
    private static final double ROUNDING = 1e-3;

    /** Parities whose gradients are compared with each other. */
    private static final int SAMPLED = 64;

    /** First weights for each d. */
    private static final int NETWORKS = 3;

    /** Where the inputs are sampled: once where all of them are known too, then beyond. */
    private static final int[] BEYOND = {20, 30, 50, 100};

    /** Inputs in a sample; the error of their mean is that of the means of its parts. */
    private static final int INPUTS = 4096;

    private static final int PARTS = 32;

    /** A sample's mean lies within so many standard errors but for one in 10,000. */
    private static final double FAR = 4;

    private static final double SAME = 0.9;
    private static final double DIFFERENT = 0.5;

    /** A loss, as the two parts of its gradient. */
    private enum Loss {
        SQUARED("squared", Part.SQUARED_SIGNAL, Part.SQUARED_FIXED),
        HINGE("hinge", Part.HINGE_SIGNAL, Part.HINGE_FIXED);

        private final String text;
        private final Part signal;
        private final Part fixed;

        Loss(String text, Part signal, Part fixed) {
            this.text = text;
            this.signal = signal;
            this.fixed = fixed;
        }
    }

    /**
     * One point w.
     *
     * @param steps of training before it
     * @param bound G(w)²/2^d
     * @param variance over all parities
     * @param fixed ‖E[fixed ∂p/∂w]‖, the length of the part that all parities share
     * @param cosine the median, over pairs of parities, of the cosine between their gradients
     * @param families {@link #familyRatios}
     */
    private record Point(
            int d,
            Loss loss,
            long steps,
            double accuracy,
            double bound,
            double variance,
            double fixed,
            double cosine,
            List<Family> families) {

        double ratio() {
            return variance / bound;
        }
    }

    /**
     * One point w of a larger d, from a sample of the inputs: over all parities the mean of ‖E[h
     * signal ∂p/∂w]‖² is E‖signal ∂p/∂w‖²/2^d (Parseval), which has no need of the parities. The
     * variance is less than that by a part in 2^d.
     *
     * @param gSquared E‖∂p/∂w‖² as sampled
     * @param ratio of the variance to G²/2^d
     * @param error its standard error
     */
    private record Sample(int d, Loss loss, double gSquared, double ratio, double error) {

        /** log₂(Var/G²). */
        double exponent() {
            return Math.log(ratio) / Math.log(2) - d;
        }
    }

    /** A smaller family: its size, and its variance over G(w)²/|H|. */
    private record Family(String name, int size, double ratio) {}

    @Override
    public String name() {
        return "theorem-1";
    }

    @Override
    public String title() {
        return "Parities: what a gradient says about its target";
    }

    @Override
    public String source() {
        return "theorem 1, section 2.2";
    }

    @Override
    public String about() {
        return "If the targets h of a family H are orthonormal, the gradients ∇F_h(w) differ from one another by no"
                + " more than G(w)²/|H| on average, where G(w)² = E‖∂p/∂w‖², whatever the network. Here it is the"
                + " network of section 2.1 (10 d hidden units), H all 2^d parities, and nothing is sampled: the"
                + " network's gradient is computed at each of the 2^d inputs, and one Walsh-Hadamard transform turns"
                + " it into the gradients for all 2^d parities at once.";
    }

    @Override
    public Finding measure(Kernels kernels, Scale scale) {
        int most = scale.choose(12, 16);
        List<Point> initial = new ArrayList<>();
        for (int d = 2; d <= most; d++) {
            for (int network = 0; network < NETWORKS; network++) {
                initial.addAll(along(kernels, scale.seed() + network, d, 0));
            }
        }
        List<Point> trained = along(kernels, scale.seed(), 8, 300, 1000, 3000, scale.choose(10_000, 30_000));
        List<Sample> known = new ArrayList<>();
        List<Sample> beyond = new ArrayList<>();
        for (int network = 0; network < NETWORKS; network++) {
            known.addAll(sampled(kernels, scale.seed() + network, most));
            for (int d : BEYOND) {
                beyond.addAll(sampled(kernels, scale.seed() + network, d));
            }
        }
        List<Check> checks = new ArrayList<>();
        checks.add(bounded("Var(H, F, w) ≤ G(w)²/|H| for all parities, at the first weights", initial));
        checks.add(bounded("and along training (d = 8, hinge loss)", trained));
        checks.add(families(initial));
        checks.add(agree(initial.stream().filter(point -> point.d == most).toList(), known));
        checks.add(bounded(beyond));
        for (Loss loss : Loss.values()) {
            checks.add(decay(
                    of(initial, loss),
                    beyond.stream().filter(sample -> sample.loss == loss).toList(),
                    loss));
        }
        for (Loss loss : Loss.values()) {
            checks.add(angle(
                    of(initial, loss).stream().filter(point -> point.d == most).toList()));
        }
        Table.Builder table = new Table.Builder(
                "d",
                "loss",
                "steps",
                "accuracy",
                "g_squared_over_h",
                "variance",
                "ratio",
                "ratio_error",
                "shared_length",
                "cosine");
        for (List<Point> points : List.of(initial, trained)) {
            points.forEach(point -> table.add(
                    point.d,
                    point.loss.text,
                    point.steps,
                    point.accuracy,
                    point.bound,
                    point.variance,
                    point.ratio(),
                    0.0,
                    point.fixed,
                    point.cosine));
        }
        for (List<Sample> samples : List.of(known, beyond)) {
            samples.forEach(sample -> {
                double bound = Math.scalb(sample.gSquared, -sample.d);
                table.add(
                        sample.d,
                        sample.loss.text,
                        0,
                        null,
                        bound,
                        sample.ratio * bound,
                        sample.ratio,
                        sample.error,
                        null,
                        null);
            });
        }
        return new Finding(checks, table.table(), List.of(drawing(initial, trained)), notes(initial));
    }

    private static List<Point> of(List<Point> points, Loss loss) {
        return points.stream().filter(point -> point.loss == loss).toList();
    }

    private static Check bounded(String sentence, List<Point> points) {
        Point worst = points.stream()
                .max((a, b) -> Double.compare(a.ratio(), b.ratio()))
                .orElseThrow();
        return new Check(
                SOURCE,
                sentence,
                "ratio at most 1",
                "largest ratio %.5f (d = %d, %s loss, %,d steps), of %d points"
                        .formatted(worst.ratio(), worst.d, worst.loss.text, worst.steps, points.size()),
                "holds if no ratio exceeds 1 by more than rounding, " + ROUNDING,
                worst.ratio() <= 1 + ROUNDING ? Verdict.HOLDS : Verdict.DOES_NOT_HOLD);
    }

    private static Check agree(List<Point> points, List<Sample> samples) {
        double worst = IntStream.range(0, points.size())
                .mapToDouble(i -> Math.abs(points.get(i).ratio() - samples.get(i).ratio)
                        / Math.max(samples.get(i).error, ROUNDING))
                .max()
                .orElseThrow();
        return new Check(
                SOURCE,
                "A sample of the inputs gives the same as all of them",
                "the exact ratio, within the sample's error",
                "furthest off by %s standard errors, of %d ratios at d = %d from %,d inputs each"
                        .formatted(Numbers.rounded(worst), points.size(), points.getFirst().d, INPUTS),
                "holds if none is off by more than %s standard errors, or rounding".formatted(Numbers.rounded(FAR)),
                worst <= FAR ? Verdict.HOLDS : Verdict.DOES_NOT_HOLD);
    }

    private static Check bounded(List<Sample> samples) {
        String each = String.join(
                ", ",
                Arrays.stream(BEYOND)
                        .mapToObj(d -> "d = %d: %s"
                                .formatted(
                                        d,
                                        Arrays.stream(Loss.values())
                                                .map(loss -> "%s %s"
                                                        .formatted(
                                                                loss.text,
                                                                Numbers.rounded(samples.stream()
                                                                        .filter(sample ->
                                                                                sample.d == d && sample.loss == loss)
                                                                        .mapToDouble(Sample::ratio)
                                                                        .average()
                                                                        .orElseThrow())))
                                                .collect(Collectors.joining(" and "))))
                        .toList());
        boolean holds = samples.stream().allMatch(sample -> sample.ratio <= 1 + ROUNDING + Fit.SPREAD * sample.error);
        return new Check(
                SOURCE,
                "Var(H, F, w) ≤ G(w)²/|H| for all parities of more bits, from samples of the inputs",
                "ratio at most 1",
                "ratio, a mean over %d networks: %s".formatted(NETWORKS, each),
                "holds if no ratio exceeds 1 by more than %s standard errors and rounding, %s"
                        .formatted(Numbers.rounded(Fit.SPREAD), ROUNDING),
                holds ? Verdict.HOLDS : Verdict.DOES_NOT_HOLD);
    }

    private static Check families(List<Point> points) {
        Point last = of(points, Loss.SQUARED).getLast();
        double worst = points.stream()
                .flatMap(point -> point.families.stream())
                .mapToDouble(Family::ratio)
                .max()
                .orElseThrow();
        String each = String.join(
                ", ",
                last.families.stream()
                        .map(family -> "%s (%d): %s".formatted(family.name, family.size, Numbers.rounded(family.ratio)))
                        .toList());
        return new Check(
                SOURCE,
                "The same for smaller families: whatever is orthonormal",
                "ratio at most 1",
                "largest ratio %s; at d = %d, squared loss: %s".formatted(Numbers.rounded(worst), last.d, each),
                "holds if no ratio exceeds 1 by more than rounding, " + ROUNDING,
                worst <= 1 + ROUNDING ? Verdict.HOLDS : Verdict.DOES_NOT_HOLD);
    }

    private static Check decay(List<Point> points, List<Sample> samples, Loss loss) {
        List<Point> large = points.stream().filter(point -> point.d >= 4).toList();
        Fit fit = exponent(
                large.stream().mapToDouble(Point::d),
                large.stream()
                        .mapToDouble(point -> Math.log(point.variance / (point.bound * (1 << point.d))) / Math.log(2)));
        Fit beyond = exponent(
                samples.stream().mapToDouble(Sample::d), samples.stream().mapToDouble(Sample::exponent));
        return new Check(
                "section 2.2",
                "For parities the variance is exponentially small in d (%s loss)".formatted(loss.text),
                "Var/G² ≤ 2^(−d): an exponent of −1 per dimension",
                "log₂(Var/G²) falls by %s per dimension, exactly, d = 4 … %d; by %s, sampled, d = %d … %d"
                        .formatted(fit, large.getLast().d, beyond, BEYOND[0], BEYOND[BEYOND.length - 1]),
                "holds if both, ± 2 standard errors, are above 0.9",
                fit.atLeast(0.9) == Verdict.HOLDS ? beyond.atLeast(0.9) : fit.atLeast(0.9));
    }

    /** How fast log₂ falls with d. */
    private static Fit exponent(DoubleStream d, DoubleStream logarithms) {
        return Fit.line(d.toArray(), logarithms.map(value -> -value).toArray());
    }

    private static double mean(List<Point> points, ToDoubleFunction<Point> number) {
        return points.stream().mapToDouble(number).average().orElseThrow();
    }

    private static Check angle(List<Point> points) {
        double cosine = mean(points, Point::cosine);
        return new Check(
                "section 2.2",
                "With high probability the gradient is essentially the same whatever the target (%s loss)"
                        .formatted(points.getFirst().loss.text),
                "gradients of two parities point the same way: cosine near 1",
                "median cosine %s over pairs of %d parities, a mean over %d networks, d = %d; the shared part is %s"
                                .formatted(
                                        Numbers.rounded(cosine),
                                        SAMPLED,
                                        points.size(),
                                        points.getFirst().d,
                                        Numbers.rounded(mean(points, Point::fixed)))
                        + " long, the rest %s"
                                .formatted(Numbers.rounded(mean(points, point -> Math.sqrt(point.variance)))),
                "holds from a cosine of %s on, does not hold up to %s".formatted(SAME, DIFFERENT),
                cosine >= SAME ? Verdict.HOLDS : cosine <= DIFFERENT ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED);
    }

    private static List<String> notes(List<Point> points) {
        Point hinge = of(points, Loss.HINGE).getLast();
        Point squared = of(points, Loss.SQUARED).getLast();
        Family random = squared.families.getLast();
        return List.of(
                ("For the squared loss the bound is an equality but for one input: by Parseval, the mean over all"
                    + " parities of ‖E[h ∂p/∂w]‖² is G²/2^d exactly, and Var is less by ‖∂p/∂w‖² at x = (1, …, 1) over"
                    + " 4^d. The measured ratio at d = %d is %.5f.")
                        .formatted(squared.d, squared.ratio()),
                "Appendix B.1 loses a factor in the case of a classification loss: the derivative of r(h p) is r′(h p)"
                        + " · h · ∂p/∂w, and the paper has no h. Put right, the two parts change places: the part that"
                        + " depends on h is (r′(p) + r′(−p))/2 · ∂p/∂w, and the bound stays as it is. As printed, the"
                        + " hinge loss would carry no information about h wherever |p| < 1.",
                ("The mean over all parities is carried by those of few bits. A random parity, of about d/2 bits, has"
                                + " its share of G²/2^d only: %s of it, over %d of them at d = %d (squared loss).")
                        .formatted(
                                Numbers.rounded(random.ratio * (1 << squared.d) / random.size), random.size, squared.d),
                ("For the hinge loss, where |p| < 1 there is no part of the gradient that all parities share: all of"
                    + " it depends on h, and \"essentially the same\" means that all are short. What they share comes"
                    + " of inputs with |p| > 1; at d = %d it is %s long, beside %s for the rest.")
                        .formatted(hinge.d, Numbers.rounded(hinge.fixed), Numbers.rounded(Math.sqrt(hinge.variance))),
                "Section 2.2 writes the expectation of (−1)^(x(v + v′)) as ((−1)^(v + v′) + (−1)^(−(v + v′)))/2,"
                        + " which is never 0. With x in {0, 1} it is (1 + (−1)^(v + v′))/2, from which orthogonality"
                        + " follows.",
                "Hinge and ReLU have no derivative at one point each; there it is taken to be 0.",
                ("Beyond d = %d the gradient for one parity cannot be had from samples: n inputs estimate ‖E[h ∂p/∂w]‖²"
                                + " with an error of about G²/n, which hides G²/2^d until n is about 2^d. Its mean over"
                                + " all parities can: by Parseval it is E‖signal · ∂p/∂w‖²/2^d. The angle between"
                                + " gradients is therefore exact, and ends there.")
                        .formatted(squared.d));
    }

    private static Drawing drawing(List<Point> initial, List<Point> trained) {
        List<Panel.Curve> curves = new ArrayList<>();
        List<Panel.Curve> cosines = new ArrayList<>();
        for (Loss loss : Loss.values()) {
            List<Point> points = of(initial, loss);
            curves.add(curve("variance, " + loss.text, points, Point::variance, Panel.Look.PLAIN));
            cosines.add(curve("cosine, " + loss.text, points, Point::cosine, Panel.Look.PLAIN));
        }
        curves.add(curve("G²/2^d", of(initial, Loss.SQUARED), Point::bound, new Panel.Look(0, true)));
        List<Point> hinge = of(trained, Loss.HINGE);
        List<Double> steps = hinge.stream().map(point -> (double) point.steps).toList();
        return new Drawing(
                "theorem-1",
                "Theorem 1",
                "Left: variance of the gradient over all parities and its bound, at the first weights, means over"
                        + " networks. Middle: median cosine between gradients of two parities. Right: variance over its"
                        + " bound, and accuracy, while one parity of 8 bits is learnt.",
                new Figure(
                        3,
                        List.of(
                                new Panel(
                                        "Variance over parities",
                                        Panel.Axis.fitting("d"),
                                        Panel.Axis.logarithmic("Var(H, F, w)"),
                                        curves),
                                new Panel(
                                        "Angle between gradients",
                                        Panel.Axis.fitting("d"),
                                        Panel.Axis.of("cosine", -0.05, 1.05),
                                        cosines),
                                new Panel(
                                        "Along training, d = 8",
                                        Panel.Axis.steps(),
                                        Panel.Axis.of("", -0.05, 1.05),
                                        List.of(
                                                new Panel.Curve(
                                                        "Var over G²/2^d",
                                                        steps,
                                                        hinge.stream()
                                                                .map(Point::ratio)
                                                                .toList()),
                                                new Panel.Curve(
                                                        "accuracy",
                                                        steps,
                                                        hinge.stream()
                                                                .map(point -> point.accuracy)
                                                                .toList()))))));
    }

    /** A number against d, a mean over networks. */
    private static Panel.Curve curve(String name, List<Point> points, ToDoubleFunction<Point> number, Panel.Look look) {
        List<Integer> dimensions = points.stream().map(Point::d).distinct().toList();
        return new Panel.Curve(
                name,
                dimensions.stream().map(d -> (double) d).toList(),
                dimensions.stream()
                        .map(d -> mean(
                                points.stream().filter(point -> point.d == d).toList(), number))
                        .toList(),
                look);
    }

    /**
     * The points before each of the numbers of steps have been trained, and, last, after all of
     * them: both losses at 0 steps where that is all that is asked for.
     */
    private static List<Point> along(Kernels kernels, long seed, int d, int... until) {
        List<Point> points = new ArrayList<>();
        try (Computation computation = new Computation(kernels)) {
            DeviceBuffer step = computation.upload(0);
            Plan plan = new Parity(Parity.Options.of(d), seed)
                    .plan(new RunContext(kernels, computation.workspace(), seed, step, 1));
            computation.run(plan.initialise());
            Network network = network(d, plan);
            int done = 0;
            for (int target : until) {
                for (; done < target; done++) {
                    computation.enqueue(plan.step(), kernels.counter().advance(step));
                }
                computation.run(plan.evaluation());
                double accuracy = plan.test().read(done, 1)[0][1];
                for (Loss loss : until.length == 1 ? Loss.values() : new Loss[] {Loss.HINGE}) {
                    points.add(point(kernels, network, loss, done, accuracy, seed));
                }
            }
        }
        return points;
    }

    /** At the first weights, for both losses. */
    private static List<Sample> sampled(Kernels kernels, long seed, int d) {
        WalshHadamard walsh = kernels.get(WalshHadamard.class, WalshHadamard::new);
        Statistics statistics = kernels.get(Statistics.class, Statistics::new);
        ParityData data = kernels.get(ParityData.class, ParityData::new);
        try (Computation computation = new Computation(kernels)) {
            DeviceBuffer step = computation.upload(0);
            Plan plan = new Parity(Parity.Options.of(d), seed)
                    .plan(new RunContext(kernels, computation.workspace(), seed, step, 1));
            computation.run(plan.initialise());
            Network network = network(d, plan);
            DeviceBuffer x = computation.words((long) INPUTS * d);
            DeviceBuffer labels = computation.words(INPUTS);
            DeviceBuffer key = computation.upload(seed);
            DeviceBuffer subset = computation.words(ParityData.subsetWords(d));
            DeviceBuffer energies = computation.doubles(INPUTS);
            DeviceBuffer sums = computation.doubles(PARTS);
            computation.run(
                    data.subset(d, 0, key, RandomStreams.EVALUATION, subset),
                    data.batch(INPUTS, d, key, RandomStreams.EVALUATION, step, subset, x, labels));
            double[] plain = means(computation, walsh, statistics, network, Part.SQUARED_SIGNAL, x, energies, sums);
            double gSquared = Arrays.stream(plain).average().orElseThrow();
            List<Sample> samples = new ArrayList<>();
            for (Loss loss : Loss.values()) {
                double[] signal = means(computation, walsh, statistics, network, loss.signal, x, energies, sums);
                double ratio = Arrays.stream(signal).average().orElseThrow() / gSquared;
                double spread = IntStream.range(0, PARTS)
                        .mapToDouble(i -> Math.pow((signal[i] - ratio * plain[i]) / gSquared, 2))
                        .sum();
                samples.add(new Sample(d, loss, gSquared, ratio, Math.sqrt(spread / (PARTS - 1.0) / PARTS)));
            }
            return samples;
        }
    }

    /** The mean of ‖factor ∂p/∂w‖² over each of the parts of a sample. */
    private static double[] means(
            Computation computation,
            WalshHadamard walsh,
            Statistics statistics,
            Network network,
            Part part,
            DeviceBuffer x,
            DeviceBuffer energies,
            DeviceBuffer sums) {
        computation.run(
                walsh.inputEnergies(INPUTS, network, part, x, energies),
                statistics.rowSums(PARTS, INPUTS / PARTS, energies, sums));
        return Arrays.stream(sums.toDoubles())
                .map(sum -> sum / (INPUTS / PARTS))
                .toArray();
    }

    private static Network network(int d, Plan plan) {
        List<Tensor> weights = plan.parameters().tensors();
        return new Network(
                d,
                weights.get(1).shape().elements(),
                weights.get(0).values(),
                weights.get(1).values(),
                weights.get(2).values(),
                weights.get(3).values());
    }

    private static Point point(Kernels kernels, Network network, Loss loss, long steps, double accuracy, long seed) {
        WalshHadamard walsh = kernels.get(WalshHadamard.class, WalshHadamard::new);
        Statistics statistics = kernels.get(Statistics.class, Statistics::new);
        int n = network.inputs();
        int rows = network.terms();
        try (Computation computation = new Computation(kernels)) {
            DeviceBuffer terms = computation.words((long) rows * n);
            DeviceBuffer units = computation.doubles(n);
            DeviceBuffer others = computation.doubles(n);
            DeviceBuffer sums = computation.doubles(2);
            DeviceBuffer signals = computation.doubles(n);

            // G²: over the inputs, of the plain gradient, whose factor is −1.
            computation.run(
                    walsh.terms(network, Part.SQUARED_SIGNAL, terms),
                    walsh.energies(network, 1, terms, units, others),
                    statistics.rowSums(1, n, units, sums.slice(0, Double.BYTES)),
                    statistics.rowSums(1, n, others, sums.slice(Double.BYTES, Double.BYTES)));
            double[] energy = sums.toDoubles();
            double gSquared = ((1.0 + network.d()) * energy[0] + energy[1]) / n;

            // Over the parities: E‖c_h‖², and ‖E c_h‖² from the sums of the transforms.
            DeviceBuffer moments = computation.doubles(2L * rows);
            computation.run(
                    walsh.terms(network, loss.signal, terms),
                    walsh.transform(rows, n, terms),
                    walsh.energies(network, 1.0 / n, terms, units, others),
                    walsh.signals(network.d(), units, others, signals),
                    statistics.rowSums(1, n, signals, sums.slice(0, Double.BYTES)),
                    statistics.rowMoments(rows, n, terms, moments));
            double mean = sums.toDoubles()[0] / n;
            double[] each = moments.toDoubles();
            double common = 0;
            for (int row = 0; row < rows; row++) {
                double value = each[2 * row] / n / n;
                common += (row < network.hidden() ? 1.0 + network.d() : 1.0) * value * value;
            }

            // Gradients of some parities: singles, pairs, random ones; then what they all share.
            int[] parities = parities(network.d(), seed);
            DeviceBuffer gradients = computation.words((parities.length + 1L) * network.parameters());
            DeviceBuffer shared = computation.words(network.parameters());
            computation.run(
                    walsh.gradients(network, parities.length, terms, computation.upload(parities), gradients),
                    walsh.terms(network, loss.fixed, terms),
                    walsh.transform(rows, n, terms),
                    walsh.gradients(network, 1, terms, computation.upload(0), shared));
            DeviceBuffer last = gradients.slice(
                    (long) parities.length * network.parameters() * Float.BYTES,
                    (long) network.parameters() * Float.BYTES);
            int count = parities.length + 1;
            DeviceBuffer gram = computation.doubles((long) count * count);
            computation.run(last.copyFrom(shared), statistics.gram(count, network.parameters(), gradients, gram));
            double[] products = gram.toDoubles();
            return new Point(
                    network.d(),
                    loss,
                    steps,
                    accuracy,
                    gSquared / n,
                    mean - common,
                    Math.sqrt(products[count * count - 1]),
                    cosine(products, count, network.d()),
                    familyRatios(products, count, network.d(), gSquared));
        }
    }

    /** The singles, all pairs, then {@link #SAMPLED} random ones. */
    private static int[] parities(int d, long seed) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed + d);
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < d; i++) {
            all.add(1 << i);
        }
        for (int i = 0; i < d; i++) {
            for (int j = i + 1; j < d; j++) {
                all.add(1 << i | 1 << j);
            }
        }
        all.addAll(random.ints(0, 1 << d)
                .distinct()
                .limit(Math.min(SAMPLED, 1 << d))
                .boxed()
                .toList());
        return all.stream().mapToInt(each -> each).toArray();
    }

    /** Of products of gradients without their shared part, which is the last. */
    private static List<Family> familyRatios(double[] products, int count, int d, double gSquared) {
        int singles = d;
        int upToPairs = d + d * (d - 1) / 2;
        return List.of(
                family("single bits", products, count, 0, singles, gSquared),
                family("one or two bits", products, count, 0, upToPairs, gSquared),
                family("random parities", products, count, upToPairs, count - 1, gSquared));
    }

    private static Family family(String name, double[] products, int count, int from, int to, double gSquared) {
        int size = to - from;
        double square = 0;
        double sum = 0;
        for (int i = from; i < to; i++) {
            square += products[i * count + i];
            for (int j = from; j < to; j++) {
                sum += products[i * count + j];
            }
        }
        double variance = square / size - sum / size / size;
        return new Family(name, size, variance / (gSquared / size));
    }

    /** The median over pairs of the random parities, with the shared part. */
    private static double cosine(double[] products, int count, int d) {
        int from = d + d * (d - 1) / 2;
        int shared = count - 1;
        double[] cosines = IntStream.range(from, shared)
                .boxed()
                .flatMapToDouble(i -> IntStream.range(i + 1, shared).mapToDouble(j -> {
                    double common = products[shared * count + shared];
                    double ij = common
                            + products[i * count + j]
                            + products[i * count + shared]
                            + products[j * count + shared];
                    double ii = common + products[i * count + i] + 2 * products[i * count + shared];
                    double jj = common + products[j * count + j] + 2 * products[j * count + shared];
                    return ij / Math.sqrt(ii * jj);
                }))
                .toArray();
        Arrays.sort(cosines);
        return cosines[cosines.length / 2];
    }
}
