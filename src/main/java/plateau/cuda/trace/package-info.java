/**
 * What a program says of itself while it runs, for profilers: ranges of time, and the names of
 * threads, streams and contexts.
 */
package plateau.cuda.trace;
