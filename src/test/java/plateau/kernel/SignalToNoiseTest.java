package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Launch;
import plateau.cuda.Work;
import plateau.cuda.load.KernelImages;
import plateau.reference.Seeds;
import plateau.reference.TestDevice;

/**
 * The float64 statistics of gradients, each kernel against plain sums at random shapes, as used and
 * at every block size; the estimates against what they estimate.
 */
class SignalToNoiseTest {
    private static final int ROUNDS = 4;

    /** @param block real threads; 0: as used */
    private static Device open(int block) {
        return TestDevice.open(block == 0 ? KernelImages.PRODUCTION : KernelImages.FIBERS);
    }

    private static void run(Device device, Work work, int block) {
        KernelRuns.run(device, block == 0 ? work : ((Launch) work).withBlock(block));
    }

    private static DeviceBuffer upload(Device device, double[] values) {
        int[] words = new int[2 * values.length];
        ByteBuffer bytes = ByteBuffer.allocate(words.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asDoubleBuffer().put(values);
        bytes.asIntBuffer().get(words);
        return device.upload(words);
    }

    private static double[] normals(Seeds seeds, int count) {
        return DoubleStream.generate(seeds.random()::nextGaussian).limit(count).toArray();
    }

    /**
     * Moments of n vectors (g, 1), upper triangle; what lies below is NaN, since nobody may read
     * it.
     */
    private static double[] moments(double[] g, int n, int weights) {
        int count = weights + 1;
        double[] moment = new double[count * count];
        for (int a = 0; a < count; a++) {
            for (int b = 0; b < count; b++) {
                for (int i = 0; i < n; i++) {
                    moment[a * count + b] +=
                            (a < weights ? g[i * weights + a] : 1) * (b < weights ? g[i * weights + b] : 1);
                }
                moment[a * count + b] = b < a ? Double.NaN : moment[a * count + b];
            }
        }
        return moment;
    }

    /**
     * Over 400 experiments of 300 samples the unbiased estimate is right on average, and misses by
     * its standard error; the plain one is too large by Noi/n.
     */
    @Test
    void theUnbiasedEstimateAndItsErrorAreRight() {
        Seeds seeds = Seeds.next();
        int experiments = 400, n = 300, weights = 5;
        double truth = 0, mean = 0, square = 0, claimed = 0, plain = 0;
        for (int c = 0; c < weights; c++) {
            truth += Math.pow(0.03 * c, 2);
        }
        try (Device device = open(0);
                DeviceBuffer counter = device.upload(0);
                DeviceBuffer ring = device.allocate(13L * Float.BYTES)) {
            for (int e = 0; e < experiments; e++) {
                double[] g = normals(seeds, n * weights);
                for (int i = 0; i < g.length; i++) {
                    g[i] = (1 + i % weights) * 0.2 * g[i] + 0.03 * (i % weights);
                }
                try (DeviceBuffer moment = upload(device, moments(g, n, weights))) {
                    run(device, new SignalToNoise(device).estimate(weights, moment, moment, counter, ring, 1), 0);
                }
                float[] got = ring.toFloats();
                mean += got[5] / experiments;
                square += Math.pow(got[5] - truth, 2) / experiments;
                claimed += Math.pow(got[6], 2) / experiments;
                plain += got[1] / experiments;
            }
        }
        double error = Math.sqrt(square / experiments);
        assertEquals(truth, mean, 5 * error, seeds.message("mean"));
        assertEquals(1, claimed / square, 0.4, seeds.message("claimed variance over the true one"));
        assertTrue(plain - truth > 5 * error, seeds.message("the plain estimate's bias"));
    }
}
