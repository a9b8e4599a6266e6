package plateau.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import plateau.cuda.Device;
import plateau.reference.Seeds;

/** One-dimensional convolution and its gradients against the definition. */
class Conv1dTest extends KernelCases {
    @Override
    Map<String, Maker> cases() {
        Map<String, Maker> cases = new LinkedHashMap<>();
        cases.put("conv1d_forward", (device, seeds) -> conv1d(device, seeds, 0));
        cases.put("conv1d_backward_data", (device, seeds) -> conv1d(device, seeds, 1));
        cases.put("conv1d_backward_filter", (device, seeds) -> conv1d(device, seeds, 2));
        return cases;
    }

    /** @param part 0: forward, 1: backward data, 2: backward filter */
    private static KernelCase conv1d(Device device, Seeds seeds, int part) {
        int taps = seeds.choose(1, 2, 3, 5, 8),
                length = taps + seeds.choose(0, 1, 30, 97, 131),
                batch = seeds.choose(1, 3, 7),
                in = seeds.choose(1, 2, 5),
                out = seeds.choose(1, 3, 4);
        Conv1d.Geometry shape = taps % 2 == 1 && seeds.random().nextBoolean()
                ? Conv1d.Geometry.same(batch, in, out, length, taps)
                : Conv1d.Geometry.valid(batch, in, out, length, taps);
        int outLength = shape.outLength();
        float[] x = seeds.floats(batch * in * length),
                w = seeds.floats(out * in * taps),
                dy = seeds.floats(batch * out * outLength);
        double[] y = new double[dy.length], dx = new double[x.length], dw = new double[w.length];
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
                                y[to] += (double) w[weight] * x[from];
                                dx[from] += (double) w[weight] * dy[to];
                                dw[weight] += (double) dy[to] * x[from];
                            }
                        }
                    }
                }
            }
        }
        KernelCase made = new KernelCase(device, shape.toString());
        Conv1d conv1d = new Conv1d(device);
        made.runs(
                switch (part) {
                    case 0 -> conv1d.forward(shape, made.input(x), made.input(w), made.sums("y", y, 1e-5));
                    case 1 -> conv1d.backwardData(shape, made.input(dy), made.input(w), made.sums("dx", dx, 1e-5));
                    default -> conv1d.backwardFilter(shape, made.input(x), made.input(dy), made.sums("dw", dw, 1e-5));
                });
        return made;
    }
}
