package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import plateau.cuda.Device;
import plateau.cuda.Launch;
import plateau.cuda.LiveObjects;
import plateau.cuda.Work;
import plateau.cuda.load.KernelImages;
import plateau.reference.Seeds;
import plateau.reference.TestDevice;

/**
 * Tests the kernels of one operation against a float64 reference at random shapes: as they are
 * used, and with real threads, barriers and shuffles at every block size they are right for. A
 * subclass has the table of cases that drives both.
 */
abstract class KernelCases {
    /** One, primes, and sizes around a warp, a tile and a block. */
    static final int[] SIZES = {1, 2, 3, 7, 31, 32, 33, 61, 63, 64, 65, 100, 127, 128, 131, 257};

    private static final int[] BLOCKS = {1, 32, 96, 256, 1024};
    private static final int ROUNDS = 6;

    /** Makes a case at a random shape. */
    interface Maker {
        KernelCase make(Device device, Seeds seeds);
    }

    /**
     * Cases by name: the kernels that a case is there for, joined by {@code " + "}, then, after a
     * comma, what is particular to it.
     */
    abstract Map<String, Maker> cases();

    /** The kernels that a case of this name is there for. */
    static List<String> kernels(String name) {
        return Arrays.asList(name.split(",")[0].split(" \\+ "));
    }

    @TestFactory
    Stream<DynamicTest> asUsed() {
        return cases().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey(), () -> check(entry.getKey(), entry.getValue(), KernelImages.PRODUCTION, 0)));
    }

    @TestFactory
    Stream<DynamicTest> withRealThreads() {
        return cases().entrySet().stream()
                .flatMap(entry -> IntStream.of(BLOCKS)
                        .mapToObj(block -> DynamicTest.dynamicTest(
                                entry.getKey() + ", " + block + " threads",
                                () -> check(entry.getKey(), entry.getValue(), KernelImages.FIBERS, block))));
    }

    /** @param block threads, where the kernel allows so many; 0 for the launcher's choice */
    private static void check(String name, Maker maker, KernelImages images, int block) {
        for (int round = 0; round < ROUNDS; round++) {
            Seeds seeds = Seeds.next();
            try (Device device = TestDevice.open(images)) {
                KernelCase tested = maker.make(device, seeds);
                KernelRuns.run(device, atBlock(tested.work(), block));
                assertNull(tested.complaint(), seeds.message(name + ": " + tested.name()));
                List<String> launched =
                        tested.work().parts().stream().map(Work::name).toList();
                assertTrue(launched.containsAll(kernels(name)), seeds.message(name + " launches " + launched));
                tested.close();
                assertEquals(LiveObjects.NONE, device.live());
            }
        }
    }

    /** The same launch with another block, where that is one the kernel is right for. */
    private static Work atBlock(Work work, int block) {
        if (work.parts().size() > 1) {
            return Work.sequence(
                    work.name(),
                    work.parts().stream().map(part -> atBlock(part, block)).toList());
        }
        if (block == 0
                || !(work instanceof Launch launch)
                || block > launch.kernel().maxThreadsPerBlock()) {
            return work;
        }
        // An elementwise launch covers its elements with the blocks it has: they may only grow.
        return block < launch.threads() && !KernelSources.isCooperative(launch.name())
                ? launch
                : launch.withBlock(block);
    }
}
