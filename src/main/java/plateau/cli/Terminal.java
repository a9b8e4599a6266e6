package plateau.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntSupplier;

/**
 * What output is shown on.
 *
 * @param redraws whether it knows escape sequences, and may be drawn on again
 * @param columns how wide it is now
 */
record Terminal(boolean redraws, IntSupplier columns) {
    /** Where nothing tells. */
    private static final int USUAL_COLUMNS = 80;

    private static final int STANDARD_OUTPUT = 1;
    /** The request for a terminal's size, in Linux's asm-generic/ioctls.h. */
    private static final long TIOCGWINSZ = 0x5413;
    /** Of {@code struct winsize}: rows, columns, and both in pixels, 16 bits each. */
    private static final long SIZE_BYTES = 8;

    private static final long COLUMNS_OFFSET = 2;

    /** A file, or a pipe. */
    static final Terminal NONE = new Terminal(false, () -> USUAL_COLUMNS);

    /** What standard output is, and the environment says of it (NO_COLOR: no-color.org). */
    static Terminal standard() {
        if (System.console() == null || !System.console().isTerminal()) {
            return NONE;
        }
        boolean plain = "dumb".equals(System.getenv("TERM")) || isSet("NO_COLOR");
        return new Terminal(!plain, Terminal::measured);
    }

    private static boolean isSet(String variable) {
        String value = System.getenv(variable);
        return value != null && !value.isEmpty();
    }

    private static int measured() {
        try (Arena arena = Arena.ofConfined()) {
            Linker linker = Linker.nativeLinker();
            MemorySegment size = arena.allocate(SIZE_BYTES);
            int failed = (int) linker.downcallHandle(
                            linker.defaultLookup().findOrThrow("ioctl"),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.ADDRESS),
                            Linker.Option.firstVariadicArg(2))
                    .invokeExact(STANDARD_OUTPUT, TIOCGWINSZ, size);
            int columns = Short.toUnsignedInt(size.get(ValueLayout.JAVA_SHORT, COLUMNS_OFFSET));
            return failed != 0 || columns == 0 ? USUAL_COLUMNS : columns;
        } catch (Throwable e) {
            return USUAL_COLUMNS;
        }
    }
}
