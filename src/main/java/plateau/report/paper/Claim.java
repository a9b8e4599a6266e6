package plateau.report.paper;

/**
 * A claim of the paper, judged.
 *
 * @param source where the paper makes it: "section 2.1"
 * @param sentence the claim in short
 * @param evidence for and against it
 */
public record Claim(String source, String sentence, Evidence evidence) {}
