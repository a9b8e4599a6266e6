/**
 * The paper's figures and claims, from the results of the commands that repeat its experiments: a
 * file for each experiment, and the page that shows them.
 */
package plateau.report.paper;
