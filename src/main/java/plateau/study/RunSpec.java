package plateau.study;

import java.util.LinkedHashMap;
import java.util.SequencedMap;
import plateau.experiment.Choice;
import plateau.experiment.Experiment;
import plateau.experiment.Kind;
import plateau.results.RunKey;
import plateau.train.Schedule;

/**
 * One run as a value: everything that decides its bits on a device.
 *
 * @param <O> the options of its kind
 * @param kind of experiment
 * @param options all that is chosen of it
 * @param schedule how long it trains, and how often it is looked at
 * @param seed of every random number
 */
public record RunSpec<O extends Record>(Kind<O> kind, O options, Schedule schedule, long seed) {

    /** The experiment. */
    public Experiment experiment() {
        return kind.create(options, seed);
    }

    /** Every option by its name, as it is written. */
    public SequencedMap<String, Object> values() {
        return kind.choices().values(options);
    }

    /** What tells it from the other runs of a campaign. */
    public RunKey key() {
        SequencedMap<String, Object> values = values();
        SequencedMap<String, Object> columns = new LinkedHashMap<>();
        for (Choice choice : kind.choices().differing()) {
            columns.put(choice.name(), values.get(choice.name()));
        }
        return new RunKey(columns, seed);
    }
}
