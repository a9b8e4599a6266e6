/**
 * The paper's figures and claims, from the results of the campaigns that repeat its experiments: a
 * file for each experiment, and the page that shows them.
 *
 * <p>Power of quick mode, 27 November 2026: 20 groups of seeds were drawn, with overlaps, from
 * results with seeds from 2001 on (step 100 and 40 of its deep networks, parity 40 and 10 at
 * d = 30, snr 16, stocks 100 and 3 at the larger k, pwl 5 to 25), and all 480 verdicts on the 24
 * claims outside tuple hold (449 with the numbers of seeds before). Three of tuple's held in each
 * of 1,000 such draws; that end-to-end works for k = 2 was computed, not drawn: with the share of
 * runs that work, 0.28 ± 0.05 of 100, it is undecided from 2.7 % of seeds, and from 10.7 % at 0.22.
 */
package plateau.report.paper;
