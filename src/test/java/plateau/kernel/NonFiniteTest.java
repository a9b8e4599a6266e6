package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.reference.TestDevice;

/** What is not finite on the way through a step. */
class NonFiniteTest {
    /** Fast arithmetic may not swallow what shows that a run has diverged. */
    @Test
    void nonFiniteValuesSurvive() {
        float nan = Float.NaN, infinity = Float.POSITIVE_INFINITY;
        try (Device device = TestDevice.open();
                DeviceBuffer x = device.upload(nan, 1, infinity, 1, 1, 1);
                DeviceBuffer w = device.upload(1f, 1f, 1f, 1f, 1f, 1f);
                DeviceBuffer y = device.allocate(6 * Float.BYTES);
                DeviceBuffer signs = device.upload(1f, 1f, 1f, 1f, 1f, 1f);
                DeviceBuffer loss = device.allocate(6 * Float.BYTES);
                DeviceBuffer gradient = device.allocate(6 * Float.BYTES);
                DeviceBuffer step = device.upload(0);
                DeviceBuffer ring = device.allocate(3 * Float.BYTES);
                Stream stream = device.createStream()) {
            new Dense(device, Dense.Products.KERNELS)
                    .forward(3, 2, 2, x, w, null, true, y)
                    .enqueue(stream);
            new Hinge(device).forwardBackward(6, 1, y, signs, loss, gradient).enqueue(stream);
            new Metrics(device)
                    .lossAndAccuracy(6, loss, y, signs, step, ring, 1)
                    .enqueue(stream);
            new Updates(device).sgd(6, w, x, y).enqueue(stream);
            stream.synchronize();
            assertArrayEquals(new float[] {nan, nan, infinity, infinity, 2, 2}, y.toFloats());
            assertTrue(Float.isNaN(loss.toFloats()[0]), "hinge of NaN");
            assertTrue(Float.isNaN(ring.toFloats()[1]), "mean of NaN");
            assertTrue(Float.isNaN(x.toFloats()[0]), "sgd of NaN");
            assertEquals(Float.NaN, x.toFloats()[2], "infinity minus infinity");
        }
    }
}
