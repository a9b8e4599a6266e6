package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.load.KernelImages;
import plateau.reference.TestDevice;

/**
 * The step functions against their formulas, and what they make of values at and past the ends of
 * floats.
 */
class StepFunctionTest {
    private static final float INFINITY = Float.POSITIVE_INFINITY;

    @ParameterizedTest
    @EnumSource(KernelImages.class)
    void endsAndNotANumber(KernelImages images) {
        float[] scores = {-INFINITY, -1e30f, -1, 0, 2, 1e30f, INFINITY, Float.NaN};
        int n = scores.length;
        try (Device device = TestDevice.open(images);
                Stream stream = device.createStream();
                DeviceBuffer z = device.upload(-1f, 0f, 2f);
                DeviceBuffer c = device.upload(0f, 1000f, 1000f);
                DeviceBuffer r = device.upload(scores);
                DeviceBuffer rounded = device.allocate(r.bytes());
                DeviceBuffer smooth = device.allocate(r.bytes());
                DeviceBuffer derivative = device.allocate(r.bytes())) {
            StepFunction step = new StepFunction(device);
            step.forward(n, 3, z, r, rounded).enqueue(stream);
            step.smoothForward(n, 3, z, z, c, r, smooth, derivative).enqueue(stream);
            stream.synchronize();
            assertArrayEquals(new float[] {-1, -1, -1, 0, 2, 2, 2, -1}, rounded.toFloats());
            // On a rise of height h and steepness c: half way up, with slope c h / 4.
            assertArrayEquals(new float[] {-1, -1, -1, -0.5f, 1, 2, 2, Float.NaN}, smooth.toFloats(), 1e-5f);
            float[] slopes = derivative.toFloats();
            assertArrayEquals(new float[] {0, 0, 0, 250, 500, 0, 0}, java.util.Arrays.copyOf(slopes, n - 1), 1e-3f);
            assertEquals(Float.NaN, slopes[n - 1]);
        }
    }
}
