package plateau.check;

import java.util.Arrays;
import java.util.List;
import plateau.cuda.Device;
import plateau.cuda.load.CpuLevel;
import plateau.cuda.load.KernelImages;
import plateau.reference.TestDevice;

/** Builds of the kernels. Kernels that draw data give the same bits in all of them. */
enum Build {
    /** What the device of the tests runs. */
    AS_USED,
    /** For CPUs with AVX2. */
    X86_64_V3,
    /** For CPUs with AVX-512. */
    X86_64_V4,
    /** For CPUs, every CUDA thread a fiber. */
    FIBERS;

    /** Forces an instruction set until it is cleared. */
    private static final String FORCED = "plateau.cpu";

    /** Those that can be run here. */
    static List<Build> all() {
        try (Device device = TestDevice.open()) {
            return device.isCpu() ? onCpu() : List.of(AS_USED);
        }
    }

    private static List<Build> onCpu() {
        clear();
        boolean wide = CpuLevel.ofThisMachine().equals("x86-64-v4");
        return Arrays.stream(values())
                .filter(build -> build != X86_64_V4 || wide)
                .toList();
    }

    /**
     * Opens a device that runs this build; the test calls {@link #clear} when it has done with it.
     */
    Device open() {
        clear();
        switch (this) {
            case X86_64_V3 -> System.setProperty(FORCED, "x86-64-v3");
            case X86_64_V4 -> System.setProperty(FORCED, "x86-64-v4");
            case AS_USED, FIBERS -> {}
        }
        return TestDevice.open(this == FIBERS ? KernelImages.FIBERS : KernelImages.PRODUCTION);
    }

    /** Lets the processor's own build be taken again. */
    static void clear() {
        System.clearProperty(FORCED);
    }
}
