package plateau.check;

import java.util.Arrays;
import java.util.List;
import plateau.kernel.Landscape;
import plateau.kernel.Landscape.Activation;
import plateau.kernel.Landscape.Square;

/** Objectives of two weights, and directions with a closed form, from their definitions. */
final class LandscapeCases {
    private LandscapeCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("landscape", LandscapeCases::surface),
                Row.random("cosine_landscape", LandscapeCases::cosineSurface),
                Row.random("periodic_gradients", LandscapeCases::periodicGradients),
                Row.random("sign_products", LandscapeCases::signProducts),
                Row.random("staircase_residual", LandscapeCases::staircaseResidual));
    }

    private static double apply(Activation activation, double r) {
        return switch (activation) {
            case IDENTITY -> r;
            case COSINE -> Math.cos(r);
            case FLOOR -> Math.floor(r);
        };
    }

    /** Quarters, so that no float rounds and none lands on another step. */
    private static float[] quarters(Draws draws, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = draws.random().nextInt(-12, 13) / 4f;
        }
        return values;
    }

    private static void surface(KernelCase made, Draws draws) {
        Activation activation = Activation.values()[draws.random().nextInt(3)];
        int side = draws.choose(2, 3, 5), points = side * side, samples = draws.choose(1, 2, 33, 100);
        boolean own = draws.random().nextBoolean(), noisy = draws.random().nextBoolean();
        Square square = new Square(side, -1, 1);
        float[] target = {0.5f, -1};
        float[] x = quarters(draws, 2 * samples * (own ? points : 1)), noise = quarters(draws, x.length / 2);
        double[] mean = new double[points], error = new double[points];
        for (int point = 0; point < points; point++) {
            double w0 = square.place(point % side), w1 = square.place(point / side), squares = 0;
            for (int i = 0; i < samples; i++) {
                int sample = own ? point * samples + i : i;
                double miss = apply(activation, w0 * x[2 * sample] + w1 * x[2 * sample + 1])
                        - apply(activation, target[0] * x[2 * sample] + target[1] * x[2 * sample + 1])
                        - (noisy ? noise[sample] : 0);
                mean[point] += miss * miss / samples;
                squares += miss * miss * miss * miss / samples;
            }
            error[point] = Math.sqrt(Math.max(0, squares - mean[point] * mean[point]) / samples);
        }
        double largest = 1 + Arrays.stream(mean).max().orElseThrow();
        made.shape("%s, side %d, samples %d, own %s, noisy %s".formatted(activation, side, samples, own, noisy));
        made.runs(new Landscape(made.device())
                .surface(
                        square,
                        activation,
                        target,
                        samples,
                        own,
                        made.input(x),
                        noisy ? made.input(noise) : null,
                        made.output("mean", mean, 1e-5),
                        // A root of a difference: what it is off is the root of what that is off.
                        made.output("error", error, 1e-3, largest)));
    }

    private static void cosineSurface(KernelCase made, Draws draws) {
        Square square = new Square(draws.choose(2, 3, 17, 33), -4, 5);
        float[] target = {draws.random().nextFloat(-3, 3), draws.random().nextFloat(-3, 3)};
        double[] f = new double[square.points()];
        for (int point = 0; point < f.length; point++) {
            double w0 = square.place(point % square.side()), w1 = square.place(point / square.side());
            // E cos(a.x) = e^(−|a|²/2), of cos² and of the product of two cosines.
            f[point] = (1 + gauss(2 * w0, 2 * w1)) / 2
                    + (1 + gauss(2 * target[0], 2 * target[1])) / 2
                    - gauss(w0 - target[0], w1 - target[1])
                    - gauss(w0 + target[0], w1 + target[1]);
        }
        made.shape("side %d, target %s".formatted(square.side(), Arrays.toString(target)));
        made.runs(new Landscape(made.device()).cosineSurface(square, target, made.output("f", f, 1e-5, 1)));
    }

    private static double gauss(double a, double b) {
        return Math.exp(-(a * a + b * b) / 2);
    }

    private static void periodicGradients(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 2, 33), d = draws.size();
        float radius = draws.random().nextFloat(0.5f, 2);
        float[] w = draws.floats(d), z = draws.floats(rows * d);
        for (int i = 0; i < d; i++) {
            w[i] /= (float) Math.sqrt(d);
        }
        double[] c = new double[rows * d];
        for (int row = 0; row < rows; row++) {
            z[row * d] = 1; // not all of them are 0
            double length = 0;
            for (int i = 0; i < d; i++) {
                length += (double) z[row * d + i] * z[row * d + i];
            }
            double plus = 0, minus = 0;
            for (int i = 0; i < d; i++) {
                double v = radius * z[row * d + i] / Math.sqrt(length);
                plus += (w[i] + v) * (w[i] + v);
                minus += (w[i] - v) * (w[i] - v);
            }
            for (int i = 0; i < d; i++) {
                double v = radius * z[row * d + i] / Math.sqrt(length);
                c[row * d + i] = ((w[i] + v) * Math.exp(-plus / 2) + (w[i] - v) * Math.exp(-minus / 2)) / 2;
            }
        }
        made.shape("rows %d, d %d, radius %s".formatted(rows, d, radius));
        made.runs(new Landscape(made.device())
                .periodicGradients(rows, d, radius, made.input(w), made.input(z), made.output("c", c, 1e-5, 0.01)));
    }

    private static void signProducts(KernelCase made, Draws draws) {
        int samples = draws.size(), k = draws.choose(1, 2, 3, 5), width = draws.choose(1, 2);
        float[] scores = draws.floats(samples * k * width);
        double[] label = new double[samples], slope = new double[samples * k];
        for (int s = 0; s < samples; s++) {
            label[s] = 1;
            for (int j = 0; j < k; j++) {
                label[s] *= scores[(s * k + j) * width] < 0 ? -1 : 1;
                slope[s * k + j] = 1;
                for (int other = 0; other < k; other++) {
                    slope[s * k + j] *= other == j ? 1 : scores[(s * k + other) * width + width - 1];
                }
            }
        }
        made.shape("samples %d, k %d, width %d".formatted(samples, k, width));
        made.runs(new Landscape(made.device())
                .signProducts(
                        samples,
                        k,
                        width,
                        made.input(scores),
                        made.floats("label", null, label, new double[samples]),
                        made.output("slope", slope, 1e-6)));
    }

    private static void staircaseResidual(KernelCase made, Draws draws) {
        int n = draws.size();
        float height = 0.25f, slope = draws.choose(0, 1, 2, 3);
        float[] score = quarters(draws, n), target = quarters(draws, n);
        double[] residual = new double[n], squared = new double[n];
        for (int i = 0; i < n; i++) {
            score[i] /= 8; // places on a step, exactly
            target[i] /= 8;
            residual[i] = staircase(score[i], height, slope) - staircase(target[i], height, slope);
            squared[i] = residual[i] * residual[i];
        }
        made.shape("n %d, slope %s".formatted(n, slope));
        made.runs(new Landscape(made.device())
                .staircaseResidual(
                        n,
                        height,
                        slope,
                        made.input(score),
                        made.input(target),
                        made.output("residual", residual, 1e-6, 1),
                        made.output("squared", squared, 1e-6, 1)));
    }

    private static double staircase(double r, double height, double slope) {
        double step = Math.floor(r / height), climbed = slope == 0 ? 0 : Math.min(1, slope * (r / height - step));
        return height * (step + climbed);
    }
}
