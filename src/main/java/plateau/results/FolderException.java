package plateau.results;

import java.nio.file.Path;

/** A folder that cannot be had for results: which, why, and what to do about it, in one line. */
public abstract sealed class FolderException extends FileException {
    private static final long serialVersionUID = 1;

    private FolderException(Path path, String reason) {
        super(path, reason);
    }

    /** Another process writes to it. */
    public static final class InUse extends FolderException {
        private static final long serialVersionUID = 1;

        InUse(Path folder, String holder) {
            super(folder, "%s writes to this folder; wait for its end, or name another one".formatted(holder));
        }
    }

    /** Something lies there that would have to be replaced and may not be. */
    public static final class Occupied extends FolderException {
        private static final long serialVersionUID = 1;

        private Occupied(Path path, String reason) {
            super(path, reason);
        }

        static Occupied byResults(Path folder) {
            return new Occupied(folder, "it holds the results of an earlier run; name another folder, or replace them");
        }

        static Occupied byOthers(Path file) {
            return new Occupied(
                    file, "it was not made here, and is not replaced; move it away, or name another folder");
        }
    }

    /** It holds no results to go on with. */
    public static final class Empty extends FolderException {
        private static final long serialVersionUID = 1;

        Empty(Path folder) {
            super(folder, "it holds no results to go on with (no run.json); name the folder of an earlier run");
        }
    }

    /** It cannot be made, or not be written to. */
    public static final class Unwritable extends FolderException {
        private static final long serialVersionUID = 1;

        Unwritable(Path folder, String reason) {
            super(folder, "cannot write there (%s); name a folder that can be written".formatted(reason));
        }
    }
}
