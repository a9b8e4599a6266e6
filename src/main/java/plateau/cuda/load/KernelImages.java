package plateau.cuda.load;

/** Which build of the kernels the CPU driver runs; without meaning on a GPU. */
public enum KernelImages {
    /** Vectorised, one thread per cooperative block. */
    PRODUCTION,
    /** For tests: any block size, every CUDA thread a fiber with real barriers and shuffles. */
    FIBERS
}
