/** What runs leave behind: tables, figures and descriptions, written whole or not at all. */
package plateau.report;
