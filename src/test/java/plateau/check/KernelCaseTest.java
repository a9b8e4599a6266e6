package plateau.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.LiveObjects;
import plateau.cuda.Work;
import plateau.reference.TestDevice;

/** What a case finds wrong with what a kernel leaves. */
class KernelCaseTest {
    private static final int ONE = Float.floatToRawIntBits(1);

    private Device device;

    @BeforeEach
    void open() {
        device = TestDevice.open();
    }

    @AfterEach
    void close() {
        assertEquals(LiveObjects.NONE, device.live());
        device.close();
    }

    /** A case whose kernel sets every word of its output. */
    private Finding filled(int word, Function<KernelCase, DeviceBuffer> output) {
        Row row = Row.fixed("fill", made -> {
            made.runs(output.apply(made).fill(word));
        });
        return row.run(device, new Draws(1), UnaryOperator.identity()).finding();
    }

    @Test
    void errorsAreInUnitsOfWhatIsAllowed() {
        Finding exact = filled(ONE, made -> made.output("y", new double[] {1, 1}, 1e-6));
        assertEquals(Finding.NONE, exact);
        Finding off = filled(ONE, made -> made.output("y", new double[] {1, 4}, 0.25));
        assertEquals(new Finding(3, "y[1] is 1.0, not 4.0"), off);
        assertFalse(off.isRight());
        assertTrue(filled(ONE, made -> made.output("y", new double[] {0.5, 0}, 0.5, 2))
                .isRight());
    }

    @Test
    void sumsAreMeasuredByTheirTerms() {
        Sums sums = new Sums(1);
        sums.add(0, 1000);
        sums.add(0, -999.5);
        assertEquals(
                0.5 / (1e-3 * 1999.5),
                filled(ONE, made -> made.output("y", sums, 1e-3)).error(),
                1e-12);
        sums.replace(0, 1);
        assertEquals(0, filled(ONE, made -> made.output("y", sums, 1e-3)).error());
        sums.replace(0, 1.1);
        assertEquals(
                Double.POSITIVE_INFINITY,
                filled(ONE, made -> made.output("y", sums, 1e-3)).error());
    }

    @Test
    void whatIsNoNumberIsNeverRight() {
        double[] any = {Double.POSITIVE_INFINITY};
        for (float word : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            int bits = Float.floatToRawIntBits(word);
            assertFalse(
                    filled(bits, made -> made.output("y", new double[1], 1e-6)).isRight());
            assertFalse(filled(bits, made -> made.floats("y", null, new double[1], any))
                    .isRight());
        }
    }

    @Test
    void whatIsNotWrittenIsSeen() {
        Row row = Row.fixed("nothing", made -> {
            made.output("y", new double[] {0}, 1e-6);
            made.runs(Work.sequence("nothing", List.of()));
        });
        assertEquals(
                new Finding(Double.POSITIVE_INFINITY, "what is launched is []"),
                row.run(device, new Draws(1), UnaryOperator.identity()).finding());
        try (KernelCase made = new KernelCase(device)) {
            row.maker().make(made, new Draws(1));
            assertEquals(new Finding(Double.POSITIVE_INFINITY, "y[0] is NaN, not 0.0"), made.judge());
        }
    }

    /** What it had taken is given back, which {@link #close} looks at. */
    @Test
    void aCaseThatIsNotFinishedIsClosed() {
        Row row = Row.fixed("half", made -> {
            made.input(1f);
            throw new IllegalStateException("half");
        });
        assertThrows(IllegalStateException.class, () -> row.run(device, new Draws(1), UnaryOperator.identity()));
    }

    @Test
    void whatIsWrittenPastTheEndIsSeen() {
        Row row = Row.fixed("sigmoid_forward", made -> {
            made.runs(made.device()
                    .module("sigmoid")
                    .replicated("sigmoid_forward")
                    .elementwise(3, 3, made.input(0f, 0f, 0f), made.output("y", new double[] {0.5, 0.5}, 1e-6)));
        });
        assertEquals(
                "y: something was written outside of it",
                row.run(device, new Draws(1), UnaryOperator.identity())
                        .finding()
                        .worst());
    }

    @Test
    void bitsAreThoseThatAreKnown() {
        String zeros = "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc"; // of eight bytes
        Function<KernelCase, DeviceBuffer> output = made -> {
            made.golden(zeros);
            return made.bits("x", 8);
        };
        assertEquals(Finding.NONE, filled(0, output));
        assertTrue(filled(1, output).worst().endsWith(", not " + zeros));
        assertEquals(Finding.NONE, filled(7, made -> made.exactly("n", 7, 7)));
        assertEquals(
                "n[1] is 7, not 8", filled(7, made -> made.exactly("n", 7, 8)).worst());
        assertEquals(
                Finding.NONE, filled(0x02010201, made -> made.exactly("b", (byte) 1, (byte) 2, (byte) 1, (byte) 2)));
        assertEquals(
                "b: byte 1 is 02, not 03",
                filled(0x02010201, made -> made.exactly("b", (byte) 1, (byte) 3, (byte) 1, (byte) 2))
                        .worst());
    }

    /** A row of the ring that the step does not name stays as it is. */
    @Test
    void aRingHasOneNewRow() {
        assertEquals(
                "ring[0] is 1.0, not 0.5",
                filled(ONE, made -> made.ring(2, 1, new double[] {1}, 1e-6)).worst());
        assertEquals(Finding.NONE, filled(ONE, made -> made.ring(1, ONE, new double[] {1}, 1e-6)));
        assertEquals(
                Double.POSITIVE_INFINITY,
                filled(ONE, made -> made.ring(1, ONE + 1, new double[] {1}, 1e-6))
                        .error());
    }

    /** A seed gives a kernel its cases, whatever else is checked. */
    @Test
    void aSeedRepeatsAKernelsCases() {
        List<KernelCheck.Result> alone = new KernelCheck(device, 3, 5).run(Set.of("adam"), _ -> {});
        List<KernelCheck.Result> beside = new KernelCheck(device, 3, 5).run(Set.of("sgd", "adam"), _ -> {});
        assertEquals(5, alone.getFirst().cases());
        assertTrue(alone.getFirst().error() > 0);
        assertTrue(beside.containsAll(alone));
        assertEquals(
                List.of("sgd", "adam"),
                beside.stream().map(KernelCheck.Result::kernel).toList());
    }
}
