package plateau.theory;

import plateau.results.Verdict;

/**
 * A sentence of the paper beside what was computed.
 *
 * @param source where the paper has it: "theorem 1"
 * @param sentence what it says, in short
 * @param bound what it promises, as a number or a formula
 * @param measured what came out
 * @param rule by which the two are compared
 * @param verdict what the rule says
 */
public record Check(String source, String sentence, String bound, String measured, String rule, Verdict verdict) {}
