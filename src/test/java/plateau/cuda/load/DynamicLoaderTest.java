package plateau.cuda.load;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class DynamicLoaderTest {
    private static String variable(String name) throws Throwable {
        Linker linker = Linker.nativeLinker();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = (MemorySegment) linker.downcallHandle(
                            linker.defaultLookup().findOrThrow("getenv"),
                            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                    .invokeExact(arena.allocateFrom(name));
            return value.reinterpret(Long.MAX_VALUE).getString(0);
        }
    }

    /** As CUDA_DEVICE_MAX_CONNECTIONS, which NVIDIA's driver reads when it is initialised. */
    @Test
    void whatTheUserHasSetStays() throws Throwable {
        DynamicLoader.setUnlessSet("PLATEAU_TEST_OF_VARIABLES", "32");
        assertEquals("32", variable("PLATEAU_TEST_OF_VARIABLES"));
        DynamicLoader.setUnlessSet("PLATEAU_TEST_OF_VARIABLES", "8");
        assertEquals("32", variable("PLATEAU_TEST_OF_VARIABLES"));
    }
}
