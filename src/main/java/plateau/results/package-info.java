/**
 * What runs leave behind, as values and as files.
 *
 * <p>While a campaign goes on, its runs report to a {@link plateau.results.ResultStore}, in a
 * {@link plateau.results.ResultFolder} that one process has claimed. Each run has a log of its own
 * that only grows; the tables of all runs are put together from the logs, and {@code run.json}
 * ({@link plateau.results.Description}, of {@link plateau.results.RunRecord}s) says how far
 * everything came. {@link plateau.results.Results} reads it all back, as one
 * {@link plateau.results.History} per run. Every error is a {@link plateau.results.FileException}:
 * one line that names the file.
 *
 * <p>Nothing here knows a device, an experiment or a command: every package above passes its
 * numbers down to this one.
 */
package plateau.results;
