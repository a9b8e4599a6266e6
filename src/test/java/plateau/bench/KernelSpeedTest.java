package plateau.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import plateau.cuda.Cost;
import plateau.cuda.Device;
import plateau.cuda.LiveObjects;
import plateau.cuda.load.DeviceOptions;
import plateau.experiment.Experiment;
import plateau.experiment.Kinds;
import plateau.study.Grid;
import plateau.study.Routing;
import plateau.study.Seeds;

/** Kernels at an experiment's shapes, and the floors that they are held against. */
class KernelSpeedTest {
    private static Experiment parity() {
        return new Grid<>(Kinds.named("parity"), Map.of("d", List.of(5)), OptionalLong.of(1), 1, new Seeds(1, 1))
                .runs()
                .getFirst()
                .experiment();
    }

    /**
     * 5 inputs, 50 hidden units: weights of 250, 50, 50 and 1 floats, each in whole 128 bytes; as
     * many gradients, and the rate.
     */
    @Test
    void aLaunchIsMeasuredOnceAtTheShapeOfTheStep() {
        try (Device device = Device.open(DeviceOptions.cpu())) {
            var kernels = Routing.of("kernels", "kernels").kernels(device);
            Set<String> seen = new HashSet<>();
            List<KernelSpeed> measured = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                KernelSpeed.measure(kernels, parity(), "sgd"::equals, seen, measured::add);
            }
            assertEquals(1, measured.size());
            KernelSpeed sgd = measured.getFirst();
            assertEquals("<<<(2,1,1),256>>>", sgd.launch());
            assertEquals(2 * (256 + 64 + 64 + 32), sgd.cost().operations());
            assertEquals((2 * 416 + 1) * Float.BYTES, sgd.cost().bytes());
            assertTrue(sgd.nanoseconds() > 0 && sgd.floor() > 0, sgd::toString);
            assertEquals(LiveObjects.NONE, device.live());
        }
    }

    @Test
    void theFloorIsTheLargestOfArithmeticMemoryAndALaunch() {
        DeviceCeilings ceilings = new DeviceCeilings(100, 10, 4096, 50);
        assertEquals(1000, ceilings.nanoseconds(new Cost(100_000, 1000)));
        assertEquals(300, ceilings.nanoseconds(new Cost(1000, 3000)));
        assertEquals(50, ceilings.nanoseconds(new Cost(10, 10)));
    }
}
