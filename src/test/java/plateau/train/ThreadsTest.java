package plateau.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.load.DeviceOptions;
import plateau.experiment.Parity;
import plateau.kernel.Dense;

/**
 * The blocks of a large kernel are shared out over threads; how many there are must not show in the
 * result. In processes of their own, since the pool is made once.
 */
class ThreadsTest {
    private static String train(int threads) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Run.class.getName()));
        builder.environment().put("PLATEAU_CPU_THREADS", Integer.toString(threads));
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    /**
     * Parity at d = 150, whose products take long enough for threads; prints a digest of the
     * parameters.
     */
    static final class Run {
        public static void main(String[] arguments) {
            try (Device device = Device.open(DeviceOptions.cpu());
                    Trainer trainer = new Trainer(
                            Kernels.of(device, Dense.Products.KERNELS),
                            new Parity(Parity.Options.of(150), 1),
                            Trainer.Options.of(60, 60))) {
                trainer.run(RunListener.NONE);
                System.out.println(Arrays.hashCode(trainer.parameters()));
            }
        }
    }

    @Test
    void theNumberOfThreadsDoesNotShowInTheBits() throws Exception {
        String alone = train(1);
        assertEquals(alone, train(2));
        assertEquals(alone, train(5));
    }
}
