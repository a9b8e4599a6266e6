/**
 * Runs as values: a {@link plateau.study.RunSpec} says everything that decides a run's bits, a
 * {@link plateau.study.Campaign} is a list of them, and an {@link plateau.study.Executor} carries
 * one out into a folder of results. Whatever goes on with runs, draws, compares or repeats them
 * takes these values, and every folder of results holds the campaign that it came of.
 */
package plateau.study;
