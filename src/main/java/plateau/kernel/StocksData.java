package plateau.kernel;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.KernelModule;
import plateau.cuda.Work;

/** Data of the stocks, appendix A ({@code kernels/data/stocks.cu}). */
public final class StocksData {
    private static final int WORDS_PER_DRAW = 4;

    private final KernelModule module;

    /** Loads the kernels. */
    public StocksData(Device device) {
        module = device.module("data/stocks");
    }

    /**
     * Words in which the signs of n samples lie: 32 signs a word, ⌈k/32⌉ words a sample, and what
     * the last draw has too many.
     */
    public static int signWords(int n, int k) {
        return WORDS_PER_DRAW * draws(n, k);
    }

    private static int draws(int n, int k) {
        return Math.ceilDiv(n * words(k), WORDS_PER_DRAW);
    }

    private static int words(int k) {
        return Math.ceilDiv(k, Integer.SIZE);
    }

    /** The table of labels: label(d) int32, uniform in [0, k). */
    public Work labels(int d, int k, DeviceBuffer seed, int stream, DeviceBuffer label) {
        Buffers.of("StocksData.labels").longs("seed", seed, 1).ints("label", label, d);
        return module.replicated("stock_labels").elementwise(d, d, k, seed, stream, label);
    }

    /**
     * A batch: x(n) int32 uniform in [0, d), y(n) = label(x), and z uniform in {−1, +1} but for
     * z_y = 1.
     *
     * @param step one uint32: batches of different steps are independent
     * @param signs of z, {@link #signWords} words: bit j mod 32 of word ⌊j/32⌋ of a sample is set
     *     where z_j = −1; null where z is not looked at
     */
    public Work batch(
            int n,
            int d,
            int k,
            DeviceBuffer seed,
            int stream,
            DeviceBuffer step,
            DeviceBuffer label,
            DeviceBuffer x,
            DeviceBuffer y,
            DeviceBuffer signs) {
        Buffers.of("StocksData.batch")
                .longs("seed", seed, 1)
                .ints("step", step, 1)
                .ints("label", label, d)
                .ints("x", x, n)
                .ints("y", y, n)
                .intsOrNull("signs", signs, signWords(n, k));
        List<Work> works = new ArrayList<>();
        if (signs != null) {
            works.add(
                    module.replicated("stock_signs").elementwise(draws(n, k), draws(n, k), seed, stream, step, signs));
        }
        works.add(module.replicated("stock_inputs")
                .elementwise(n, n, d, words(k), seed, stream, step, label, x, y, signs)
                .costing(0, 3.0 * n * Integer.BYTES));
        return Work.sequence("stocks", works);
    }
}
