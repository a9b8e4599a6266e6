package plateau.cuda.load;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The system's loader of libraries and its environment, asked for what Java does not ask them. */
final class DynamicLoader {
    private static final int LAZY = 1;
    private static final int GLOBAL = 0x100;

    /** RTLD_DI_LINKMAP: where a handle's struct link_map is (link.h). */
    private static final int LINK_MAP = 2;

    private static final long FILE_OF_LINK_MAP = 8;
    private static final long DYNAMIC_OF_LINK_MAP = 16;

    /** Tags of a library's dynamic section, whose entries are two words (elf.h). */
    private static final long END = 0, STRINGS = 5, NAME = 14;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN =
            handle("dlopen", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle CLOSE =
            handle("dlclose", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    private static final MethodHandle INFO = handle(
            "dlinfo",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
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
     * A library in this process, for as long as that lives, or until it is closed.
     *
     * @param handle the loader's
     * @param file where the loader found it
     * @param name by which other libraries ask for it (its soname); empty where it has none
     */
    record Loaded(MemorySegment handle, Path file, String name) implements AutoCloseable {
        @Override
        public void close() {
            try {
                int _ = (int) CLOSE.invokeExact(handle);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /**
     * Loads a library.
     *
     * @param library a path, or a name that the loader looks for
     * @throws UnsatisfiedLinkError with the loader's words
     */
    static Loaded load(String library) {
        return open(library, LAZY);
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

    private static Loaded open(String library, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = (MemorySegment) OPEN.invokeExact(arena.allocateFrom(library), mode);
            if (handle.address() == 0) {
                MemorySegment words = (MemorySegment) ERROR.invokeExact();
                throw new UnsatisfiedLinkError(words.address() == 0 ? library : text(words));
            }
            MemorySegment found = arena.allocate(ValueLayout.ADDRESS);
            if ((int) INFO.invokeExact(handle, LINK_MAP, found) != 0) {
                throw new UnsatisfiedLinkError(library + ": the loader does not say where it is");
            }
            MemorySegment map = word(found, 0);
            return new Loaded(
                    handle,
                    Path.of(text(word(map, FILE_OF_LINK_MAP))).toAbsolutePath(),
                    name(word(map, DYNAMIC_OF_LINK_MAP)));
        } catch (UnsatisfiedLinkError e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static String name(MemorySegment dynamic) {
        MemorySegment strings = MemorySegment.NULL;
        long name = -1;
        long size = 2 * ValueLayout.JAVA_LONG.byteSize();
        for (long at = 0; ; at += size) {
            long tag = word(dynamic, at).address();
            if (tag == STRINGS) {
                strings = word(dynamic, at + size / 2);
            } else if (tag == NAME) {
                name = word(dynamic, at + size / 2).address();
            } else if (tag == END) {
                return name < 0 ? "" : text(MemorySegment.ofAddress(strings.address() + name));
            }
        }
    }

    private static MemorySegment word(MemorySegment at, long offset) {
        return at.reinterpret(Long.MAX_VALUE).get(ValueLayout.ADDRESS, offset);
    }

    private static String text(MemorySegment at) {
        return at.reinterpret(Long.MAX_VALUE).getString(0);
    }
}
