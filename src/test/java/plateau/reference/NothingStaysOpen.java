package plateau.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * After each class of tests the CPU driver has no context and no memory, so that a device that was
 * left open fails the class that opened it, and not whichever counts next. JUnit finds this by
 * itself (META-INF/services).
 */
public final class NothingStaysOpen implements AfterAllCallback {
    private static final FunctionDescriptor COUNTS = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS);
    private static final FunctionDescriptor STATE =
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);

    @Override
    public void afterAll(ExtensionContext context) {
        if (context.getExecutionMode() == ExecutionMode.CONCURRENT) {
            return; // such tests open nothing, but others are under way
        }
        SymbolLookup loaded = SymbolLookup.loaderLookup();
        MemorySegment counting = loaded.find("plateau_live_objects").orElse(null);
        if (counting == null) {
            return; // no test needed the CPU driver yet
        }
        Linker linker = Linker.nativeLinker();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment counts = arena.allocate(ValueLayout.JAVA_INT, 7);
            linker.downcallHandle(counting, COUNTS).invokeExact(counts);
            MemorySegment flags = arena.allocate(ValueLayout.JAVA_INT), active = arena.allocate(ValueLayout.JAVA_INT);
            MethodHandle state = linker.downcallHandle(loaded.findOrThrow("cuDevicePrimaryCtxGetState"), STATE);
            for (int device = 0; (int) state.invokeExact(device, flags, active) == 0; device++) {
                assertEquals(0, active.get(ValueLayout.JAVA_INT, 0), "device " + device + " was left open");
            }
            assertArrayEquals(
                    new int[7],
                    counts.toArray(ValueLayout.JAVA_INT),
                    "memory, pinned memory, modules, streams, events, graphs, executable graphs");
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
