package plateau.experiment;

import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import plateau.figure.Figure;

/**
 * A kind of experiment: what it is called, what can be chosen of it, and what its results show.
 * Kinds are found by {@link java.util.ServiceLoader}, so that another program's experiments have
 * commands, tables, checkpoints and figures as the built-in ones have: name the class in
 * {@code META-INF/services/plateau.experiment.Kind}.
 *
 * @param <O> its options; see {@link Choices}
 */
public interface Kind<O extends Record> {

    /** The command's name, in lower case. */
    String name();

    /** What is learnt, and where the paper has it, in a sentence or two. */
    String description();

    /** What can be chosen. */
    Choices<O> choices();

    /**
     * One experiment.
     *
     * @param options all that is chosen
     * @param seed decides every random number of the run
     */
    Experiment create(O options, long seed);

    /** Training steps, unless others are asked for. */
    long defaultSteps(O options);

    /** Whether the number of steps follows from the options, so that no other may be asked for. */
    default boolean stepsFollow() {
        return false;
    }

    /**
     * Every name that {@link #figures} and the experiments' {@link Experiment#dataFigures} may use,
     * so that a folder in which others have files of such names can be refused before anything is
     * run.
     */
    default List<String> figureNames() {
        return List.of(name());
    }

    /**
     * The figures of what runs have logged, by the names of their files.
     *
     * @param runs those that have logged something, in the order of the tables; at least one
     */
    SequencedMap<String, Figure> figures(List<Logged<O>> runs);

    /**
     * What all runs together came to, for a reader: lines of text.
     *
     * @param runs that are finished
     */
    default List<String> conclusion(List<Logged<O>> runs) {
        return List.of();
    }

    /** The options of a run from the values that they have by name; see {@link Choices#create}. */
    default O options(Map<String, ?> values) {
        return choices().create(values);
    }
}
