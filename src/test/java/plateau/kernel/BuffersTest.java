package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.reference.TestDevice;

/** Buffers that do not fit are refused before a kernel writes past their ends. */
class BuffersTest {
    private Device device;
    private DeviceBuffer two;
    private DeviceBuffer large;

    @BeforeEach
    void open() {
        device = TestDevice.open();
        two = device.allocate(2 * Float.BYTES);
        large = device.allocate(1024);
    }

    @AfterEach
    void close() {
        large.close();
        two.close();
        device.close();
    }

    private static String refusal(Executable launcher) {
        return assertThrows(IllegalArgumentException.class, launcher).getMessage();
    }

    /** However the product runs. */
    @Test
    void aProductHasRoomForItsResult() {
        for (Dense.Products path : List.of(Dense.Products.KERNELS, Dense.Products.CUBLAS)) {
            Dense dense = new Dense(device, path);
            assertEquals(
                    "Dense.forward: y(16, 16) needs 1024 bytes, the buffer has 8",
                    refusal(() -> dense.forward(16, 16, 4, large, large, null, false, two)));
            assertEquals(
                    "Dense.backwardWeights: dbias(16) needs 64 bytes, the buffer has 8",
                    refusal(() -> dense.backwardWeights(4, 16, 4, large, large, large, two)));
        }
    }

    @Test
    void nullStandsForNoneOnlyWhereItIsSaidTo() {
        Dense dense = new Dense(device, Dense.Products.KERNELS);
        dense.forward(2, 2, 2, large, large, null, false, large);
        assertEquals(
                "Dense.forward: x(2, 3) is null",
                refusal(() -> dense.forward(2, 2, 3, null, large, null, false, large)));
        assertEquals("Hinge.forward: loss(7) is null", refusal(() -> new Hinge(device).forward(7, large, large, null)));
    }

    @Test
    void elementsHaveTheirBytes() {
        new PwlEncoding(device).moments(3, 4, large, large.slice(0, 3 * 6 * 8));
        assertEquals(
                "PwlEncoding.moments: moments(3, 6) needs 144 bytes, the buffer has 143",
                refusal(() -> new PwlEncoding(device).moments(3, 4, large, large.slice(0, 143))));
    }

    @Test
    void sizesAreThoseOfAShape() {
        Hinge hinge = new Hinge(device);
        assertEquals("Hinge.forward: p(-1) has a negative size", refusal(() -> hinge.forward(-1, large, large, large)));
        Losses losses = new Losses(device);
        assertEquals(
                "Losses.squaredError: p(2147483647, 2147483647) needs 18446744056529682436 bytes, the buffer has 1024",
                refusal(() ->
                        losses.squaredError(Integer.MAX_VALUE, Integer.MAX_VALUE, 1, 1, large, large, large, null)));
    }

    @Test
    void aRingHasARow() {
        Metrics metrics = new Metrics(device);
        metrics.lossAndDistance(2, two, 0, null, null, two, two, 1);
        assertEquals(
                "Metrics.lossAndDistance: ring(0, 2) has no row",
                refusal(() -> metrics.lossAndDistance(2, two, 0, null, null, two, two, 0)));
        assertEquals(
                "Metrics.lossAndDistance: ring(1, 3) needs 12 bytes, the buffer has 8",
                refusal(() -> metrics.lossAndDistance(2, two, 2, two, two, two, two, 1)));
        assertEquals(
                "Metrics.lossAndDistance: b(2) is null",
                refusal(() -> metrics.lossAndDistance(2, two, 2, two, null, two, large, 1)));
    }

    @Test
    void theMemoryOfAConvolutionIsThatOfItsShape() {
        Conv2d convolution = new Conv2d(device, Conv2d.Convolutions.KERNELS);
        Conv2d.Geometry shape = new Conv2d.Geometry(1, 2, 2, 1, 1, 1);
        Conv2d.Memory memory = convolution.memory(shape, bytes -> large.slice(0, bytes));
        convolution.forward(shape, large, null, large, large, large, memory);
        Conv2d.Geometry larger = new Conv2d.Geometry(1, 2, 2, 2, 1, 1);
        assertEquals(
                "Conv2d.forward: memory.packed(128) needs 128 bytes, the buffer has 64",
                refusal(() -> convolution.forward(larger, large, null, large, large, large, memory)));
    }
}
