package plateau.experiment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import plateau.autograd.Workspace;
import plateau.cuda.Device;
import plateau.reference.TestDevice;

/** Rows of metrics by step, of which the last few are kept. */
class RingTest {

    @Test
    void stepsAreFoundAroundTheEnd() {
        try (Device device = TestDevice.open();
                Workspace workspace = new Workspace(device)) {
            Ring ring = Ring.allocate(workspace, 3, List.of("loss", "accuracy"));
            int[] words = new int[9];
            for (int step = 5; step < 8; step++) { // in rows 2, 0 and 1
                words[step % 3 * 3] = step;
                words[step % 3 * 3 + 1] = Float.floatToRawIntBits(step + 0.5f);
                words[step % 3 * 3 + 2] = Float.floatToRawIntBits(-step);
            }
            ring.rows().upload(words);
            double[][] read = ring.read(5, 3);
            assertArrayEquals(new double[] {5.5, -5}, read[0]);
            assertArrayEquals(new double[] {6.5, -6}, read[1]);
            assertArrayEquals(new double[] {7.5, -7}, read[2]);
            assertEquals(
                    "The metrics of step 8 are not there, but those of step 5",
                    assertThrows(IllegalStateException.class, () -> ring.read(8, 1)).getMessage());
        }
    }

    @Test
    void namesCanStandInATable() {
        assertRefused("The name of a metric is a word without commas, not 'loss,accuracy'", "loss,accuracy");
        assertRefused("The name of a metric is a word without commas, not ' '", "loss", " ");
        assertRefused("Two metrics have one name: loss, loss", "loss", "loss");
    }

    private static void assertRefused(String message, String... names) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, () -> new Ring(null, 1, List.of(names))).getMessage());
    }
}
