package plateau.check;

import java.util.List;
import plateau.kernel.Conv1d;

/** One-dimensional convolution and its gradients against the definition. */
final class Conv1dCases {
    private Conv1dCases() {}

    static List<Row> rows() {
        return List.of(
                Row.random("conv1d_forward", (made, draws) -> conv1d(made, draws, 0)),
                Row.random("conv1d_backward_data", (made, draws) -> conv1d(made, draws, 1)),
                Row.random("conv1d_backward_filter", (made, draws) -> conv1d(made, draws, 2)));
    }

    /** @param part 0: forward, 1: backward data, 2: backward filter */
    private static void conv1d(KernelCase made, Draws draws, int part) {
        int taps = draws.choose(1, 2, 3, 5, 8),
                length = taps + draws.choose(0, 1, 30, 97, 131),
                batch = draws.choose(1, 3, 7),
                in = draws.choose(1, 2, 5),
                out = draws.choose(1, 3, 4);
        Conv1d.Geometry shape = taps % 2 == 1 && draws.random().nextBoolean()
                ? Conv1d.Geometry.same(batch, in, out, length, taps)
                : Conv1d.Geometry.valid(batch, in, out, length, taps);
        int outLength = shape.outLength();
        float[] x = draws.floats(batch * in * length),
                w = draws.floats(out * in * taps),
                dy = draws.floats(batch * out * outLength);
        Sums y = new Sums(dy.length), dx = new Sums(x.length), dw = new Sums(w.length);
        for (int b = 0; b < batch; b++) {
            for (int o = 0; o < out; o++) {
                for (int t = 0; t < outLength; t++) {
                    for (int c = 0; c < in; c++) {
                        for (int j = 0; j < taps; j++) {
                            int at = t + j - shape.padding(),
                                    weight = (o * in + c) * taps + j,
                                    to = (b * out + o) * outLength + t,
                                    from = (b * in + c) * length + at;
                            if (at >= 0 && at < length) {
                                y.add(to, (double) w[weight] * x[from]);
                                dx.add(from, (double) w[weight] * dy[to]);
                                dw.add(weight, (double) dy[to] * x[from]);
                            }
                        }
                    }
                }
            }
        }
        made.shape(shape.toString());
        Conv1d conv1d = new Conv1d(made.device());
        made.runs(
                switch (part) {
                    case 0 -> conv1d.forward(shape, made.input(x), made.input(w), made.output("y", y, 1e-6));
                    case 1 -> conv1d.backwardData(shape, made.input(dy), made.input(w), made.output("dx", dx, 1e-6));
                    default -> conv1d.backwardFilter(shape, made.input(x), made.input(dy), made.output("dw", dw, 1e-6));
                });
    }
}
