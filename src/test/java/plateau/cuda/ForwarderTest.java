package plateau.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.NativeFiles;

/**
 * A machine with CUDA 13 has libcublas.so.13 and JCublas asks for 12: the forwarder between them.
 * In processes of their own, for what they load.
 */
class ForwarderTest {
    private record Outcome(int status, String output) {}

    private static Outcome multiply(Path cuda13) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Multiply.class.getName()));
        builder.environment().put("LD_LIBRARY_PATH", cuda13.toString());
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        return new Outcome(process.waitFor(), output);
    }

    /** 2 times 3 by cuBLAS, through the forwarder. */
    static final class Multiply {
        public static void main(String[] arguments) {
            DeviceOptions options = DeviceOptions.cpu()
                    .withLibraries(
                            Optional.empty(),
                            Optional.of(NativeFiles.library("forward/libcublas.so.12")
                                    .toAbsolutePath()),
                            Optional.empty());
            try (Device device = Device.open(options);
                    DeviceBuffer a = device.upload(2f);
                    DeviceBuffer b = device.upload(3f);
                    DeviceBuffer c = device.allocate(4);
                    Stream stream = device.createStream()) {
                Optional<Blas> blas = device.blas();
                if (blas.isEmpty()) {
                    System.out.println("no cuBLAS");
                    return;
                }
                blas.get().gemm(false, false, 1, 1, 1, a, 1, b, 1, c, 1).enqueue(stream);
                stream.synchronize();
                System.out.println(
                        "product " + c.toFloats()[0] + ", version " + blas.get().version());
            }
        }
    }

    @Test
    void callsReachCublas13(@TempDir Path folder) throws Exception {
        Path product = Path.of(
                System.getProperty("plateau.basedir"), "target/test-classes/plateau/native/cuda13/libcublas.so.13");
        Files.createSymbolicLink(folder.resolve("libcublas.so.13"), product);
        for (String beside : List.of("libdnnl.so.3", "libgomp.so.1")) {
            Files.createSymbolicLink(
                    folder.resolve(beside), NativeFiles.library(beside).toAbsolutePath());
        }
        Outcome outcome = multiply(folder);
        assertEquals(0, outcome.status, outcome.output);
        assertTrue(outcome.output.contains("product 6.0, version 120600"), outcome.output);
    }

    @Test
    void withoutCublas13TheKernelsTakeOverAndOneLineSaysWhy(@TempDir Path empty) throws Exception {
        Outcome outcome = multiply(empty);
        assertEquals(0, outcome.status, outcome.output);
        assertTrue(outcome.output.contains("no cuBLAS") && outcome.output.contains("libcublas.so.13"), outcome.output);
    }
}
