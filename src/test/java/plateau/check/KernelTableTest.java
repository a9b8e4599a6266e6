package plateau.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import plateau.cuda.Device;
import plateau.cuda.Launch;
import plateau.cuda.LiveObjects;
import plateau.cuda.Work;
import plateau.reference.Seeds;

/**
 * The table of cases on every build: as kernels are used, and with real threads, barriers and
 * shuffles at every block size they are right for. {@code -Dplateau.kernels=dense_forward,sgd}
 * leaves out the others.
 */
class KernelTableTest {
    private static final int[] BLOCKS = {1, 32, 96, 256, 1024};
    private static final int ROUNDS = 6;

    @AfterEach
    void anyCpu() {
        Build.clear();
    }

    private static Stream<Row> rows() {
        List<String> asked = List.of(System.getProperty("plateau.kernels", "").split(","));
        Predicate<Row> wanted = row -> row.kernels().stream().anyMatch(asked::contains);
        return KernelTable.ROWS.stream().filter(asked.equals(List.of("")) ? _ -> true : wanted);
    }

    @TestFactory
    Stream<DynamicTest> asUsed() {
        return rows().map(row -> test(row.name(), row, Build.AS_USED::open, UnaryOperator.identity()));
    }

    /** Kernels that draw data, on builds for other CPUs. */
    @TestFactory
    Stream<DynamicTest> onEveryBuild() {
        return Build.all().stream()
                .flatMap(build -> rows().filter(row -> !row.random())
                        .map(row -> test(row.name() + ", " + build, row, build::open, UnaryOperator.identity())));
    }

    @TestFactory
    Stream<DynamicTest> withRealThreads() {
        return rows().flatMap(row -> IntStream.of(BLOCKS)
                .mapToObj(block -> test(
                        row.name() + ", " + block + " threads",
                        row,
                        Build.FIBERS::open,
                        work -> atBlock(work, block))));
    }

    private static DynamicTest test(String name, Row row, Supplier<Device> open, UnaryOperator<Work> launched) {
        return DynamicTest.dynamicTest(name, () -> check(row, open, launched, name));
    }

    private static void check(Row row, Supplier<Device> open, UnaryOperator<Work> launched, String name) {
        try (Device device = open.get()) {
            for (int round = 0; round < (row.random() ? ROUNDS : 1); round++) {
                Seeds seeds = Seeds.next();
                Row.Outcome outcome = row.run(device, seeds, launched);
                assertTrue(
                        outcome.finding().isRight(),
                        () -> seeds.message(name + ": " + outcome.shape() + ": "
                                + outcome.finding().worst()));
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
        if (!(work instanceof Launch launch) || block > launch.kernel().maxThreadsPerBlock()) {
            return work;
        }
        // An elementwise launch covers its elements with the blocks it has: they may only grow.
        return block < launch.threads() && !KernelSources.isCooperative(launch.name())
                ? launch
                : launch.withBlock(block);
    }
}
