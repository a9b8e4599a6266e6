package plateau.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import plateau.cuda.Cost;
import plateau.cuda.Timeline;

/**
 * Where the time of a {@link Timeline} went, by kernel.
 *
 * @param rows of each kernel or other operation, the longest in all first
 * @param streams on which they ran
 * @param nanoseconds of all operations
 */
public record KernelProfile(List<Row> rows, List<String> streams, double nanoseconds) {
    /** Launch shapes that a row names; of more it tells the number. */
    private static final int SHAPES = 2;

    /**
     * A kernel, or another operation.
     *
     * @param name of it
     * @param calls how often it ran
     * @param nanoseconds of all calls
     * @param median nanoseconds of a call, which others on the machine do not disturb
     * @param cost of a call, the mean where they differ
     * @param floor nanoseconds that a call needs at the least, the mean where they differ
     * @param grids that it was launched with, in words
     * @param blocks threads of a block, likewise
     */
    public record Row(
            String name,
            int calls,
            double nanoseconds,
            double median,
            Cost cost,
            double floor,
            String grids,
            String blocks) {
        /** Nanoseconds of a call. */
        public double mean() {
            return nanoseconds / calls;
        }

        /** Bytes that it has to touch, by the median of its time: GB/s. */
        public double gigabytesPerSecond() {
            return cost.bytes() / median;
        }

        /** GFLOP/s, likewise. */
        public double gigaflops() {
            return cost.operations() / median;
        }

        /** The least time that a call needs, by the median of its time. */
        public double ofFloor() {
            return floor / median;
        }
    }

    /** Sums up, with floors by what the device can do. */
    public static KernelProfile of(List<Timeline.Operation> operations, DeviceCeilings ceilings) {
        Map<String, List<Timeline.Operation>> byName = operations.stream()
                .collect(Collectors.groupingBy(
                        Timeline.Operation::name, LinkedHashMap::new, Collectors.toCollection(ArrayList::new)));
        List<Row> rows = byName.entrySet().stream()
                .map(entry -> row(entry.getKey(), entry.getValue(), ceilings))
                .sorted(Comparator.comparingDouble(Row::nanoseconds).reversed())
                .toList();
        return new KernelProfile(
                rows,
                operations.stream().map(Timeline.Operation::stream).distinct().toList(),
                operations.stream().mapToDouble(Timeline.Operation::nanoseconds).sum());
    }

    private static Row row(String name, List<Timeline.Operation> calls, DeviceCeilings ceilings) {
        return new Row(
                name,
                calls.size(),
                calls.stream().mapToDouble(Timeline.Operation::nanoseconds).sum(),
                calls.stream()
                        .mapToDouble(Timeline.Operation::nanoseconds)
                        .sorted()
                        .skip(calls.size() / 2)
                        .findFirst()
                        .orElseThrow(),
                new Cost(
                        mean(calls, call -> call.cost().operations()),
                        mean(calls, call -> call.cost().bytes())),
                mean(calls, call -> ceilings.nanoseconds(call.cost())),
                shapes(calls.stream()
                        .flatMap(call -> call.grid().stream())
                        .map(grid -> grid.z() > 1
                                ? "%dx%dx%d".formatted(grid.x(), grid.y(), grid.z())
                                : grid.y() > 1 ? "%dx%d".formatted(grid.x(), grid.y()) : "%d".formatted(grid.x()))
                        .toList()),
                shapes(calls.stream()
                        .filter(call -> call.threads() > 0)
                        .map(call -> Integer.toString(call.threads()))
                        .toList()));
    }

    private static double mean(List<Timeline.Operation> calls, ToDoubleFunction<Timeline.Operation> of) {
        return calls.stream().mapToDouble(of).average().orElseThrow();
    }

    private static String shapes(List<String> all) {
        TreeSet<String> distinct =
                new TreeSet<>(Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder()));
        distinct.addAll(all);
        return distinct.size() > SHAPES ? distinct.size() + " kinds" : String.join(" ", distinct);
    }
}
