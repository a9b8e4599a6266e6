package plateau.reference;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;

/** Failures of the CPU driver and its libraries, which must have been loaded. */
public final class Faults {
    private Faults() {}

    /** Lets the n-th call from now of a function return a code. */
    public static void inject(String function, long nth, int code) {
        try (Arena arena = Arena.ofConfined()) {
            call(arena.allocateFrom(function), nth, code);
        }
    }

    /** Forgets those that have not come. */
    public static void clear() {
        call(MemorySegment.NULL, 0, 0);
    }

    private static void call(MemorySegment function, long nth, int code) {
        MemorySegment entry =
                SymbolLookup.loaderLookup().find("plateau_inject_fault").orElse(null);
        assumeTrue(entry != null, "the CPU driver is not loaded");
        try {
            Linker.nativeLinker()
                    .downcallHandle(
                            entry,
                            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT))
                    .invokeExact(function, nth, code);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
