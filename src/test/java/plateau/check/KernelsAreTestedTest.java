package plateau.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.reference.TestDevice;

/** No kernel is forgotten: each has a row in the table of cases. */
class KernelsAreTestedTest {
    @Test
    void everyKernelHasARow() {
        Set<String> all = new TreeSet<>(
                KernelSources.all().stream().map(KernelSources.Source::kernel).toList());
        assertTrue(all.size() > 60, all::toString);
        assertEquals(all, new TreeSet<>(KernelCheck.kernels()));
    }

    /** It decides at which block sizes a kernel is tested. */
    @Test
    void theImageTellsAKernelsKind() {
        try (Device device = TestDevice.open()) {
            assertEquals(device.isCpu(), KernelSources.isCooperative("column_sums"));
        }
        assertFalse(KernelSources.isCooperative("sgd"));
    }
}
