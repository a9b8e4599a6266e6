package plateau.cuda.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The drivers that NVIDIA's documents name, and what this build says of itself. */
class DriverVersionTest {
    private static Optional<Integer> ofPtx(String version) {
        return DriverVersion.ofPtx(
                ("//\n\n.version " + version + "\n.target sm_75\n").getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void ptxNeedsTheDriverOfItsCudaVersion() {
        assertEquals(Optional.of(570), ofPtx("8.7"));
        assertEquals(Optional.of(580), ofPtx("9.0"));
        assertEquals(Optional.of(DriverVersion.OF_FUNCTIONS), ofPtx("6.3"));
        assertEquals(Optional.empty(), ofPtx("10.0"));
        assertEquals(Optional.empty(), DriverVersion.ofPtx(new byte[0]));
    }

    @Test
    void machineCodeNeedsTheFirstDriverOfItsFamily() {
        assertEquals(Optional.of(525), DriverVersion.ofToolkit("12.9"));
        assertEquals(Optional.of(580), DriverVersion.ofToolkit("13.2"));
        assertEquals(Optional.of(DriverVersion.OF_FUNCTIONS), DriverVersion.ofToolkit("11.8"));
        assertEquals(Optional.empty(), DriverVersion.ofToolkit("14.0"));
    }

    @Test
    void everyDriverThatCanRunThisProgramCompilesThePtxOfThisBuild() {
        List<NativeFile> modules = NativeIndex.OWN.files().entrySet().stream()
                .filter(entry -> entry.getKey().endsWith(".ptx"))
                .map(entry -> entry.getValue())
                .toList();
        assertTrue(modules.size() >= 20);
        for (NativeFile module : modules) {
            assertEquals(
                    Optional.of(DriverVersion.OF_FUNCTIONS), DriverVersion.ofPtx(module.read()), module.resource());
        }
        assertEquals("470 or later", GpuImages.driver());
    }

    @Test
    void whatMadeTheMachineCodeIsToldWithTheDriverItNeeds() {
        Inventory.Finding code = GpuImages.machineCode();
        assertEquals(NativeIndex.OWN.count(".fatbin") > 0, code.found());
        assertTrue(
                code.detail()
                        .matches("\\d+ fatbins \\(sm_75, .*\\), made by nvcc \\d+\\.\\d+: for driver \\d+ or later"
                                + "|built without nvcc: .*"),
                code.detail());
    }
}
