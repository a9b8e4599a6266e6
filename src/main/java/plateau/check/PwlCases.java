package plateau.check;

import java.util.List;
import plateau.kernel.PwlEncoding;

/** Moments of curves against plain sums, and decoding against W p. */
final class PwlCases {
    private PwlCases() {}

    static List<Row> rows() {
        return List.of(Row.random("pwl_moments", PwlCases::pwlMoments), Row.random("pwl_decode", PwlCases::pwlDecode));
    }

    /** Sums of products of three points in a row, in float64. */
    private static void pwlMoments(KernelCase made, Draws draws) {
        int samples = draws.size(), n = draws.choose(3, 33, 100, 131), count = PwlEncoding.MOMENTS;
        float[] f = draws.floats(samples * n);
        int[] first = {0, 0, 0, 1, 1, 2}, second = {0, 1, 2, 1, 2, 2};
        Sums moments = new Sums(samples * count);
        for (int s = 0; s < samples; s++) {
            for (int i = 0; i < count; i++) {
                for (int t = 2; t < n; t++) {
                    int at = s * n + t - 2;
                    moments.add(s * count + i, (double) f[at + first[i]] * f[at + second[i]]);
                }
            }
        }
        made.shape("samples %d, n %d".formatted(samples, n));
        made.runs(new PwlEncoding(made.device())
                .moments(
                        samples,
                        n,
                        made.input(f),
                        made.doubles("moments", null, moments.values(), moments.allowed(1e-14))));
    }

    private static void pwlDecode(KernelCase made, Draws draws) {
        int rows = draws.choose(1, 2, 7), n = draws.choose(3, 33, 100, 131), skipped = draws.choose(0, 2);
        float[] p = draws.floats(rows * (n - skipped));
        Sums f = new Sums(rows * n);
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < n; i++) {
                for (int j = skipped; j <= i; j++) {
                    f.add(r * n + i, (i - j + 1) * (double) p[r * (n - skipped) + j - skipped]);
                }
            }
        }
        made.shape("rows %d, n %d, skipped %d".formatted(rows, n, skipped));
        made.runs(new PwlEncoding(made.device()).decode(rows, n, skipped, made.input(p), made.output("f", f, 2e-6)));
    }
}
