package plateau.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import plateau.autograd.Kernels;
import plateau.figure.Figure;
import plateau.results.LogRow;

/**
 * One experiment with its options and its seed chosen: everything about a run but the schedule. An
 * instance holds no device memory and may be run many times.
 */
public interface Experiment {

    /** The name of its kind. */
    String name();

    /**
     * Everything that was chosen, by name; the same for every run of the same bits, but for seed
     * and schedule.
     */
    Map<String, Object> options();

    /** The seed that decides every random number of the run. */
    long seed();

    /** The names of the test metrics, in the order of the test ring. */
    List<String> metrics();

    /**
     * Allocates a run's memory and prepares its work.
     *
     * @param run where it takes place
     */
    Plan plan(RunContext run);

    /**
     * Steps after which what was learnt is kept, if something is logged then; the end is always
     * one.
     */
    default Set<Long> milestones() {
        return Set.of();
    }

    /**
     * What a run draws at random and a reader of its results wants to know, by name: texts,
     * numbers, lists and maps.
     */
    default Map<String, Object> facts(Kernels kernels) {
        return Map.of();
    }

    /** Figures of a run's data, by the names of their files. */
    default Map<String, Figure> dataFigures(Kernels kernels) {
        return Map.of();
    }

    /** What is said of a run's metrics. */
    default String summary(LogRow row) {
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < metrics().size(); i++) {
            double value = row.test().get(i);
            parts.add(metrics().get(i) + (value != 0 && Math.abs(value) < 1e-3 ? " %.2e" : " %.3f").formatted(value));
        }
        return String.join(", ", parts);
    }
}
