package plateau.cuda.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CpuLevelTest {
    private static final Set<String> HASWELL = Set.of("avx2", "bmi1", "bmi2", "fma", "f16c", "movbe", "abm");

    @Test
    void aVirtualMachineThatHidesTheNameOfLzcntIsNoOlder() {
        Set<String> guest = new HashSet<>(HASWELL);
        guest.remove("abm");
        assertEquals("x86-64-v3", CpuLevel.of(Optional.empty(), guest));
    }

    @Test
    void aMachineGetsTheBestKernelsItCanRun() {
        Set<String> skylakeServer = new HashSet<>(HASWELL);
        skylakeServer.addAll(Set.of("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"));
        assertEquals("x86-64-v3", CpuLevel.of(Optional.empty(), HASWELL));
        assertEquals("x86-64-v4", CpuLevel.of(Optional.empty(), skylakeServer));
        assertEquals("x86-64-v3", CpuLevel.of(Optional.of("x86-64-v3"), skylakeServer));
    }

    @Test
    void aMachineThatIsTooOldIsToldSo() {
        NativeFileException tooOld =
                assertThrows(NativeFileException.class, () -> CpuLevel.of(Optional.empty(), Set.of("sse4_2", "avx")));
        assertTrue(
                tooOld.getMessage().contains("x86-64-v3") && tooOld.getMessage().contains("avx2"), tooOld.getMessage());
        assertThrows(NativeFileException.class, () -> CpuLevel.of(Optional.of("x86-64-v2"), HASWELL));
    }
}
