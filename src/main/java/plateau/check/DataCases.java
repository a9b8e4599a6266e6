package plateau.check;

import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.Initializer;
import plateau.kernel.LineData;
import plateau.kernel.ParityData;
import plateau.kernel.PwlData;
import plateau.kernel.StepData;
import plateau.kernel.StocksData;

/**
 * Kernels that draw data. They give the same bits everywhere: the hashes were taken on a CPU, and
 * whatever changes one changes all results of the experiments that draw from it. That the data is
 * what it should be, the tests of {@code plateau.kernel} say.
 */
final class DataCases {
    private static final long SEED = 7;
    private static final int STREAM = 3;
    private static final int STEP = 11;

    private DataCases() {}

    static List<Row> rows() {
        return List.of(
                Row.fixed(
                        "philox_words, counters 0",
                        made -> philox(made, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)),
                Row.fixed(
                        "philox_words, counters -1",
                        made -> philox(made, -1, -1, -1, -1, -1, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd)),
                Row.fixed(
                        "philox_words, digits of pi",
                        made -> philox(
                                made,
                                0x243f6a88,
                                0x85a308d3,
                                0x13198a2e,
                                0x03707344,
                                0x299f31d0_a4093822L,
                                0xd16cfe09,
                                0x94fdcceb,
                                0x5001e420,
                                0x24126ea1)),
                Row.golden(
                        "standard_normal",
                        "a06c5b8946c85f8cadce5542f45cdcad01b90a67cc03c0b340c4282d64fb10b8",
                        DataCases::normals),
                Row.golden(
                        "truncated_normal",
                        "a6ed09d33cbd36a7c1efa7002133580be2434081b1a06d1d9db42e25da4e83fd",
                        DataCases::truncated),
                Row.golden(
                        "parity_subset + parity_batch",
                        "1e96593988375e8cee4a49f2d93fc4da7f0a295c2021e2acde23d2f3e3cd113d",
                        made -> parity(made, 131, 77, -1)),
                Row.golden(
                        "parity_subset + parity_batch, a size given",
                        "5f99029f4b7944c061eaa9a60c30e75bd608e20f55a96fa0774352dfa2dbcb26",
                        made -> parity(made, 64, 300, 5)),
                Row.golden(
                        "parity_subset + parity_batch, one bit",
                        "c2a37bcd801d5e0bea92a84c6aa1038593cb92cdd2ec2f8801d50c8ace1ce5ce",
                        made -> parity(made, 1, 1, -1)),
                Row.golden(
                        "line_tuples, the paper's",
                        "19f7fcedef08caaab6dc238edad8ae2c22e05775eb162956ea44bd654b201acc",
                        made -> lines(made, 0, 67, 3, LineData.Raster.PAPER)),
                Row.golden(
                        "line_tuples, the program's",
                        "33ee0a0a3a9b608ea3a91d871cd1fc37067ee5cb817faecf52ac038e2bd979d3",
                        made -> lines(made, 20, 33, 2, LineData.Raster.PROGRAM)),
                Row.golden(
                        "pwl_curves, the paper's",
                        "0330adcd9a1c704c540ca9ceb6088aa434217e0808637db5e79abb872b093094",
                        made -> curves(made, 67, 0, PwlData.Law.PAPER)),
                Row.golden(
                        "pwl_curves, the program's",
                        "cd296f66c5e52fab503ffb25253c17f8c1315436f15881eef636785b762cd2aa",
                        made -> curves(made, 16, 2, PwlData.Law.PROGRAM)),
                Row.golden(
                        "pwl_curves, real",
                        "fd9080f07aa291b885175b7f392076e31ad3454d7490bc07178d417aa8fc948e",
                        made -> curves(made, 35, 0, PwlData.Law.REAL)),
                Row.golden(
                        "scaled_normals + shifted_levels + step_labels",
                        "59116dbec10c69991b91dd2e1ad9318c5a101e793c928c712abfd60f5475cbd0",
                        made -> step(made, 256, 100)),
                Row.golden(
                        "scaled_normals + shifted_levels + step_labels, a sample",
                        "26f0de9e7e63e198322218439353dd9f425395017d667ef67572209c7471ae7e",
                        made -> step(made, 1, 1)),
                Row.golden(
                        "scaled_normals + shifted_levels + step_labels, odd",
                        "669d8e3b7cdcef12ae44ce087cf7a1c4b7b88aa4bc9c7ecfc8d96935ebaf6a74",
                        made -> step(made, 67, 33)),
                Row.golden(
                        "stock_labels + stock_inputs + stock_signs",
                        "c45b9fa4b17375651527767bd574c9500efe3c456a1566002397aa11b1bfcc09",
                        made -> stocks(made, 100, 1000, 1000)),
                Row.golden(
                        "stock_labels + stock_inputs + stock_signs, few",
                        "7e600d88a55319268ca45a957ddbd3006371e19a7d59a9a11de4bbbd41a70df4",
                        made -> stocks(made, 3, 7, 31)),
                Row.golden(
                        "stock_labels + stock_inputs + stock_signs, odd",
                        "1da9cf0acde1270d6b503f551807d505963c1da86ed92997c6dd468364ca9a0e",
                        made -> stocks(made, 257, 5, 129)));
    }

    /** The vectors published with Random123 (kat_vectors) for philox4x32-10. */
    private static void philox(KernelCase made, int c0, int c1, int c2, int c3, long seed, int... words) {
        made.shape("one counter");
        made.runs(new Initializer(made.device())
                .philoxWords(1, c0, c1, c2, c3, made.input(seed), made.exactly("words", words)));
    }

    private static void normals(KernelCase made) {
        int n = 4099;
        made.shape("n " + n);
        made.runs(new Initializer(made.device())
                .standardNormal(n, made.input(SEED), STREAM, STEP, made.bits("normals", 4L * n)));
    }

    private static void truncated(KernelCase made) {
        int n = 4099;
        made.shape("n " + n);
        made.runs(new Initializer(made.device())
                .truncatedNormal(n, made.input(SEED), STREAM, 0.5f, made.bits("normals", 4L * n)));
    }

    private static void parity(KernelCase made, int n, int d, int size) {
        made.shape("n %d, d %d, size %d".formatted(n, d, size));
        ParityData data = new ParityData(made.device());
        DeviceBuffer subset = made.bits("subset", 4L * ParityData.subsetWords(d)),
                x = made.bits("x", 4L * n * d),
                y = made.bits("y", 4L * n);
        made.runs(Work.sequence(
                "parity",
                List.of(
                        data.subset(d, size, made.input(SEED), STREAM, subset),
                        data.batch(n, d, made.input(SEED), STREAM + 1, made.input(STEP), subset, x, y))));
    }

    private static void lines(KernelCase made, int first, int n, int k, LineData.Raster raster) {
        made.shape("first %d, n %d, k %d, %s".formatted(first, n, k, raster));
        DeviceBuffer x = made.bits("x", 4L * n * k * LineData.SIDE * LineData.SIDE),
                y = made.bits("y", 4L * n * k),
                product = made.bits("product", 4L * n);
        made.runs(new LineData(made.device())
                .tuples(first, n, k, raster, made.input(SEED), STREAM, made.input(STEP), x, y, product));
    }

    private static void curves(KernelCase made, int samples, int skipped, PwlData.Law law) {
        int n = 100;
        made.shape("samples %d, skipped %d, %s".formatted(samples, skipped, law));
        DeviceBuffer f = made.bits("f", 4L * samples * n),
                p = law == PwlData.Law.REAL ? null : made.bits("p", 4L * samples * (n - skipped));
        made.runs(new PwlData(made.device())
                .curves(samples, n, skipped, law, made.input(SEED), STREAM, made.input(STEP), f, p));
    }

    private static void step(KernelCase made, int n, int d) {
        float[] offsets = {-5, -1, -0.2f, 0, 0.1f, 0.15f, 0.175f, 1, 2}; // around zero, where the scores lie
        made.shape("n %d, d %d".formatted(n, d));
        StepData data = new StepData(made.device());
        DeviceBuffer task = made.bits("task", 4L * (d + 1)),
                w = task.slice(0, 4L * d),
                b = task.slice(4L * d, 4),
                z = made.bits("levels", 4L * offsets.length),
                x = made.bits("x", 4L * n * d),
                r = made.bits("scores", 4L * n),
                label = made.bits("labels", 4L * n),
                y = made.bits("y", 4L * n);
        made.runs(Work.sequence(
                "step",
                List.of(
                        data.normals(d + 1, 1, made.input(SEED), STREAM, made.input(0), task),
                        data.shiftedLevels(offsets.length, made.input(offsets), b, z),
                        data.normals(n * d, 0.01f, made.input(SEED), STREAM + 1, made.input(STEP), x),
                        data.labels(n, d, offsets.length, x, w, b, z, r, label, y))));
    }

    private static void stocks(KernelCase made, int n, int d, int k) {
        made.shape("n %d, d %d, k %d".formatted(n, d, k));
        StocksData data = new StocksData(made.device());
        DeviceBuffer label = made.bits("labels", 4L * d),
                x = made.bits("x", 4L * n),
                y = made.bits("y", 4L * n),
                signs = made.bits("signs", 4L * StocksData.signWords(n, k));
        made.runs(Work.sequence(
                "stocks",
                List.of(
                        data.labels(d, k, made.input(SEED), STREAM, label),
                        data.batch(n, d, k, made.input(SEED), STREAM + 1, made.input(STEP), label, x, y, signs))));
    }
}
