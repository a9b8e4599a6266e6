/**
 * Runs an experiment: captured graphs of several steps, replayed, with metrics read at each log
 * interval.
 */
package plateau.train;
