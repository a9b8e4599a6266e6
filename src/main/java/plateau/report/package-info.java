/**
 * What readers see of results: figures as PNG and SVG, as data for charts on a page, and numbers in
 * words. The package below has the page about the whole paper, with its claims and their tests.
 */
package plateau.report;
