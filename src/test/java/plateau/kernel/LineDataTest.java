package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.DoubleSupplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.kernel.LineData.Raster;
import plateau.reference.TestDevice;

/** Images of lines: pixels against a float64 rasteriser; distributions. */
class LineDataTest {
    private static final int SIDE = 28;
    private static final int PIXELS = SIDE * SIDE;
    private static final long SEED = 7;
    private static final int STREAM = 3;

    /** Within this distance of a place where rounding changes, a point may fall to either side. */
    private static final double UNCERTAIN = 5e-6;

    private record Tuples(float[] x, float[] y, float[] product) {}

    private static Tuples draw(int first, int n, int k, Raster raster, int step) {
        try (Device device = TestDevice.open();
                DeviceBuffer x = device.allocate((long) n * k * PIXELS * Float.BYTES);
                DeviceBuffer y = device.allocate((long) n * k * Float.BYTES);
                DeviceBuffer product = device.allocate((long) n * Float.BYTES);
                DeviceBuffer seed = device.upload(SEED);
                DeviceBuffer counter = device.upload(step)) {
            KernelRuns.run(
                    device, new LineData(device).tuples(first, n, k, raster, seed, STREAM, counter, x, y, product));
            return new Tuples(x.toFloats(), y.toFloats(), product.toFloats());
        }
    }

    private static Tuples draw(int n, int k, Raster raster, int step) {
        return draw(0, n, k, raster, step);
    }

    /** The four uniform numbers of each image: turn, length, and both coordinates of the centre. */
    private static double[][] uniforms(int images, int step) {
        try (Device device = TestDevice.open();
                DeviceBuffer seed = device.upload(SEED);
                DeviceBuffer words = device.allocate(4L * images * Integer.BYTES)) {
            KernelRuns.run(device, new Initializer(device).philoxWords(images, 0, STREAM, step, 0, seed, words));
            int[] bits = words.toInts();
            return IntStream.range(0, images)
                    .mapToObj(i -> IntStream.range(0, 4)
                            .mapToDouble(j -> (bits[4 * i + j] >>> 8) / (double) (1 << 24))
                            .toArray())
                    .toArray(double[][]::new);
        }
    }

    /**
     * Pixels of a line, in float64: 1 where a point surely lies, NaN where one may. Returns the
     * number of points that are not sure.
     */
    private static int rasterise(
            double turn, double length, double row, double column, Raster raster, double[] pixels) {
        double half = Math.floor((5 + 18 * length) / 2), extent = raster == Raster.PAPER ? 27 : 28;
        int uncertain = 0;
        for (double i = 1 - half; i < half; i++) {
            double r = row * extent + i * Math.cos(Math.PI * turn), c = column * extent + i * Math.sin(Math.PI * turn);
            int[] near = {
                pixel(r - UNCERTAIN, c - UNCERTAIN, raster),
                pixel(r - UNCERTAIN, c + UNCERTAIN, raster),
                pixel(r + UNCERTAIN, c - UNCERTAIN, raster),
                pixel(r + UNCERTAIN, c + UNCERTAIN, raster)
            };
            boolean sure = Arrays.stream(near).distinct().count() == 1;
            uncertain += sure ? 0 : 1;
            for (int at : near) {
                if (at >= 0 && pixels[at] != 1) {
                    pixels[at] = sure ? 1 : Double.NaN;
                }
            }
        }
        return uncertain;
    }

    private static int pixel(double row, double column, Raster raster) {
        int r = raster == Raster.PAPER ? (int) Math.floor(row + 0.5) : (int) row,
                c = raster == Raster.PAPER ? (int) Math.floor(column + 0.5) : (int) column;
        return r < 0 || r >= SIDE || c < 0 || c >= SIDE ? -1 : r * SIDE + c;
    }

    /**
     * Every pixel of 20,000 images. A coordinate lies within 5e-6 of a boundary with probability
     * 1e-5: some five points may fall either way.
     */
    @ParameterizedTest
    @EnumSource(Raster.class)
    void pixelsAreThoseOfTheFloat64Rasteriser(Raster raster) {
        int images = 20_000, uncertain = 0;
        Tuples drawn = draw(images, 1, raster, 1);
        double[][] uniforms = uniforms(images, 1);
        for (int image = 0; image < images; image++) {
            double[] u = uniforms[image], pixels = new double[PIXELS];
            uncertain += rasterise(u[0], u[1], u[2], u[3], raster, pixels);
            for (int i = 0; i < PIXELS; i++) {
                double got = drawn.x[image * PIXELS + i];
                assertTrue(
                        Double.isNaN(pixels[i]) ? got == 0 || got == 1 : got == pixels[i],
                        "image " + image + ", pixel " + i + " is " + got + ", not " + pixels[i]);
            }
            assertEquals(u[0] < 0.5 ? 1 : -1, drawn.y[image], "label of image " + image);
        }
        assertTrue(uncertain < 25, uncertain + " points are not sure");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 7})
    void aTuplesLabelIsTheProductOfItsImages(int k) {
        int n = 301;
        Tuples drawn = draw(n, k, Raster.PAPER, 2);
        for (int i = 0; i < n; i++) {
            float product = 1;
            for (int j = 0; j < k; j++) {
                product *= drawn.y[i * k + j];
            }
            assertEquals(product, drawn.product[i]);
        }
    }

    /**
     * An image depends on its place in the batch alone, not on how many make a tuple or a launch.
     */
    @Test
    void partsOfABatchAreThatBatch() {
        Tuples whole = draw(60, 3, Raster.PROGRAM, 5),
                part = draw(20, 17, 3, Raster.PROGRAM, 5),
                singles = draw(180, 1, Raster.PROGRAM, 5);
        assertArrayEquals(Arrays.copyOfRange(whole.x, 60 * PIXELS, 111 * PIXELS), part.x);
        assertArrayEquals(Arrays.copyOfRange(whole.y, 60, 111), part.y);
        assertArrayEquals(Arrays.copyOfRange(whole.product, 20, 37), part.product);
        assertArrayEquals(whole.x, singles.x);
    }

    @Test
    void stepsGiveOtherBatches() {
        assertFalse(Arrays.equals(draw(10, 2, Raster.PAPER, 7).x, draw(10, 2, Raster.PAPER, 8).x));
    }

    /**
     * Labels balance; angles, lengths and centres fill 64 cells each evenly: chi-square of 63
     * degrees of freedom, whose 99.99 % point is 110.
     */
    @Test
    void anglesLengthsAndCentresAreUniform() {
        int images = 40_000;
        double[][] uniforms = uniforms(images, 4);
        double sum = 0;
        for (float label : draw(images, 1, Raster.PAPER, 4).y) {
            sum += label;
        }
        assertEquals(0, sum / images, 5 / Math.sqrt(images));
        for (int j = 0; j < 4; j++) {
            double[] cells = new double[64];
            for (double[] u : uniforms) {
                cells[(int) (64 * u[j])]++;
            }
            double chiSquare = Arrays.stream(cells)
                    .map(count -> Math.pow(count - images / 64.0, 2) / (images / 64.0))
                    .sum();
            assertTrue(chiSquare < 110, "chi-square " + chiSquare + " of number " + j);
        }
    }

    /**
     * Moments of an image's number of pixels and of their rows and columns, against as many lines
     * from another generator: within five standard errors.
     */
    @ParameterizedTest
    @EnumSource(Raster.class)
    void pixelsAreAsManyAndWhereOtherLinesHaveThem(Raster raster) {
        int images = 20_000;
        Tuples drawn = draw(images, 1, raster, 6);
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);
        DoubleSupplier u = random::nextDouble;
        double[][] here = new double[images][], there = new double[images][];
        for (int i = 0; i < images; i++) {
            double[] pixels = new double[PIXELS];
            rasterise(u.getAsDouble(), u.getAsDouble(), u.getAsDouble(), u.getAsDouble(), raster, pixels);
            there[i] = moments(pixels);
            int first = i * PIXELS;
            here[i] = moments(IntStream.range(0, PIXELS)
                    .mapToDouble(p -> drawn.x[first + p])
                    .toArray());
        }
        for (int m = 0; m < 4; m++) {
            double mean = 0, other = 0, variance = 0;
            for (int i = 0; i < images; i++) {
                mean += here[i][m] / images;
                other += there[i][m] / images;
            }
            for (int i = 0; i < images; i++) {
                variance += (Math.pow(here[i][m] - mean, 2) + Math.pow(there[i][m] - other, 2)) / images;
            }
            assertEquals(other, mean, 5 * Math.sqrt(variance / images), "moment " + m);
        }
    }

    /** The number of pixels, its square, and the sums of their rows and of their columns. */
    private static double[] moments(double[] pixels) {
        double[] moments = new double[4];
        for (int i = 0; i < PIXELS; i++) {
            double set = Double.isNaN(pixels[i]) ? 1 : pixels[i];
            moments[0] += set;
            moments[2] += set * (i / SIDE);
            moments[3] += set * (i % SIDE);
        }
        moments[1] = moments[0] * moments[0];
        return moments;
    }
}
