package plateau.theory;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.statistics.distribution.NormalDistribution;
import plateau.autograd.Kernels;
import plateau.cuda.DeviceBuffer;
import plateau.figure.Figure;
import plateau.figure.Panel;
import plateau.kernel.Landscape;
import plateau.kernel.Landscape.Activation;
import plateau.kernel.Landscape.Square;
import plateau.kernel.PwlData;
import plateau.results.Numbers;
import plateau.results.Table;
import plateau.results.Verdict;

/**
 * Figure 7, a graphical summary of what makes gradient-based learning fail, and the talk's "visual
 * illustration": objectives of two weights, as surfaces.
 */
final class Figure7 implements Statement {
    private static final String TALK = "talk, visual illustration";
    private static final float[] COSINE_TARGET = {2, 2};
    private static final Square SQUARE = new Square(61, -5, 5);

    /** Of a test over all points together. */
    private static final double LEVEL = 0.01;

    /** A slope below which the talk's surface counts as flat; its height is about 1. */
    private static final double FLAT = 0.02;

    /** Distance from both optima from which on points are not very close to one. */
    private static final double FAR = 3;

    /** Inputs of the flat surface: with many, its steps are too small to be seen. */
    private static final int FEW = 4;

    private static final int INPUTS = 3;
    private static final int NOISE = 4;
    private static final int FEW_INPUTS = 5;
    private static final int CURVES = 6;

    /** Where a surface is level, and how it bends there. */
    private record Critical(double x, double y, String kind) {}

    @Override
    public String name() {
        return "figure-7";
    }

    @Override
    public String title() {
        return "Landscapes";
    }

    @Override
    public String source() {
        return "figure 7; talk, visual illustration";
    }

    @Override
    public String about() {
        return "Four objectives of two weights w, F(w) = E(u(w·x) − u(t·x))², each with one of the paper's four reasons"
                + " for failure. No information: u = cos, t = (2, 2), x ~ N(0, I), in closed form and by Monte Carlo on"
                + " the device. Low signal to noise: a bowl (u the identity) whose labels are noisy, estimated at each"
                + " point from four samples of its own, as a step of training would. Bad conditioning: x are two"
                + " neighbouring values of the piecewise-linear curves of section 4. Flat activations: u rounds down,"
                + " on a sample of 4 inputs.";
    }

    @Override
    public Finding measure(Kernels kernels, Scale scale) {
        int samples = scale.choose(20_000, 500_000);
        try (Computation computation = new Computation(kernels)) {
            Landscape landscape = kernels.get(Landscape.class, Landscape::new);
            int points = SQUARE.points();
            DeviceBuffer mean = computation.words(points);
            DeviceBuffer error = computation.words(points);

            DeviceBuffer x = computation.normals(2 * samples, scale.seed(), INPUTS, 0);
            computation.run(
                    landscape.surface(SQUARE, Activation.COSINE, COSINE_TARGET, samples, false, x, null, mean, error));
            float[] sampled = mean.toFloats();
            float[] errors = error.toFloats();
            computation.run(landscape.cosineSurface(SQUARE, COSINE_TARGET, mean));
            float[] exact = mean.toFloats();

            int batch = 4;
            DeviceBuffer own = computation.normals(2 * points * batch, scale.seed(), INPUTS, 1);
            DeviceBuffer noise = computation.normals(points * batch, scale.seed(), NOISE, 0);
            Square wide = new Square(41, -1, 3);
            computation.run(landscape.surface(
                    wide, Activation.IDENTITY, new float[] {1, 1}, batch, true, own, noise, mean, error));
            float[] noisy = head(mean, wide);

            int n = 100;
            int curves = 1000;
            DeviceBuffer f = computation.words((long) curves * n);
            computation.run(kernels.pwlData()
                    .curves(
                            curves,
                            n,
                            0,
                            PwlData.Law.PAPER,
                            computation.upload(scale.seed()),
                            CURVES,
                            computation.upload(0),
                            f,
                            null));
            computation.run(landscape.surface(
                    wide, Activation.IDENTITY, new float[] {1, 1}, curves * n / 2, false, f, null, mean, error));
            float[] valley = head(mean, wide);

            Square near = new Square(61, 0, 2);
            DeviceBuffer few = computation.normals(2 * FEW, scale.seed(), FEW_INPUTS, 0);
            computation.run(
                    landscape.surface(near, Activation.FLOOR, new float[] {1, 1}, FEW, false, few, null, mean, error));
            float[] steps = head(mean, near);

            Table.Builder table = new Table.Builder("w1", "w2", "closed_form", "monte_carlo", "standard_error");
            for (int i = 0; i < points; i++) {
                table.add(
                        SQUARE.place(i % SQUARE.side()),
                        SQUARE.place(i / SQUARE.side()),
                        exact[i],
                        sampled[i],
                        errors[i]);
            }
            List<Critical> critical = critical();
            return new Finding(
                    List.of(agreement(exact, sampled, errors, samples), minima(critical), saddles(critical), flat()),
                    table.table(),
                    List.of(new Drawing(
                            "figure-7",
                            "Figure 7",
                            "Why gradients fail, as surfaces over two weights: no information in the gradient"
                                    + " (the talk's linear-periodic function), low signal to noise, bad"
                                    + " conditioning, flat activations.",
                            new Figure(
                                    2,
                                    List.of(
                                            panel("No information", SQUARE, exact),
                                            panel("Low signal to noise", wide, noisy),
                                            panel("Bad conditioning", wide, valley),
                                            panel("Flat activations", near, steps))))),
                    notes(critical));
        }
    }

    private static float[] head(DeviceBuffer buffer, Square square) {
        float[] values = new float[square.points()];
        buffer.download(values);
        return values;
    }

    private static Panel panel(String title, Square square, float[] heights) {
        return Panel.of(
                title,
                Panel.Axis.of("w₁", square.low(), square.high()),
                Panel.Axis.of("w₂", square.low(), square.high()),
                new Panel.Surface(square.side(), heights, "F(w)"));
    }

    private static Check agreement(float[] exact, float[] sampled, float[] errors, int samples) {
        double worst = 0;
        for (int i = 0; i < exact.length; i++) {
            double miss = Math.abs((double) exact[i] - sampled[i]);
            worst = Math.max(worst, miss <= 1e-5 ? 0 : miss / errors[i]);
        }
        double most = NormalDistribution.of(0, 1).inverseSurvivalProbability(LEVEL / 2 / exact.length);
        return new Check(
                TALK,
                "F(w) = E(cos(w·x) − cos(t·x))² has a closed form",
                "1 + (e^(−2|w|²) + e^(−2|t|²))/2 − e^(−|w−t|²/2) − e^(−|w+t|²/2)",
                "Monte Carlo with %,d samples deviates by %.2f standard errors at most, of %,d points"
                        .formatted(samples, worst, exact.length),
                "holds if no point deviates by more than %.2f: one chance in a hundred for all together"
                        .formatted(most),
                worst <= most ? Verdict.HOLDS : Verdict.DOES_NOT_HOLD);
    }

    // The talk's surface in float64: its slopes and curvatures are what is asked for.

    /** ∂F/∂w₁, ∂F/∂w₂, ∂²F/∂w₁², ∂²F/∂w₁∂w₂, ∂²F/∂w₂². */
    private static double[] derivatives(double x, double y) {
        double[] all = new double[5];
        add(all, 0.5, 4, x, y); // e^(−2|w|²)/2
        add(all, -1, 1, x - COSINE_TARGET[0], y - COSINE_TARGET[1]);
        add(all, -1, 1, x + COSINE_TARGET[0], y + COSINE_TARGET[1]);
        return all;
    }

    /** Of weight · e^(−rate (x² + y²)/2). */
    private static void add(double[] all, double weight, double rate, double x, double y) {
        double value = weight * Math.exp(-rate * (x * x + y * y) / 2);
        all[0] -= rate * x * value;
        all[1] -= rate * y * value;
        all[2] += (rate * rate * x * x - rate) * value;
        all[3] += rate * rate * x * y * value;
        all[4] += (rate * rate * y * y - rate) * value;
    }

    /** By Newton's method from a grid of starts; each point once. */
    private static List<Critical> critical() {
        List<Critical> found = new ArrayList<>();
        int starts = 161;
        double reach = 4;
        for (int i = 0; i < starts * starts; i++) {
            double x = reach * (2.0 * (i % starts) / (starts - 1) - 1);
            double y = reach * (2.0 * (i / starts) / (starts - 1) - 1);
            for (int step = 0; step < 100; step++) {
                double[] d = derivatives(x, y);
                double determinant = d[2] * d[4] - d[3] * d[3];
                double dx = (d[4] * d[0] - d[3] * d[1]) / determinant;
                double dy = (d[2] * d[1] - d[3] * d[0]) / determinant;
                x -= dx;
                y -= dy;
                if (!(Math.hypot(x, y) < reach)) {
                    break;
                }
                if (Math.hypot(dx, dy) < 1e-12) {
                    add(found, x, y);
                    break;
                }
            }
        }
        return found;
    }

    private static void add(List<Critical> found, double x, double y) {
        if (found.stream().anyMatch(each -> Math.hypot(each.x - x, each.y - y) < 1e-6)) {
            return;
        }
        double[] d = derivatives(x, y);
        double determinant = d[2] * d[4] - d[3] * d[3];
        found.add(new Critical(x, y, determinant < 0 ? "saddle" : d[2] > 0 ? "minimum" : "maximum"));
    }

    private static String places(List<Critical> critical, String kind) {
        return String.join(
                ", ",
                critical.stream()
                        .filter(each -> each.kind.equals(kind))
                        .map(each -> "(%.3f, %.3f)".formatted(each.x + 0.0, each.y + 0.0))
                        .toList());
    }

    private static Check minima(List<Critical> critical) {
        boolean others = critical.stream()
                .filter(each -> each.kind.equals("minimum"))
                .anyMatch(each -> Math.min(
                                Math.hypot(each.x - COSINE_TARGET[0], each.y - COSINE_TARGET[1]),
                                Math.hypot(each.x + COSINE_TARGET[0], each.y + COSINE_TARGET[1]))
                        > 0.01);
        return new Check(
                TALK,
                "The surface has no local minima but the optima",
                "minima at ±(2, 2) alone",
                "minima at " + places(critical, "minimum"),
                "by Newton's method in float64 from 25,921 starts in [−4, 4]²; holds if none lies elsewhere",
                others ? Verdict.DOES_NOT_HOLD : Verdict.HOLDS);
    }

    private static Check saddles(List<Critical> critical) {
        boolean any = critical.stream().anyMatch(each -> each.kind.equals("saddle"));
        return new Check(
                TALK,
                "and no saddle points",
                "none",
                any ? "saddle points at " + places(critical, "saddle") : "none found",
                "likewise; holds if none is found",
                any ? Verdict.DOES_NOT_HOLD : Verdict.HOLDS);
    }

    private static Check flat() {
        long far = 0;
        long level = 0;
        for (int i = 0; i < SQUARE.points(); i++) {
            double x = SQUARE.place(i % SQUARE.side());
            double y = SQUARE.place(i / SQUARE.side());
            boolean isFar = Math.hypot(x - COSINE_TARGET[0], y - COSINE_TARGET[1]) > FAR
                    && Math.hypot(x + COSINE_TARGET[0], y + COSINE_TARGET[1]) > FAR;
            double[] d = derivatives(x, y);
            far += isFar ? 1 : 0;
            level += isFar && Math.hypot(d[0], d[1]) < FLAT ? 1 : 0;
        }
        double share = (double) level / far;
        return new Check(
                TALK,
                "The surface is extremely flat unless very close to an optimum",
                "slopes of about 0",
                "%.0f %% of the points of [−5, 5]² farther than %s from both optima have a slope below %s"
                        .formatted(100 * share, Numbers.rounded(FAR), FLAT),
                "holds from 90 %, does not hold below 50 %",
                share >= 0.9 ? Verdict.HOLDS : share < 0.5 ? Verdict.DOES_NOT_HOLD : Verdict.UNDECIDED);
    }

    private static List<String> notes(List<Critical> critical) {
        return List.of(
                ("The talk says that there are no saddle points. There are: between the two optima, at %s, and a"
                                + " maximum at %s. The surface is so flat there that none of them shows in a picture.")
                        .formatted(places(critical, "saddle"), places(critical, "maximum")),
                "The paper's figure 7 is a picture without formulas. Its first panel is the talk's; the other three"
                        + " are drawn here from objectives of the paper's own sections 3, 4 and 5, with two weights.");
    }
}
