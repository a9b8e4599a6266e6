package plateau.cuda.load;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The system's loader of libraries and its environment, asked for what Java does not ask them. */
final class DynamicLoader {
    private static final int LAZY = 1;
    private static final int GLOBAL = 0x100;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN =
            handle("dlopen", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle ERROR = handle("dlerror", FunctionDescriptor.of(ValueLayout.ADDRESS));

    private static final MethodHandle SET = handle(
            "setenv",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));

    private DynamicLoader() {}

    private static MethodHandle handle(String function, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(function), descriptor);
    }

    /**
     * Loads a library for as long as the process lives.
     *
     * @param library a path, or a name that the loader looks for
     * @throws UnsatisfiedLinkError with the loader's words
     */
    static void load(String library) {
        open(library, LAZY);
    }

    /**
     * As above, and puts its functions before those of the same names in all libraries that are not
     * among the program's own, whichever were loaded first.
     */
    static void loadBeforeOthers(String library) {
        open(library, LAZY | GLOBAL);
    }

    /** Sets an environment variable that libraries of this process read, where the user has not. */
    static void setUnlessSet(String variable, String value) {
        try (Arena arena = Arena.ofConfined()) {
            int _ = (int) SET.invokeExact(arena.allocateFrom(variable), arena.allocateFrom(value), 0);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void open(String library, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = (MemorySegment) OPEN.invokeExact(arena.allocateFrom(library), mode);
            if (handle.address() == 0) {
                MemorySegment words = (MemorySegment) ERROR.invokeExact();
                throw new UnsatisfiedLinkError(
                        words.address() == 0
                                ? library
                                : words.reinterpret(Long.MAX_VALUE).getString(0));
            }
        } catch (UnsatisfiedLinkError e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
