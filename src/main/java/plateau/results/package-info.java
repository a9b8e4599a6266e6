/**
 * What runs leave behind, as values and as files: the rows and curves of one run ({@link
 * plateau.results.History}), the folder that holds the results of a campaign, its tables and its
 * description, each with reader and writer together.
 *
 * <p>Nothing here knows a device, an experiment or a command: every package above passes its
 * numbers down to this one.
 */
package plateau.results;
