package plateau.results;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the results must know of a run before it begins.
 *
 * @param key what tells it from the others
 * @param metrics the names of a row's values
 * @param facts what it drew at random, or else is worth knowing, by name: texts, numbers, lists and
 *     maps
 * @param steps training steps
 * @param logEvery training steps between two rows; the last step has one too
 */
public record RunPlan(RunKey key, List<String> metrics, Map<String, Object> facts, long steps, long logEvery) {

    /** Copies the collections. */
    public RunPlan {
        metrics = List.copyOf(metrics);
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /** Rows that are logged in the first steps. */
    long rows(long done) {
        return done / logEvery + (done == steps && steps % logEvery != 0 ? 1 : 0);
    }
}
