package plateau.simt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.cuda.CudaException;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Dim;
import plateau.cuda.Kernel;
import plateau.cuda.Stream;
import plateau.cuda.Work;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.KernelImages;

/**
 * What a CUDA device does and native/simt must do too: one kernel of native/test/features.cu each,
 * on fibers.
 */
class FeaturesTest {
    private Device device;

    @BeforeEach
    void open() {
        device = Device.open(DeviceOptions.cpu().withImages(KernelImages.FIBERS));
    }

    @AfterEach
    void close() {
        device.close();
    }

    private Kernel kernel(String name) {
        return device.module("test/features").kernel(name);
    }

    private void run(Work work) {
        try (Stream stream = device.createStream()) {
            work.enqueue(stream);
            stream.synchronize();
        }
    }

    private static int[] lanes(IntUnaryOperator lane) {
        return IntStream.range(0, 32).map(lane).toArray();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8, 16, 32})
    void shufflesStayInTheirSegment(int width) {
        try (DeviceBuffer out = device.allocate(5 * 32 * Integer.BYTES)) {
            run(kernel("shuffles").launch(Dim.of(1), 32, width, out));
            int[] got = out.toInts();
            assertArrayEquals(
                    lanes(lane -> 10 * (lane / width * width + 3)), Arrays.copyOfRange(got, 0, 32), "__shfl_sync");
            assertArrayEquals(
                    lanes(lane -> 10 * (lane % width >= 2 ? lane - 2 : lane)),
                    Arrays.copyOfRange(got, 32, 64),
                    "__shfl_up_sync");
            assertArrayEquals(
                    lanes(lane -> 10 * (lane % width + 2 < width ? lane + 2 : lane)),
                    Arrays.copyOfRange(got, 64, 96),
                    "__shfl_down_sync");
            assertArrayEquals(
                    lanes(lane -> 10 * ((lane ^ 5) < lane / width * width + width ? lane ^ 5 : lane)),
                    Arrays.copyOfRange(got, 96, 128),
                    "__shfl_xor_sync");
            assertArrayEquals(
                    lanes(lane -> 2 * (lane ^ 1) + 1), Arrays.copyOfRange(got, 128, 160), "__shfl_xor_sync of floats");
        }
    }

    @Test
    void votesCountAWarp() {
        try (DeviceBuffer out = device.allocate(64 * Integer.BYTES)) {
            run(kernel("votes").launch(Dim.of(1), 64, out));
            int[] got = out.toInts();
            assertEquals(0xaaaaaaaa + 1, got[0], "no thread of the first warp is number 40; all are below it");
            assertEquals(0xaaaaaaaa + 2, got[32], "one thread of the second warp is; not all are below");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 32, 64, 96, 1024})
    void blocksShareMemoryAndWaitAtBarriers(int threads) {
        int[] values = IntStream.range(0, 192).toArray();
        try (DeviceBuffer buffer = device.upload(values)) {
            run(kernel("reverse_blocks").launch(Dim.of(3), threads, buffer));
            assertArrayEquals(
                    IntStream.range(0, 192).map(i -> i / 64 * 64 + 63 - i % 64).toArray(), buffer.toInts());
        }
    }

    @Test
    void laterBlocksMayHaveBarriersOfTheirOwn() {
        try (DeviceBuffer out = device.allocate(3 * 96 * Integer.BYTES)) {
            run(kernel("barrier_in_later_blocks").launch(Dim.of(3), 96, out));
            assertArrayEquals(
                    IntStream.range(0, 288).map(i -> i < 96 ? -1 : i / 96).toArray(), out.toInts());
        }
    }

    @Test
    void threadsMayLeaveAfterTheLastCollective() {
        int[] before = new int[96];
        try (DeviceBuffer out = device.upload(before)) {
            run(kernel("divergent_exits").launch(Dim.of(1), 96, out));
            assertArrayEquals(
                    IntStream.range(0, 96).map(i -> i % 3 == 0 ? 0 : 96).toArray(), out.toInts());
        }
    }

    @Test
    void aDivergentBarrierIsAnErrorAndNotAHang() {
        DeviceBuffer out = device.allocate(64 * Integer.BYTES);
        Stream stream = device.createStream();
        kernel("divergent_barrier").launch(Dim.of(2), 64, out).enqueue(stream);
        CudaException failure = assertThrows(CudaException.class, stream::synchronize);
        assertEquals(719, failure.code());
        assertTrue(failure.getMessage().contains("CUDA_ERROR_LAUNCH_FAILED"), failure.getMessage());
        assertThrows(CudaException.class, () -> device.allocate(4), "the context is lost, as on a GPU");
        assertThrows(CudaException.class, device::close, "and nothing in it can be given back");
    }

    @Test
    void indicesAreThreeDimensional() {
        try (DeviceBuffer out = device.allocate(2 * 3 * 2 * 32 * Integer.BYTES)) {
            run(kernel("indices").launch(new Dim(2, 3, 2), 32, out));
            int[] got = out.toInts();
            for (int block = 0; block < 12; block++) {
                for (int thread = 0; thread < 32; thread++) {
                    assertEquals(
                            thread + 1000 * (block % 2) + 10000 * (block / 2 % 3) + 100000 * (block / 6),
                            got[block * 32 + thread]);
                }
            }
        }
    }

    @Test
    void atomicsLoseNothing() {
        try (DeviceBuffer integers = device.upload(0, -1, 1, 0);
                DeviceBuffer sum = device.upload(0f)) {
            run(kernel("atomics").launch(Dim.of(4), 96, integers, sum));
            assertArrayEquals(new int[] {384, 95, -95, 7}, integers.toInts());
            assertArrayEquals(new float[] {192}, sum.toFloats());
        }
    }

    @Test
    void constantsCanBeReadAndSetFromOutside() {
        try (DeviceBuffer x = device.upload(2f);
                DeviceBuffer y = device.upload(0f)) {
            run(kernel("polynomial").elementwise(1, 1, x, y));
            assertEquals(1 + 2 * 2 + 3 * 4 + 4 * 8, y.toFloats()[0]);
            DeviceBuffer coefficients = device.module("test/features").global("coefficients");
            assertEquals(16, coefficients.bytes());
            coefficients.upload(5f, 0f, 0f, 1f);
            run(kernel("polynomial").elementwise(1, 1, x, y));
            assertEquals(5 + 8, y.toFloats()[0]);
        }
    }
}
