package plateau.check;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.WalshHadamard;
import plateau.kernel.WalshHadamard.Network;
import plateau.kernel.WalshHadamard.Part;

/** Gradients of a network for all parities, and lemma 5's network, from their definitions. */
final class WalshHadamardCases {
    /** So near to a kink or a jump a float may lie on its other side. */
    private static final double NEAR = 1e-4;

    private WalshHadamardCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("parity_terms", WalshHadamardCases::terms),
                Row.random("parity_input_energies", WalshHadamardCases::inputEnergies),
                Row.random("walsh_hadamard", WalshHadamardCases::transform),
                Row.random("parity_energies", WalshHadamardCases::energies),
                Row.random("parity_signals", WalshHadamardCases::signals),
                Row.random("parity_gradients", WalshHadamardCases::gradients),
                Row.random(
                        "parity_terms + walsh_hadamard + parity_gradients, from the definition",
                        WalshHadamardCases::fromDefinition),
                Row.random("parity_network_errors", WalshHadamardCases::networkErrors));
    }

    /** A network's numbers, and what it makes of an input in float64. */
    private record Drawn(int d, int hidden, float[] w1, float[] b1, float[] w2, float[] b2) {

        static Drawn of(Draws draws, int d, int hidden) {
            return new Drawn(
                    d, hidden, draws.floats(d * hidden), draws.floats(hidden), draws.floats(hidden), draws.floats(1));
        }

        Network on(KernelCase made) {
            return new Network(d, hidden, made.input(w1), made.input(b1), made.input(w2), made.input(b2));
        }

        double x(int input, int i) {
            return (input >> i & 1) != 0 ? -1 : 1;
        }

        double before(int input, int j) {
            return b1[j]
                    + IntStream.range(0, d)
                            .mapToDouble(i -> x(input, i) * w1[i * hidden + j])
                            .sum();
        }

        double output(int input) {
            return b2[0]
                    + IntStream.range(0, hidden)
                            .mapToDouble(j -> w2[j] * Math.max(0, before(input, j)))
                            .sum();
        }

        double factor(Part part, int input) {
            double p = output(input);
            double plus = p < 1 ? -1 : 0, minus = -p < 1 ? -1 : 0;
            return switch (part) {
                case SQUARED_SIGNAL -> -1;
                case HINGE_SIGNAL -> (plus + minus) / 2;
                case SQUARED_FIXED -> p;
                case HINGE_FIXED -> (plus - minus) / 2;
            };
        }

        /** Whether a float may take another branch somewhere. */
        boolean isNear(Part part, int input) {
            boolean jumps = part == Part.HINGE_SIGNAL || part == Part.HINGE_FIXED;
            return jumps && Math.abs(Math.abs(output(input)) - 1) < NEAR
                    || IntStream.range(0, hidden).anyMatch(j -> {
                        double a = before(input, j);
                        return a != 0 && Math.abs(a) < NEAR;
                    });
        }

        /** A row of the terms. */
        double term(Part part, int row, int input) {
            double factor = factor(part, input);
            return row == 2 * hidden
                    ? factor
                    : row >= hidden
                            ? factor * Math.max(0, before(input, row - hidden))
                            : before(input, row) > 0 ? factor * w2[row] : 0;
        }
    }

    private static Part part(Draws draws) {
        return Part.values()[draws.random().nextInt(Part.values().length)];
    }

    private static double parity(int s, int input) {
        return Integer.bitCount(s & input) % 2 == 0 ? 1 : -1;
    }

    private static void terms(KernelCase made, Draws draws) {
        Drawn drawn = Drawn.of(draws, draws.choose(1, 2, 3, 5, 8), draws.choose(1, 2, 7, 33));
        Part part = part(draws);
        int n = 1 << drawn.d, rows = 2 * drawn.hidden + 1;
        double[] expected = new double[rows * n], allowed = new double[rows * n];
        for (int input = 0; input < n; input++) {
            boolean near = drawn.isNear(part, input);
            for (int row = 0; row < rows; row++) {
                expected[row * n + input] = drawn.term(part, row, input);
                allowed[row * n + input] =
                        near ? Double.POSITIVE_INFINITY : 1e-4 * (1 + Math.abs(expected[row * n + input]));
            }
        }
        made.shape("d %d, hidden %d, %s".formatted(drawn.d, drawn.hidden, part));
        made.runs(new WalshHadamard(made.device())
                .terms(drawn.on(made), part, made.floats("terms", null, expected, allowed)));
    }

    private static void inputEnergies(KernelCase made, Draws draws) {
        Drawn drawn = Drawn.of(draws, draws.choose(1, 3, 8), draws.choose(1, 2, 33));
        Part part = part(draws);
        int n = draws.choose(1, 2, 65);
        int[] inputs = draws.ints(n, 1 << drawn.d);
        float[] x = new float[n * drawn.d];
        Sums energies = new Sums(n);
        boolean near = false;
        for (int k = 0; k < n; k++) {
            near |= drawn.isNear(part, inputs[k]);
            for (int i = 0; i < drawn.d; i++) {
                x[k * drawn.d + i] = (float) drawn.x(inputs[k], i);
            }
            for (int row = 0; row <= 2 * drawn.hidden; row++) {
                double term = drawn.term(part, row, inputs[k]);
                energies.add(k, (row < drawn.hidden ? 1 + drawn.d : 1) * term * term);
            }
        }
        double[] allowed = energies.allowed(1e-4);
        if (near) {
            Arrays.fill(allowed, Double.POSITIVE_INFINITY);
        }
        made.shape("n %d, d %d, hidden %d, %s".formatted(n, drawn.d, drawn.hidden, part));
        made.runs(new WalshHadamard(made.device())
                .inputEnergies(
                        n,
                        drawn.on(made),
                        part,
                        made.input(x),
                        made.doubles("energies", null, energies.values(), allowed)));
    }

    private static void transform(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 2, 5), bits = draws.random().nextInt(10), n = 1 << bits;
        float[] values = draws.floats(rows * n);
        Sums sums = new Sums(rows * n);
        for (int row = 0; row < rows; row++) {
            for (int s = 0; s < n; s++) {
                for (int input = 0; input < n; input++) {
                    sums.add(row * n + s, parity(s, input) * values[row * n + input]);
                }
            }
        }
        made.shape("rows %d, n %d".formatted(rows, n));
        made.runs(new WalshHadamard(made.device()).transform(rows, n, made.outputOver("values", values, sums, 1e-5)));
    }

    private static Network bare(KernelCase made, int d, int hidden) {
        DeviceBuffer none = made.scratch(4);
        return new Network(d, hidden, none, none, none, none);
    }

    private static void energies(KernelCase made, Draws draws) {
        int d = draws.choose(0, 1, 3, 6, 9), hidden = draws.choose(1, 2, 17), n = 1 << d;
        double scale = 0.37;
        float[] terms = draws.floats((2 * hidden + 1) * n);
        Sums units = new Sums(n), others = new Sums(n);
        for (int i = 0; i < terms.length; i++) {
            (i / n < hidden ? units : others).add(i % n, scale * terms[i] * scale * terms[i]);
        }
        made.shape("d %d, hidden %d".formatted(d, hidden));
        made.runs(new WalshHadamard(made.device())
                .energies(
                        bare(made, d, hidden),
                        scale,
                        made.input(terms),
                        made.doubles("units", null, units.values(), units.allowed(1e-13)),
                        made.doubles("others", null, others.values(), others.allowed(1e-13))));
    }

    private static void signals(KernelCase made, Draws draws) {
        int d = draws.choose(0, 1, 2, 5, 8), n = 1 << d;
        double[] units = draws.random().doubles(n).toArray(),
                others = draws.random().doubles(n).toArray();
        Sums signals = new Sums(n);
        for (int s = 0; s < n; s++) {
            signals.add(s, units[s]);
            signals.add(s, others[s]);
            for (int other = 0; other < n; other++) {
                if (Integer.bitCount(s ^ other) == 1) {
                    signals.add(s, units[other]);
                }
            }
        }
        made.shape("d " + d);
        made.runs(new WalshHadamard(made.device())
                .signals(
                        d,
                        made.input(units),
                        made.input(others),
                        made.doubles("signals", null, signals.values(), signals.allowed(1e-13))));
    }

    private static void gradients(KernelCase made, Draws draws) {
        int d = draws.choose(1, 2, 5, 7), hidden = draws.choose(1, 3, 20), n = 1 << d, count = draws.choose(1, 2, 9);
        float[] terms = draws.floats((2 * hidden + 1) * n);
        int[] parities = draws.ints(count, n);
        int parameters = (d + 2) * hidden + 1;
        double[] expected = new double[count * parameters];
        for (int k = 0; k < count; k++) {
            int at = k * parameters;
            for (int i = 0; i < d; i++) {
                for (int j = 0; j < hidden; j++) {
                    expected[at++] = terms[j * n + (parities[k] ^ 1 << i)] / (double) n;
                }
            }
            for (int row = 0; row <= 2 * hidden; row++) {
                expected[at++] = terms[row * n + parities[k]] / (double) n;
            }
        }
        made.shape("d %d, hidden %d, count %d".formatted(d, hidden, count));
        made.runs(new WalshHadamard(made.device())
                .gradients(
                        bare(made, d, hidden),
                        count,
                        made.input(terms),
                        made.input(parities),
                        made.output("gradients", expected, 1e-6)));
    }

    /** E[h(x) factor(x) ∂p/∂w] as it is defined: over all inputs, for some parities. */
    private static void fromDefinition(KernelCase made, Draws draws) {
        Drawn drawn = Drawn.of(draws, draws.choose(1, 2, 4, 6), draws.choose(1, 3, 11));
        Part part = part(draws);
        int d = drawn.d, hidden = drawn.hidden, n = 1 << d, count = 3;
        int[] parities = draws.ints(count, n);
        int parameters = (d + 2) * hidden + 1;
        Sums expected = new Sums(count * parameters);
        boolean near = IntStream.range(0, n).anyMatch(input -> drawn.isNear(part, input));
        for (int k = 0; k < count; k++) {
            for (int input = 0; input < n; input++) {
                double share = parity(parities[k], input) / n;
                int at = k * parameters;
                for (int i = 0; i < d; i++) {
                    for (int j = 0; j < hidden; j++) {
                        expected.add(at++, share * drawn.x(input, i) * drawn.term(part, j, input));
                    }
                }
                for (int row = 0; row <= 2 * hidden; row++) {
                    expected.add(at++, share * drawn.term(part, row, input));
                }
            }
        }
        made.shape("d %d, hidden %d, %s".formatted(d, hidden, part));
        WalshHadamard walsh = new WalshHadamard(made.device());
        Network network = drawn.on(made);
        DeviceBuffer terms = made.scratch((2L * hidden + 1) * n * Float.BYTES);
        made.runs(Work.sequence(
                "gradients",
                List.of(
                        walsh.terms(network, part, terms),
                        walsh.transform(2 * hidden + 1, n, terms),
                        walsh.gradients(
                                network,
                                count,
                                terms,
                                made.input(parities),
                                made.output("gradients", expected, near ? Double.POSITIVE_INFINITY : 1e-4)))));
    }

    private static void networkErrors(KernelCase made, Draws draws) {
        int d = draws.choose(1, 2, 5, 11, 13), units = draws.choose(0, 1, 3, 12);
        int subset = draws.random().nextInt(1 << d);
        // Knees at halves, weights whole: sums are exact, and none is 0 with that bias.
        float bias = 0.25f;
        float[] knee = new float[units], weight = new float[units];
        for (int j = 0; j < units; j++) {
            knee[j] = draws.random().nextInt(-2, 2 * d) / 2f;
            weight[j] = draws.random().nextInt(-4, 5);
        }
        int[] wrong = new int[WalshHadamard.errorCounts(d)];
        int chunk = Math.ceilDiv(1 << d, wrong.length);
        for (int input = 0; input < 1 << d; input++) {
            int ones = Integer.bitCount(input & subset);
            double output = bias;
            for (int j = 0; j < units; j++) {
                output += weight[j] * Math.max(0, ones - knee[j]);
            }
            wrong[input / chunk] += output > 0 == (ones % 2 == 0) ? 0 : 1;
        }
        made.shape("d %d, subset %d, units %d".formatted(d, subset, units));
        made.runs(new WalshHadamard(made.device())
                .networkErrors(
                        d, subset, units, bias, made.input(knee), made.input(weight), made.exactly("wrong", wrong)));
    }
}
