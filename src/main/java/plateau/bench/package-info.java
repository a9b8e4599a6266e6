/**
 * Measurements: what a device does at its best, how fast runs train, and where the time of a step
 * goes.
 */
package plateau.bench;
