package plateau.cuda.load;

import java.nio.file.Path;
import jcuda.JCudaVersion;
import jcuda.LibUtils;

/**
 * JCuda's own native libraries. JCuda writes them to {@code java.io.tmpdir} under fixed names and
 * loads whatever file it finds there: one that another process is still writing, or another user's.
 * So a checked copy is put into the cache, which is private, and JCuda is sent there.
 */
public final class JCudaLibrary {
    private static final String PLACE = "java.io.tmpdir";

    private JCudaLibrary() {}

    /**
     * Initialises a class of JCuda.
     *
     * @param name its native library's base name, for example {@code JCudaDriver}
     * @param initialise the first use of the class
     * @throws NativeFileException if the library cannot be extracted
     * @throws UnsatisfiedLinkError if it cannot be loaded, with the loader's words
     */
    public static synchronized void load(String name, Runnable initialise) {
        String file =
                LibUtils.createLibraryFileName(LibUtils.createPlatformLibraryName(name + "-" + JCudaVersion.get()));
        Path library =
                Cache.extracted(Cache.folder().resolve("jcuda").resolve(file), NativeFile.measured("/lib/" + file));
        System.load(library.toString()); // JCuda's loader would say in twenty lines why it cannot
        String before = System.getProperty(PLACE);
        System.setProperty(PLACE, library.getParent().toString());
        try {
            initialise.run();
        } finally {
            System.setProperty(PLACE, before);
        }
    }
}
