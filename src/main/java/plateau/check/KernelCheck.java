package plateau.check;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import plateau.cuda.CudaException;
import plateau.cuda.Device;
import plateau.cuda.trace.Category;
import plateau.cuda.trace.Range;
import plateau.cuda.trace.Trace;

/** The table of cases as a check of a device: what the tests do with every build, done to one. */
public final class KernelCheck {
    private final Device device;
    private final long seed;
    private final int cases;
    private final Map<String, Result> soFar = new LinkedHashMap<>();

    /**
     * How a kernel did.
     *
     * @param kernel its name
     * @param cases how many ran
     * @param error the largest error, in units of what is allowed: right up to 1, 0 where all was
     *     exact, infinite where something was wrong that has no size
     * @param complaint the worst thing found wrong, in one line; empty where all was right
     */
    public record Result(String kernel, int cases, double error, Optional<String> complaint) {
        private static Result none(String kernel) {
            return new Result(kernel, 0, 0, Optional.empty());
        }

        private Result and(Finding finding, String where) {
            boolean worse = finding.error() > error;
            return new Result(
                    kernel,
                    cases + 1,
                    Math.max(error, finding.error()),
                    worse && !finding.isRight() ? Optional.of(finding.worst() + " (" + where + ")") : complaint);
        }
    }

    /**
     * Prepares a check.
     *
     * @param device on which the kernels run, current on this thread
     * @param seed of the shapes and inputs: the same one gives a kernel the same cases, whichever
     *     others are checked beside it
     * @param cases of each row of the table that draws them
     */
    public KernelCheck(Device device, long seed, int cases) {
        this.device = device;
        this.seed = seed;
        this.cases = cases;
    }

    /** The kernels that have a row, in the order of the table. */
    public static Set<String> kernels() {
        Set<String> names = new LinkedHashSet<>();
        KernelTable.ROWS.forEach(row -> names.addAll(row.kernels()));
        return names;
    }

    /**
     * Runs the cases of these kernels.
     *
     * @param names some of {@link #kernels}
     * @param done is told of each as soon as all its cases have run
     * @return how each did, but for those that were left when the device could no longer be used
     */
    public List<Result> run(Set<String> names, Consumer<Result> done) {
        List<Row> rows = KernelTable.ROWS.stream()
                .filter(row -> row.kernels().stream().anyMatch(names::contains))
                .toList();
        List<Result> results = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            List<Row> rest = rows.subList(i + 1, rows.size());
            boolean usable = run(row);
            for (String kernel : row.kernels()) {
                boolean last = rest.stream().noneMatch(later -> later.kernels().contains(kernel));
                if (names.contains(kernel) && (last || !usable)) {
                    results.add(soFar.get(kernel));
                    done.accept(soFar.get(kernel));
                }
            }
            if (!usable) {
                break;
            }
        }
        return results;
    }

    /** Whether the device can be used afterwards. */
    private boolean run(Row row) {
        int count = row.random() ? cases : 1;
        for (int i = 0; i < count; i++) {
            String shape;
            Finding finding;
            boolean usable = true;
            try (Range _ = Trace.open(Category.RUN, row.name())) {
                Row.Outcome outcome = row.run(device, draws(row, i), UnaryOperator.identity());
                shape = outcome.shape();
                finding = outcome.finding();
            } catch (RuntimeException e) {
                shape = "case " + i;
                finding = Finding.wrong(e instanceof CudaException ? e.getMessage() : e.toString());
                usable = isUsable();
            }
            for (String kernel : row.kernels()) {
                Result before = soFar.getOrDefault(kernel, Result.none(kernel));
                soFar.put(kernel, before.and(finding, row.name() + ": " + shape));
            }
            if (!usable) {
                return false;
            }
        }
        return true;
    }

    private Draws draws(Row row, int index) {
        return new Draws(31 * (31 * seed + row.name().hashCode()) + index);
    }

    /** A kernel that reads or writes where it may not leaves a context in which nothing works. */
    private boolean isUsable() {
        try {
            device.synchronize();
            return true;
        } catch (CudaException e) {
            return false;
        }
    }
}
