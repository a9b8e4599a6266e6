package plateau.cudnn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.cuda.CudaException;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.LiveObjects;
import plateau.cuda.Stream;
import plateau.cuda.load.DeviceOptions;
import plateau.cudnn.Dnn.ConvolutionShape;
import plateau.cudnn.Dnn.PoolingShape;
import plateau.cudnn.bindings.CuDnn;
import plateau.reference.Faults;
import plateau.reference.Seeds;

class DnnTest {
    /**
     * The second convolution of the tuples' network, then its pooling, all ways: prints a digest of
     * what comes out.
     */
    static final class Digest {
        public static void main(String[] arguments) {
            Optional<Path> library = arguments.length > 0 ? Optional.of(Path.of(arguments[0])) : Optional.empty();
            try (Device device =
                    Device.open(DeviceOptions.cpu().withLibraries(Optional.empty(), Optional.empty(), library))) {
                Optional<Dnn> dnn = Dnn.of(device);
                System.out.println(dnn.isPresent() ? "digest " + digest(device, dnn.get()) : "no cuDNN");
            }
        }

        private static int digest(Device device, Dnn dnn) {
            int batch = 61, rows = 14, channels = 16, elements = batch * rows * rows * channels;
            Seeds seeds = Seeds.next();
            Dnn.Convolution convolution = dnn.convolution(
                            new ConvolutionShape(batch, rows, rows, channels, channels, 5, 5, 2, 2, 1), true)
                    .orElseThrow();
            Dnn.MaxPooling pooling = dnn.maxPooling(new PoolingShape(batch, rows, rows, channels, 2, 2))
                    .orElseThrow();
            try (Stream stream = device.createStream();
                    DeviceBuffer x = device.upload(seeds.floats(elements));
                    DeviceBuffer w = device.upload(seeds.floats(25 * channels * channels));
                    DeviceBuffer b = device.upload(seeds.floats(channels));
                    DeviceBuffer z = device.allocate(4L * elements);
                    DeviceBuffer y = device.allocate(elements);
                    DeviceBuffer dy = device.upload(seeds.floats(elements / 4));
                    DeviceBuffer dz = device.allocate(4L * elements);
                    DeviceBuffer dx = device.allocate(4L * elements);
                    DeviceBuffer dw = device.allocate(4L * 25 * channels * channels);
                    DeviceBuffer db = device.allocate(4L * channels);
                    DeviceBuffer workspace = device.allocate(Math.max(1, convolution.workspaceBytes()))) {
                convolution.forward(x, w, z, workspace).enqueue(stream);
                convolution.addBias(b, z).enqueue(stream);
                pooling.forward(z, y).enqueue(stream);
                pooling.backward(y, dy, z, dz).enqueue(stream);
                convolution.backwardData(w, dz, dx, workspace).enqueue(stream);
                convolution.backwardFilter(x, dz, dw, workspace).enqueue(stream);
                convolution.backwardBias(dz, db).enqueue(stream);
                stream.synchronize();
                return Arrays.deepHashCode(
                        new float[][] {y.toFloats(), dz.toFloats(), dx.toFloats(), dw.toFloats(), db.toFloats()});
            }
        }
    }

    /** In processes of their own: the pool of threads is made, and the library chosen, once. */
    private static String digest(int threads, String... library) throws Exception {
        List<String> command = new java.util.ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dplateau.seed=7",
                "-cp",
                System.getProperty("java.class.path"),
                Digest.class.getName()));
        command.addAll(List.of(library));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("PLATEAU_CPU_THREADS", Integer.toString(threads));
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    @Test
    void theNumberOfThreadsDoesNotShowInTheBits() throws Exception {
        String alone = digest(1);
        assertTrue(alone.startsWith("digest "), alone);
        assertEquals(alone, digest(2));
        assertEquals(alone, digest(5));
    }

    @Test
    void aLibraryThatIsNoneLeavesTheKernelsToDoTheWork(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("libcudnn.so.9"), "not a library");
        String output = digest(1, file.toString());
        assertTrue(output.contains("no cuDNN (" + file + ": file too short)"), output);
    }

    @Test
    void descriptorsAreMadeOncePerShapeAndClosedWithTheDevice() {
        ConvolutionShape shape = new ConvolutionShape(2, 6, 6, 3, 4, 3, 3, 1, 1, 1);
        for (int i = 0; i < 2; i++) {
            try (Device device = Device.open(DeviceOptions.cpu())) {
                Dnn dnn = Dnn.of(device).orElseThrow();
                assertSame(dnn, Dnn.of(device).orElseThrow());
                assertSame(
                        dnn.convolution(shape, true).orElseThrow(),
                        dnn.convolution(shape, true).orElseThrow());
                assertSame(
                        dnn.maxPooling(new PoolingShape(2, 6, 6, 4, 2, 2)).orElseThrow(),
                        dnn.maxPooling(new PoolingShape(2, 6, 6, 4, 2, 2)).orElseThrow());
                assertEquals(90501, dnn.version());
                assertEquals(LiveObjects.NONE, device.live());
            }
        }
    }

    /**
     * A library may refuse what it said that it computes, when it is asked to: then the kernels do
     * it. What is not wanted is not tried, and its refusal does not matter.
     */
    @Test
    void whatIsRefusedWhenItRunsIsLeftToTheKernels() {
        ConvolutionShape shape = new ConvolutionShape(2, 6, 6, 3, 4, 3, 3, 1, 1, 1);
        int notSupported = CuDnn.CUDNN_STATUS_NOT_SUPPORTED();
        for (String call : List.of(
                "cudnnConvolutionForward",
                "cudnnAddTensor",
                "cudnnConvolutionBackwardFilter",
                "cudnnConvolutionBackwardBias",
                "cudnnConvolutionBackwardData",
                "cudnnGetConvolutionBackwardDataWorkspaceSize")) {
            try (Device device = Device.open(DeviceOptions.cpu())) {
                Dnn dnn = Dnn.of(device).orElseThrow();
                Faults.inject(call, 1, notSupported + 1);
                boolean tried = !call.contains("BackwardData");
                assertEquals(tried, dnn.convolution(shape, false).isEmpty(), call);
                Faults.clear();
                Faults.inject(call, 1, notSupported + 1);
                Optional<Dnn.Convolution> again = dnn.convolution(shape, true);
                assertTrue(again.isEmpty(), call);
                assertEquals(LiveObjects.NONE, device.live());
            } finally {
                Faults.clear();
            }
        }
        try (Device device = Device.open(DeviceOptions.cpu())) {
            Dnn dnn = Dnn.of(device).orElseThrow();
            Faults.inject("cudnnPoolingBackward", 1, notSupported);
            assertTrue(dnn.maxPooling(new PoolingShape(2, 6, 6, 4, 2, 2)).isEmpty());
            Faults.inject("cudnnConvolutionForward", 1, CuDnn.CUDNN_STATUS_EXECUTION_FAILED());
            assertThrows(CudaException.class, () -> dnn.convolution(shape, true), "that is no refusal");
        } finally {
            Faults.clear();
        }
    }

    @Test
    void failuresNameTheCall() {
        try (Device device = Device.open(DeviceOptions.cpu());
                Stream stream = device.createStream();
                DeviceBuffer small = device.allocate(4)) {
            Dnn dnn = Dnn.of(device).orElseThrow();
            CudaException shapes = assertThrows(
                    CudaException.class,
                    () -> dnn.convolution(new ConvolutionShape(1, 2, 2, 1, 1, 5, 5, 0, 0, 1), true));
            assertEquals("cudnnSetTensor4dDescriptor", shapes.call());
            Dnn.MaxPooling pooling =
                    dnn.maxPooling(new PoolingShape(1, 2, 2, 1, 2, 2)).orElseThrow();
            CudaException memory = assertThrows(
                    CudaException.class, () -> pooling.forward(small, small).enqueue(stream));
            assertTrue(
                    memory.getMessage().contains("cudnnPoolingForward failed: CUDNN_STATUS_EXECUTION_FAILED (5000)"),
                    memory.getMessage());
            DeviceBuffer closed = device.allocate(16);
            closed.close();
            assertThrows(
                    IllegalStateException.class,
                    () -> pooling.forward(closed, small).enqueue(stream));
        }
    }

    @Test
    void maximaKnowWhereTheyCameFrom() {
        try (Device device = Device.open(DeviceOptions.cpu());
                Stream stream = device.createStream();
                DeviceBuffer z = device.upload(1, 2, 4, 3, 5f, 5f, 0, -1);
                DeviceBuffer y = device.allocate(8);
                DeviceBuffer dy = device.upload(10f, 20f);
                DeviceBuffer dz = device.allocate(32)) {
            // (2, 2, 2, 1): the windows are the images; of equal elements the first.
            Dnn.MaxPooling pooling = Dnn.of(device)
                    .orElseThrow()
                    .maxPooling(new PoolingShape(2, 2, 2, 1, 2, 2))
                    .orElseThrow();
            pooling.forward(z, y).enqueue(stream);
            pooling.backward(y, dy, z, dz).enqueue(stream);
            stream.synchronize();
            assertArrayEquals(new float[] {4, 5}, y.toFloats());
            assertArrayEquals(new float[] {0, 0, 10, 0, 20, 0, 0, 0}, dz.toFloats());
        }
    }
}
