package plateau.kernel;

import java.util.Map;

/**
 * What a multiprocessor keeps resident at most (CUDA C++ Programming Guide, technical
 * specifications per compute capability). All have 65,536 registers, in four parts, and give them
 * out to warps 256 at a time.
 *
 * @param warps resident at once
 * @param blocks resident at once
 * @param sharedBytes of all resident blocks
 * @param reservedBytes of shared memory that each block takes for the system
 */
record Multiprocessor(int warps, int blocks, int sharedBytes, int reservedBytes) {
    private static final int WARP = 32;
    private static final int PARTS = 4;
    private static final int REGISTERS_OF_PART = 65_536 / PARTS;
    private static final int REGISTER_UNIT = 256;
    private static final int SHARED_UNIT = 128;

    private static final Map<String, Multiprocessor> BY_ARCHITECTURE = Map.of(
            "sm_75", new Multiprocessor(32, 16, 64 << 10, 0),
            "sm_80", new Multiprocessor(64, 32, 164 << 10, 1 << 10),
            "sm_86", new Multiprocessor(48, 16, 100 << 10, 1 << 10),
            "sm_89", new Multiprocessor(48, 24, 100 << 10, 1 << 10),
            "sm_90", new Multiprocessor(64, 32, 228 << 10, 1 << 10),
            "sm_100", new Multiprocessor(64, 32, 228 << 10, 1 << 10),
            "sm_120", new Multiprocessor(48, 24, 100 << 10, 1 << 10));

    /** @throws IllegalArgumentException if it is no architecture that this project compiles for */
    static Multiprocessor of(String architecture) {
        Multiprocessor found = BY_ARCHITECTURE.get(architecture);
        if (found == null) {
            throw new IllegalArgumentException("nothing is known of " + architecture);
        }
        return found;
    }

    double occupancy(Catalogue.Use use, int threads) {
        int warpsOfBlock = Math.ceilDiv(threads, WARP);
        int warpsOfPart = REGISTERS_OF_PART / roundedUp(use.registers() * WARP, REGISTER_UNIT);
        int byRegisters = warpsOfPart * PARTS / warpsOfBlock;
        int shared = roundedUp(use.sharedBytes() + reservedBytes, SHARED_UNIT);
        int byShared = shared == 0 ? blocks : sharedBytes / shared;
        int resident = Math.min(Math.min(blocks, warps / warpsOfBlock), Math.min(byRegisters, byShared));
        return (double) resident * warpsOfBlock / warps;
    }

    private static int roundedUp(int value, int unit) {
        return Math.ceilDiv(value, unit) * unit;
    }
}
