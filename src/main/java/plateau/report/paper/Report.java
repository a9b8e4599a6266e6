package plateau.report.paper;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import plateau.results.Verdict;
import plateau.theory.Check;
import plateau.theory.Findings;
import plateau.theory.Statement;

/**
 * What the page shows.
 *
 * @param made when, for the reader
 * @param device that the runs took place on
 * @param versions of what they ran with
 * @param parts one for each section of the paper
 * @param theory its theorems, computed
 */
public record Report(String made, String device, Map<String, String> versions, List<Chapter> parts, Theory theory) {

    /**
     * The theorems.
     *
     * @param command that computes them, done or not
     * @param folder with their tables and figures, relative to the page
     * @param findings those that are there
     */
    public record Theory(Command command, String folder, Findings findings) {

        /** All sentences that have been judged. */
        public Stream<Check> checks() {
            return Statement.ALL.stream()
                    .flatMap(statement -> findings.of(statement).stream())
                    .flatMap(entry -> entry.finding().checks().stream());
        }
    }

    /**
     * One section of the paper.
     *
     * @param section which
     * @param commands behind it, done or not
     * @param claims all of them, judged as far as there are results
     * @param drawings the figures that there are results for
     */
    public record Chapter(Section section, List<Command> commands, List<Claim> claims, List<PaperFigure> drawings) {}

    /**
     * A command behind a part.
     *
     * @param line as it is typed
     * @param status how far it came: finished, running, interrupted, failed or not run
     * @param error why it failed; empty where it did not
     * @param seconds it took; 0 where it has not ended
     * @param settings every option with its value
     */
    public record Command(String line, String status, String error, double seconds, Map<String, String> settings) {

        /** Whether all its results are there. */
        public boolean isFinished() {
            return status.equals("finished");
        }
    }

    /** The claims of all parts. */
    public Stream<Claim> claims() {
        return parts.stream().flatMap(part -> part.claims.stream());
    }

    /** How many claims, and sentences of theorems, were judged so. */
    public long count(Verdict verdict) {
        return Stream.concat(
                        claims().map(claim -> claim.evidence().verdict()),
                        theory.checks().map(Check::verdict))
                .filter(each -> each == verdict)
                .count();
    }

    private Stream<Command> commands() {
        return Stream.concat(parts.stream().flatMap(part -> part.commands.stream()), Stream.of(theory.command));
    }

    /** The commands whose results are not all there. */
    public List<Command> missing() {
        return commands().filter(command -> !command.isFinished()).toList();
    }

    /** What all commands took. */
    public double seconds() {
        return commands().mapToDouble(Command::seconds).sum();
    }
}
