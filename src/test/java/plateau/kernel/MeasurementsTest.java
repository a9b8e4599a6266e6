package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.kernel.Measurements.Measured;
import plateau.reference.Faults;
import plateau.reference.Seeds;
import plateau.reference.TestDevice;

/** Who computes a shape, where that is measured. */
class MeasurementsTest {
    private static final int M = 70, N = 66, K = 130;
    private static final String FORWARD = "dense_forward 70 x 66 x 130, bias, ReLU";
    private static final String INPUT = "dense_backward_input 70 x 66 x 130, ReLU";
    private static final String WEIGHTS = "dense_backward_weights 70 x 66 x 130, bias";
    private static final int OUT_OF_MEMORY = 2;

    private final Seeds seeds = Seeds.next();
    private Device device;
    private DeviceBuffer x;
    private DeviceBuffer w;
    private DeviceBuffer bias;
    private DeviceBuffer y;

    @BeforeEach
    void open() {
        device = TestDevice.open();
        x = device.upload(seeds.floats(M * K));
        w = device.upload(seeds.floats(K * N));
        bias = device.upload(seeds.floats(N));
        y = device.upload(seeds.floats(M * N));
    }

    @AfterEach
    void close() {
        Faults.clear();
        List.of(x, w, bias, y).forEach(DeviceBuffer::close);
        device.close();
    }

    private List<Work> layer(Dense dense) {
        return List.of(
                dense.forward(M, N, K, x, w, bias, true, y),
                dense.backwardInput(M, N, K, y, w, x, x),
                dense.backwardWeights(M, N, K, x, y, w, bias));
    }

    private static boolean isByLibrary(Work work) {
        return work.parts().stream().anyMatch(part -> part.name().startsWith("cublas"));
    }

    @Test
    void theFasterOneComputesAndIsKept() {
        float[] before = y.toFloats();
        Measurements measurements = new Measurements();
        List<Work> works = layer(new Dense(device, Dense.Products.MEASURED, measurements));
        Map<String, Measured> first = measurements.all();
        assertEquals(Set.of(FORWARD, INPUT, WEIGHTS), first.keySet());
        first.forEach((shape, times) -> {
            assertTrue(times.kernels() > 0 && times.library() > 0, shape + times);
            assertEquals(times.library() < 0.9 * times.kernels(), times.byLibrary(), shape + times);
        });
        assertEquals(first.get(FORWARD).byLibrary(), isByLibrary(works.get(0)));
        assertEquals(first.get(INPUT).byLibrary(), isByLibrary(works.get(1)));
        assertEquals(first.get(WEIGHTS).byLibrary(), isByLibrary(works.get(2)));
        assertArrayEquals(before, y.toFloats(), "operands are left alone");
        layer(new Dense(device, Dense.Products.MEASURED, measurements));
        assertEquals(first, measurements.all(), "nothing is measured twice");
    }

    /** Exactly 10 % less is not clearly less. */
    @Test
    void aLibraryMustBeClearlyFaster() {
        assertEquals(new Measured(true, 10, 8.99), Measured.of(10, 8.99));
        assertEquals(new Measured(false, 10, 9), Measured.of(10, 9));
    }

    @Test
    void whatIsKnownDecides() {
        for (boolean byLibrary : new boolean[] {true, false}) {
            Measured known = new Measured(byLibrary, 1, 1);
            Measurements measurements = new Measurements(Map.of(FORWARD, known, INPUT, known, WEIGHTS, known));
            for (Work work : layer(new Dense(device, Dense.Products.MEASURED, measurements))) {
                assertEquals(byLibrary, isByLibrary(work), work.name());
            }
            assertEquals(known, measurements.all().get(FORWARD));
        }
    }

    @Test
    void whatIsNamedIsNotMeasured() {
        Measured known = new Measured(true, 1, 1);
        for (Dense.Products path : List.of(Dense.Products.KERNELS, Dense.Products.CUBLAS)) {
            Measurements measurements = new Measurements(Map.of(FORWARD, known));
            for (Work work : layer(new Dense(device, path, measurements))) {
                assertEquals(path == Dense.Products.CUBLAS, isByLibrary(work), work.name());
            }
            assertEquals(Map.of(FORWARD, known), measurements.all());
        }
    }

    @Test
    void bothGiveTheSameProduct() {
        float[][] results = new float[2][];
        try (Stream stream = device.createStream()) {
            for (int i = 0; i < 2; i++) {
                Measurements known = new Measurements(Map.of(FORWARD, new Measured(i == 1, 1, 1)));
                new Dense(device, Dense.Products.MEASURED, known)
                        .forward(M, N, K, x, w, bias, true, y)
                        .enqueue(stream);
                stream.synchronize();
                results[i] = y.toFloats();
            }
        }
        assertArrayEquals(results[0], results[1], 1e-4f, seeds.message("products differ"));
    }

    /** A run that has its memory is not to fail for want of more to measure with. */
    @Test
    void withoutMemoryToMeasureTheKernelsCompute() {
        device.blas().orElseThrow();
        Measurements measurements = new Measurements();
        Dense dense = new Dense(device, Dense.Products.MEASURED, measurements);
        Faults.inject("cuMemAlloc", 1, OUT_OF_MEMORY);
        Work work = dense.forward(M, N, K, x, w, bias, true, y);
        assertEquals(false, isByLibrary(work));
        assertEquals(Map.of(), measurements.all());
    }

    @Test
    void convolutionsAreMeasuredForwardAndBackward() {
        Conv2d.Geometry s = new Conv2d.Geometry(6, 28, 28, 1, 16, 5);
        String shape = "conv2d 6 x 28 x 28 x 1 to 16, window 5";
        Measurements measurements = new Measurements();
        Conv2d conv2d = new Conv2d(device, Conv2d.Convolutions.MEASURED, measurements);
        boolean[] byLibrary = {
            conv2d.byCudnn(s, false, false).isPresent(),
            conv2d.byCudnn(s, true, false).isPresent(),
            conv2d.byCudnn(s, true, true).isPresent()
        };
        Map<String, Measured> all = measurements.all();
        assertEquals(Set.of(shape, shape + ", input gradient", shape + ", input gradient, background"), all.keySet());
        assertEquals(all.get(shape).byLibrary(), byLibrary[0]);
        assertEquals(all.get(shape + ", input gradient").byLibrary(), byLibrary[1]);
        assertEquals(all.get(shape + ", input gradient, background").byLibrary(), byLibrary[2]);
        for (boolean known : new boolean[] {true, false}) {
            Measurements earlier = new Measurements(Map.of(shape, new Measured(known, 1, 1)));
            assertEquals(
                    known,
                    new Conv2d(device, Conv2d.Convolutions.MEASURED, earlier)
                            .byCudnn(s, false, false)
                            .isPresent());
        }
    }
}
