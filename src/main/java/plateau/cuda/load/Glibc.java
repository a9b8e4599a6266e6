package plateau.cuda.load;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Comparator;
import java.util.Optional;

/** The system's C library, by its version: what the native files of this program need of it. */
final class Glibc {
    /** That of RHEL 9, and older than that of Ubuntu 22.04; oneDNN, as Maven has it, needs it. */
    static final Version FLOOR = new Version(2, 34);

    private Glibc() {}

    /** For example 2.34. */
    record Version(int major, int minor) implements Comparable<Version> {
        private static final Comparator<Version> ORDER =
                Comparator.comparingInt(Version::major).thenComparingInt(Version::minor);

        /** Reads what {@link #toString} writes; what follows a second point is left out. */
        static Version of(String text) {
            String[] parts = text.split("\\.");
            return new Version(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
        }

        @Override
        public int compareTo(Version other) {
            return ORDER.compare(this, other);
        }

        @Override
        public String toString() {
            return major + "." + minor;
        }
    }

    /** The one in this process; none where the system has another C library. */
    static Optional<Version> version() {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find("gnu_get_libc_version").map(function -> {
            try {
                MemorySegment text =
                        (MemorySegment) linker.downcallHandle(function, FunctionDescriptor.of(ValueLayout.ADDRESS))
                                .invokeExact();
                return Version.of(text.reinterpret(Long.MAX_VALUE).getString(0));
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** Whether it will do, for a reader. */
    static Inventory.Finding finding() {
        Optional<Version> version = version();
        boolean right = version.filter(found -> found.compareTo(FLOOR) >= 0).isPresent();
        String wanted = FLOOR + " or later is needed (RHEL 9, Ubuntu 22.04 or Debian 12, and later)";
        return new Inventory.Finding(
                "glibc",
                right,
                right
                        ? version.get() + "; " + FLOOR + " or later is needed"
                        : version.map(Version::toString).orElse("this system has another C library") + "; " + wanted);
    }
}
