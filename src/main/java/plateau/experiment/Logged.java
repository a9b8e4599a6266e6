package plateau.experiment;

import plateau.results.History;

/**
 * What a run was, and what it has logged.
 *
 * @param <O> the options of its kind
 * @param options of the run
 * @param history its rows, curves and facts
 */
public record Logged<O extends Record>(O options, History history) {}
