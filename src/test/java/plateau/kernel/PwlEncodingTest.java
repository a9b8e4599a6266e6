package plateau.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import plateau.cuda.Device;
import plateau.reference.Seeds;

/** Decoding of curves against W p. */
class PwlEncodingTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("pwl_decode", PwlEncodingTest::pwlDecode);
        return cases;
    }

    private static KernelCase pwlDecode(Device device, Seeds seeds) {
        int rows = seeds.choose(1, 2, 7), n = seeds.choose(3, 33, 100, 131), skipped = seeds.choose(0, 2);
        float[] p = seeds.floats(rows * (n - skipped));
        double[] f = new double[rows * n];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < n; i++) {
                for (int j = skipped; j <= i; j++) {
                    f[r * n + i] += (i - j + 1) * (double) p[r * (n - skipped) + j - skipped];
                }
            }
        }
        KernelCase made = new KernelCase(device, "rows %d, n %d, skipped %d".formatted(rows, n, skipped));
        made.runs(new PwlEncoding(device).decode(rows, n, skipped, made.input(p), made.output("f", f, 1e-5)));
        return made;
    }
}
