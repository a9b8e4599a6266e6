package plateau.theory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import plateau.autograd.Kernels;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.kernel.Landscape;
import plateau.kernel.Statistics;
import plateau.results.Numbers;
import plateau.results.Table;
import plateau.results.Verdict;

/**
 * Section 5.5: the forward-only update reaches an error of ε in O(L²/ε²) iterations where u is
 * monotone and L-Lipschitz (Kalai and Sastry 2009; Kakade, Kalai, Kanade and Shamir 2011).
 */
final class ForwardOnly implements Statement {
    private static final String SOURCE = "section 5.5, appendix B.8";
    private static final int D = 5;
    private static final int SAMPLES = 256;
    private static final float HEIGHT = 0.25f;
    private static final int INPUTS = 3;
    private static final int TARGET = 4;
    private static final int SHOWN = 400;

    /** Of the outputs and of their differences: u maps [−1, 1] into itself. */
    private static final double RANGE = 2;

    /**
     * A run of T iterations with the η that the guarantee prescribes.
     *
     * @param slope u's Lipschitz constant; 0: none, upright steps
     * @param iterations T
     * @param reached the first iteration at which the error is at most ε; −1: none
     * @param errors after each iteration
     */
    private record Run(double slope, double epsilon, int iterations, int reached, double[] errors) {

        double last() {
            return errors[errors.length - 1];
        }

        String text() {
            return slope == 0 ? "steps" : "L = " + Numbers.rounded(slope);
        }
    }

    @Override
    public String name() {
        return "forward-only";
    }

    @Override
    public String title() {
        return "Forward-only updates";
    }

    @Override
    public String source() {
        return SOURCE;
    }

    @Override
    public String about() {
        return "A target u(v·x) is learnt by w ← w − η E[(u(w·x) − u(v·x)) x], without u's derivative. The proof"
            + " promises that the error E(u(w·x) − u(v·x))² falls to ε within T = c⁴B⁴L²/ε² iterations with η ="
            + " 1/(c√T), if u is monotone and L-Lipschitz, |u| ≤ c, and ‖w‖, ‖v‖, ‖x‖ ≤ B. Here x are 256 points of"
            + " the unit sphere in 5 dimensions (the expectation is over them, exactly), B = 1, c = 2, and u is a"
            + " staircase of steps ¼ wide and high which climb at slope L, or upright: then u has no L, and the proof"
            + " says nothing.";
    }

    @Override
    public Finding measure(Kernels kernels, Scale scale) {
        double[] slopes = scale.full() ? new double[] {1, 2, 4, 8} : new double[] {1, 2, 3};
        double[] epsilons = scale.full() ? new double[] {0.1, 0.05, 0.025} : new double[] {0.1, 0.07, 0.05};
        double steepest = slopes[slopes.length - 1];
        List<Run> runs = new ArrayList<>();
        for (double epsilon : epsilons) {
            for (double slope : slopes) {
                runs.add(run(kernels, scale, slope, slope, epsilon));
            }
        }
        List<Run> upright = Arrays.stream(epsilons)
                .mapToObj(epsilon -> run(kernels, scale, 0, steepest, epsilon))
                .toList();
        List<Check> checks = List.of(guaranteed(runs), steps(upright, steepest), rate(runs));
        Table.Builder table = new Table.Builder("u", "lipschitz", "epsilon", "bound", "reached", "error_at_bound");
        for (List<Run> part : List.of(runs, upright)) {
            part.forEach(each -> table.add(
                    each.slope == 0 ? "steps" : "ramps",
                    each.slope == 0 ? null : each.slope,
                    each.epsilon,
                    each.iterations,
                    each.reached < 0 ? null : each.reached,
                    each.last()));
        }
        List<Run> shown = new ArrayList<>(runs.stream()
                .filter(each -> each.epsilon == epsilons[epsilons.length - 1])
                .toList());
        shown.add(upright.getLast());
        return new Finding(checks, table.table(), List.of(drawing(shown)), notes());
    }

    private static Run run(Kernels kernels, Scale scale, double slope, double boundSlope, double epsilon) {
        int iterations = (int) Math.ceil(Math.pow(RANGE, 4) * boundSlope * boundSlope / (epsilon * epsilon));
        float rate = (float) (1 / (RANGE * Math.sqrt(iterations)));
        Landscape landscape = kernels.get(Landscape.class, Landscape::new);
        Statistics statistics = kernels.get(Statistics.class, Statistics::new);
        try (Computation computation = new Computation(kernels)) {
            DeviceBuffer x = computation.upload(onSphere(
                    computation.normals(SAMPLES * D, scale.seed(), INPUTS, 0).toFloats(), D));
            DeviceBuffer v = computation.upload(
                    onSphere(computation.normals(D, scale.seed(), TARGET, 0).toFloats(), D));
            DeviceBuffer w = computation.upload(new float[D]);
            DeviceBuffer score = computation.words(SAMPLES);
            DeviceBuffer target = computation.words(SAMPLES);
            DeviceBuffer residual = computation.words(SAMPLES);
            DeviceBuffer squared = computation.words(SAMPLES);
            DeviceBuffer gradient = computation.words(D);
            DeviceBuffer means = computation.doubles(iterations);
            DeviceBuffer step = computation.upload(0);
            DeviceBuffer learningRate = computation.upload(rate / SAMPLES);
            computation.run(kernels.dense().forward(SAMPLES, 1, D, x, v, null, false, target));
            Work iteration = Work.sequence(
                    "iteration",
                    List.of(
                            kernels.dense().forward(SAMPLES, 1, D, x, w, null, false, score),
                            landscape.staircaseResidual(
                                    SAMPLES, HEIGHT, (float) slope, score, target, residual, squared),
                            statistics.meanAt(SAMPLES, squared, step, means),
                            kernels.dense().backwardWeights(SAMPLES, 1, D, x, residual, gradient, null),
                            kernels.updates().sgd(D, learningRate, w, gradient),
                            kernels.counter().advance(step)));
            for (int i = 0; i < iterations; i++) {
                computation.enqueue(iteration);
            }
            computation.run();
            double[] errors = means.toDoubles();
            int reached = IntStream.range(0, iterations)
                    .filter(i -> errors[i] <= epsilon)
                    .findFirst()
                    .orElse(-1);
            return new Run(slope, epsilon, iterations, reached, errors);
        }
    }

    /** Each row over its length. */
    private static float[] onSphere(float[] values, int d) {
        float[] rows = values.clone();
        for (int first = 0; first < values.length; first += d) {
            double square = 0;
            for (int i = 0; i < d; i++) {
                square += (double) values[first + i] * values[first + i];
            }
            for (int i = 0; i < d; i++) {
                rows[first + i] = (float) (values[first + i] / Math.sqrt(square));
            }
        }
        return rows;
    }

    private static String each(List<Run> runs) {
        return String.join(
                "; ",
                runs.stream()
                        .map(run -> "%s, ε = %s: %s of %,d"
                                .formatted(
                                        run.text(),
                                        Numbers.rounded(run.epsilon),
                                        run.reached < 0 ? "not" : "%,d".formatted(run.reached),
                                        run.iterations))
                        .toList());
    }

    private static Check guaranteed(List<Run> runs) {
        boolean wrong = runs.stream().anyMatch(run -> run.reached < 0 || run.last() > run.epsilon);
        return new Check(
                SOURCE,
                "Forward-only converges to an ε-optimal solution in O(L²/ε²) iterations for an L-Lipschitz u",
                "T = 16 L²/ε²",
                each(runs),
                "holds if every run reaches ε within its T, and is there at T",
                wrong ? Verdict.DOES_NOT_HOLD : Verdict.HOLDS);
    }

    private static Check steps(List<Run> runs, double steepest) {
        boolean wrong = runs.stream().anyMatch(run -> run.reached < 0);
        return new Check(
                SOURCE,
                "The step function, which is not Lipschitz, is learnt as well (the guarantee is silent)",
                "none; run for the T of L = " + Numbers.rounded(steepest),
                each(runs) + "; error at T: "
                        + String.join(
                                ", ",
                                runs.stream()
                                        .map(run -> Numbers.rounded(run.last()))
                                        .toList()),
                "holds if every run reaches ε within that T",
                wrong ? Verdict.DOES_NOT_HOLD : Verdict.HOLDS);
    }

    private static Check rate(List<Run> runs) {
        double steepest = runs.stream().mapToDouble(Run::slope).max().orElseThrow();
        List<Run> of = runs.stream()
                .filter(run -> run.slope == steepest && run.reached > 0)
                .toList();
        if (of.size() < 3) {
            return new Check(
                    SOURCE,
                    "The iterations needed grow no faster than 1/ε²",
                    "an exponent of at most 2",
                    "too few runs reach ε",
                    "holds if the exponent ± 2 standard errors is at most 2",
                    Verdict.UNDECIDED);
        }
        Fit fit = Fit.power(
                of.stream().mapToDouble(run -> 1 / run.epsilon).toArray(),
                of.stream().mapToDouble(Run::reached).toArray());
        return new Check(
                SOURCE,
                "The iterations needed grow no faster than 1/ε²",
                "an exponent of at most 2",
                "exponent %s at L = %s, with the prescribed η, which shrinks with ε"
                        .formatted(fit, Numbers.rounded(steepest)),
                "holds if the exponent ± 2 standard errors is at most 2",
                fit.atMost(2));
    }

    private static List<String> notes() {
        return List.of(
                "The proof writes w ← w + η∇̃ with ∇̃ = E[(u(w·x) − u(v·x)) x]; it is w − η∇̃.",
                "From |u| ≤ c it takes |u(w·x) − u(v·x)| ≤ c, which is at most 2c. Here c = 2 bounds both.",
                "What it shows is that among T + 1 iterates one has an error of at most ε, not that the last one does"
                        + " (the case of much progress can happen at most T times, at any time). Measured, the last one"
                        + " does for Lipschitz u.",
                "The bound is far from sharp here: runs are there after a small share of T.");
    }

    private static Drawing drawing(List<Run> runs) {
        return new Drawing(
                "forward-only",
                "Forward-only updates",
                "Error against iterations, for staircases that climb at slope L and for upright steps, each with the η"
                        + " that its guarantee prescribes for ε = " + Numbers.rounded(runs.getFirst().epsilon)
                        + " (dashed); iterations as a share of the guarantee's T.",
                new Figure(new Panel(
                        "Error of forward-only updates",
                        Panel.Axis.of("iterations over T", 0, 1),
                        Panel.Axis.logarithmic("E(u(w·x) − u(v·x))²"),
                        IntStream.rangeClosed(0, runs.size())
                                .mapToObj(i -> i < runs.size()
                                        ? curve(runs.get(i))
                                        : new Panel.Curve(
                                                "ε",
                                                List.of(0.0, 1.0),
                                                List.of(runs.getFirst().epsilon, runs.getFirst().epsilon),
                                                new Panel.Look(0x888888, true)))
                                .toList())));
    }

    private static Panel.Curve curve(Run run) {
        int every = Math.max(1, run.errors.length / SHOWN);
        List<Integer> at = IntStream.range(0, run.errors.length)
                .filter(i -> i % every == 0)
                .boxed()
                .toList();
        return new Panel.Curve(
                run.text(),
                at.stream().map(i -> (double) i / run.iterations).toList(),
                at.stream().map(i -> run.errors[i]).toList());
    }
}
