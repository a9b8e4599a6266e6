package plateau.report.paper;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the page shows.
 *
 * @param made when, for the reader
 * @param device that the runs took place on
 * @param versions of what they ran with
 * @param parts one for each section of the paper
 */
public record Report(String made, String device, Map<String, String> versions, List<Chapter> parts) {

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

    /** How many claims were judged so. */
    public long count(Verdict verdict) {
        return claims().filter(claim -> claim.evidence().verdict() == verdict).count();
    }

    /** The commands whose results are not all there. */
    public List<Command> missing() {
        return parts.stream()
                .flatMap(part -> part.commands.stream())
                .filter(command -> !command.isFinished())
                .toList();
    }

    /** What all commands took. */
    public double seconds() {
        return parts.stream()
                .flatMap(part -> part.commands.stream())
                .mapToDouble(Command::seconds)
                .sum();
    }
}
