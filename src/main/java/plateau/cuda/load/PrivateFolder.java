package plateau.cuda.load;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Folders that nobody but this process's user, and root, can change anything in. What is checked
 * there is still the same when it is opened by its name: no other user can put something else in
 * its place. Against somebody who can write as this user nothing helps; the program itself would be
 * theirs.
 */
final class PrivateFolder {
    private static final int ROOT = 0;
    private static final int OTHERS_WRITE = 0022;
    private static final int STICKY = 01000;

    private PrivateFolder() {}

    /**
     * Makes the folder, and those above it that are not there, for this user alone (0700), and sees
     * that no other user can change it or move another one to its place.
     *
     * @param folder an absolute path
     * @return the folder's path without symbolic links; only this one has been checked
     * @throws NativeFileException if another user could
     * @throws IOException if it cannot be made
     */
    static Path require(Path folder) throws IOException {
        Path there = folder;
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        if (!there.equals(folder)) {
            checkAbove(folder, there.toRealPath()); // nothing is made where it would be refused
        }
        Files.createDirectories(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path real = folder.toRealPath();
        check(real, real, false);
        checkAbove(real, real.getParent());
        return real;
    }

    /** Whether it is a file, no link to one, that only this user or root can write. */
    static boolean isOnlyOurs(Path file) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        Access access = Access.of(file);
        return access.isTrusted() && !access.othersWrite();
    }

    private static void checkAbove(Path folder, Path above) throws IOException {
        for (Path each = above; each != null; each = each.getParent()) {
            check(folder, each, true);
        }
    }

    /**
     * Sees that others can change nothing in a folder, or, where it lies above the one in question,
     * that they cannot move what is ours there: the sticky bit, as /tmp has it, is enough for that.
     */
    private static void check(Path folder, Path each, boolean above) throws IOException {
        Access access = Access.of(each);
        if (!access.isTrusted() && !(above && access.isOfNobodyHere())) {
            throw new NativeFileException(
                    "the folder %s belongs to user %d, who could change the native libraries in %s; %s"
                            .formatted(each, access.owner, folder, Cache.ADVICE));
        }
        if (access.othersWrite() && !(above && access.isSticky())) {
            throw new NativeFileException(
                    "the folder %s (mode %o) lets other users change the native libraries in %s; %s"
                            .formatted(each, access.mode & 07777, folder, Cache.ADVICE));
        }
    }

    /** Who can write a file or a folder. */
    private record Access(int owner, int mode) {
        private static final int OWN = effectiveUser();
        private static final OptionalInt UNMAPPED = unmappedUser();

        static Access of(Path path) throws IOException {
            Map<String, Object> found = Files.readAttributes(path, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
            return new Access((int) found.get("uid"), (int) found.get("mode"));
        }

        boolean isTrusted() {
            return owner == OWN || owner == ROOT;
        }

        /**
         * In a container that has ids for some users alone, all others, root of the machine among
         * them, are shown as one. A folder of ours in one of theirs was put there by root.
         */
        boolean isOfNobodyHere() {
            return UNMAPPED.isPresent() && owner == UNMAPPED.getAsInt();
        }

        boolean isSticky() {
            return (mode & STICKY) != 0;
        }

        boolean othersWrite() {
            return (mode & OTHERS_WRITE) != 0;
        }
    }

    /** The id that stands for all users without one, where there are such (user_namespaces(7)). */
    private static OptionalInt unmappedUser() {
        try {
            String[] map = line("/proc/self/uid_map").split("\\s+");
            return map.length == 3 && map[2].equals("4294967295")
                    ? OptionalInt.empty()
                    : OptionalInt.of(Integer.parseInt(line("/proc/sys/kernel/overflowuid")));
        } catch (IOException e) {
            return OptionalInt.empty();
        }
    }

    /** By lines, since the kernel gives a setting to the first read alone. */
    private static String line(String file) throws IOException {
        return Files.readAllLines(Path.of(file)).getFirst().strip();
    }

    /** Java knows the user's name alone, which a user of a container need not have. */
    private static int effectiveUser() {
        Linker linker = Linker.nativeLinker();
        try {
            return (int) linker.downcallHandle(
                            linker.defaultLookup().findOrThrow("geteuid"), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                    .invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
