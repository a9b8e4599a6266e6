package plateau.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.kernel.Hinge;
import plateau.reference.TestDevice;

/** A launcher is made once per device, whoever asks for it. */
class KernelsTest {

    /** A launcher of somebody else's. */
    private record Own(Device device) {}

    @Test
    void aLauncherIsMadeWhenItIsFirstAskedFor() {
        try (Device device = TestDevice.open()) {
            Kernels kernels = Kernels.of(device);
            assertSame(kernels.hinge(), kernels.hinge());
            assertSame(kernels.hinge(), kernels.get(Hinge.class, _ -> null));
            assertNotSame(kernels.hinge(), Kernels.of(device).hinge());
        }
    }

    @Test
    void othersAreSharedLikewiseAmongThreads() {
        try (Device device = TestDevice.open()) {
            Kernels kernels = Kernels.of(device);
            AtomicInteger made = new AtomicInteger();
            long different = IntStream.range(0, 64)
                    .parallel()
                    .mapToObj(_ -> kernels.get(Own.class, on -> {
                        made.incrementAndGet();
                        return new Own(on);
                    }))
                    .distinct()
                    .count();
            assertEquals(1, made.get());
            assertEquals(1, different);
            assertSame(device, kernels.get(Own.class, Own::new).device());
        }
    }
}
