package plateau.kernel;

import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/**
 * The gradients of a network for all parities of d bits at once, by Walsh and Hadamard's transform
 * (theorem 1), and the network of lemma 5 on all inputs ({@code kernels/walsh.cu}). An input's
 * number has bit i set where x[i] is −1, a parity's where it looks at x[i].
 */
public final class WalshHadamard {
    private static final int THREADS = 256;

    /** Inputs that a block of {@link #networkErrors} goes through. */
    private static final int CHUNK = 4096;

    private final KernelModule module;

    /**
     * A factor of ∂p/∂w. The gradient of a loss of p and a label h in {−1, +1} is E[fixed(x) ∂p/∂w]
     * + E[h(x) signal(x) ∂p/∂w], of which the first is the same for all h; the order is that of the
     * kernel's constants.
     */
    public enum Part {
        /** ½ (p − h)²: −1. */
        SQUARED_SIGNAL,
        /** Hinge r(h p): (r′(p) + r′(−p)) / 2. */
        HINGE_SIGNAL,
        /** ½ (p − h)²: p. */
        SQUARED_FIXED,
        /** Hinge: (r′(p) − r′(−p)) / 2. */
        HINGE_FIXED
    }

    /**
     * A network of one hidden layer, d → hidden with ReLU → 1.
     *
     * @param w1 (d, hidden)
     * @param b1 (hidden)
     * @param w2 (hidden)
     * @param b2 (1)
     */
    public record Network(int d, int hidden, DeviceBuffer w1, DeviceBuffer b1, DeviceBuffer w2, DeviceBuffer b2) {

        /** How many inputs there are, for d at most 30. */
        public int inputs() {
            return Math.toIntExact(1L << d);
        }

        /** Rows of {@link WalshHadamard#terms}. */
        public int terms() {
            return 2 * hidden + 1;
        }

        /** Its weights and biases. */
        public int parameters() {
            return (d + 2) * hidden + 1;
        }
    }

    /** Loads the kernels. */
    public WalshHadamard(Device device) {
        module = device.module("walsh");
    }

    /**
     * terms(2 hidden + 1, 2^d): factor · ∂p/∂b1, factor · ∂p/∂w2 and the factor at every input.
     */
    public Work terms(Network network, Part part, DeviceBuffer terms) {
        int d = network.d;
        int hidden = network.hidden;
        Buffers.of("WalshHadamard.terms")
                .floats("w1", network.w1, d, hidden)
                .floats("b1", network.b1, hidden)
                .floats("w2", network.w2, hidden)
                .floats("b2", network.b2, 1)
                .floats("terms", terms, network.terms(), network.inputs());
        return module.replicated("parity_terms")
                .elementwise(
                        network.inputs(),
                        network.inputs(),
                        d,
                        hidden,
                        part.ordinal(),
                        network.w1,
                        network.b1,
                        network.w2,
                        network.b2,
                        terms)
                .costing(2.0 * network.inputs() * hidden * d);
    }

    /**
     * energies(n), float64: ‖factor ∂p/∂w‖² at each of some inputs, for any d.
     *
     * @param x (n, d) in {−1, +1}
     */
    public Work inputEnergies(int n, Network network, Part part, DeviceBuffer x, DeviceBuffer energies) {
        int d = network.d;
        int hidden = network.hidden;
        Buffers.of("WalshHadamard.inputEnergies")
                .floats("x", x, n, d)
                .floats("w1", network.w1, d, hidden)
                .floats("b1", network.b1, hidden)
                .floats("w2", network.w2, hidden)
                .floats("b2", network.b2, 1)
                .doubles("energies", energies, n);
        return module.replicated("parity_input_energies")
                .elementwise(
                        n, n, d, hidden, part.ordinal(), x, network.w1, network.b1, network.w2, network.b2, energies)
                .costing(2.0 * n * hidden * d);
    }

    /**
     * Transforms each row of values(rows, n) in place: Σ_b row[b] (−1)^|b ∧ s|.
     *
     * @param n a power of two
     */
    public Work transform(int rows, int n, DeviceBuffer values) {
        if (Integer.bitCount(n) != 1) {
            throw new IllegalArgumentException("WalshHadamard.transform: n must be a power of two, not " + n);
        }
        Buffers.of("WalshHadamard.transform").floats("values", values, rows, n);
        return module.replicated("walsh_hadamard")
                .cooperative(Dim.of(rows), THREADS, n, values)
                .costing((double) rows * n * Integer.numberOfTrailingZeros(n));
    }

    /**
     * Of each column of scale · terms: units(2^d), the sum of squares of the ∂b1, and others(2^d),
     * that of the rest; float64.
     */
    public Work energies(Network network, double scale, DeviceBuffer terms, DeviceBuffer units, DeviceBuffer others) {
        int n = network.inputs();
        Buffers.of("WalshHadamard.energies")
                .floats("terms", terms, network.terms(), n)
                .doubles("units", units, n)
                .doubles("others", others, n);
        return module.replicated("parity_energies").elementwise(n, n, network.hidden, scale, terms, units, others);
    }

    /**
     * signals(2^d), float64: ‖E[h signal ∂p/∂w]‖² of every parity, from the energies of transformed
     * terms.
     */
    public Work signals(int d, DeviceBuffer units, DeviceBuffer others, DeviceBuffer signals) {
        int n = 1 << d;
        Buffers.of("WalshHadamard.signals")
                .doubles("units", units, n)
                .doubles("others", others, n)
                .doubles("signals", signals, n);
        return module.replicated("parity_signals").elementwise(n, n, d, units, others, signals);
    }

    /**
     * gradients(count, parameters): E[h factor ∂p/∂w] of some parities, in the order w1, b1, w2,
     * b2.
     *
     * @param terms transformed
     * @param parities (count) int32, their numbers
     */
    public Work gradients(
            Network network, int count, DeviceBuffer terms, DeviceBuffer parities, DeviceBuffer gradients) {
        Buffers.of("WalshHadamard.gradients")
                .floats("terms", terms, network.terms(), network.inputs())
                .ints("parities", parities, count)
                .floats("gradients", gradients, count, network.parameters());
        int elements = Math.multiplyExact(count, network.parameters());
        return module.replicated("parity_gradients")
                .elementwise(
                        elements, elements, network.d, network.hidden, network.inputs(), terms, parities, gradients);
    }

    /** How many counts {@link #networkErrors} writes for all inputs of d bits. */
    public static int errorCounts(int d) {
        return Math.ceilDiv(1 << d, CHUNK);
    }

    /**
     * wrong, {@link #errorCounts} int32: how many inputs of d bits are labelled wrongly by a
     * network all of whose units read s, the number of bits in the subset that are set: bias + Σ
     * weight · relu(s − knee), where the label is (−1)^s.
     */
    public Work networkErrors(
            int d, int subset, int units, float bias, DeviceBuffer knee, DeviceBuffer weight, DeviceBuffer wrong) {
        Buffers.of("WalshHadamard.networkErrors")
                .floats("knee", knee, units)
                .floats("weight", weight, units)
                .ints("wrong", wrong, errorCounts(d));
        return module.replicated("parity_network_errors")
                .cooperative(Dim.of(errorCounts(d)), THREADS, 1 << d, CHUNK, subset, units, bias, knee, weight, wrong);
    }
}
