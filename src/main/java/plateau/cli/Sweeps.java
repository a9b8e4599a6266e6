package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.StringJoiner;
import java.util.TreeSet;
import java.util.stream.Stream;
import plateau.report.FigureFiles;
import plateau.report.GridFigure;
import plateau.results.FileException;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;
import plateau.results.Status;
import plateau.study.Campaign;
import plateau.study.CampaignEnd;
import plateau.study.RunSpec;
import plateau.study.SweepFolder;

/** Sweeps in folders, as the commands that deal with them want them. */
final class Sweeps {
    private Sweeps() {}

    /** @throws FileException if there is none in a folder */
    static SweepFolder open(Path folder) throws IOException {
        return SweepFolder.open(folder)
                .orElseThrow(() -> new FileException(
                        folder, "there is no sweep in it (no sweep.json); name the folder that a sweep was given"));
    }

    /**
     * Writes tables, run.json and figures from what the shards have, and says so.
     *
     * @throws CommandFailedException if runs are missing, with how to run them
     */
    static void merge(SweepFolder sweep, PrintWriter out, PrintWriter err) throws IOException {
        SweepFolder.State state = sweep.state();
        for (int i = 0; i < sweep.sweep().campaigns().size(); i++) {
            if (!state.parts().get(i).isEmpty()) {
                merge(sweep, state, i, sweep.sweep().campaigns().get(i), out, err);
            }
        }
        missing(sweep, state).ifPresent(text -> {
            throw new CommandFailedException(text);
        });
    }

    private static <O extends Record> void merge(
            SweepFolder sweep,
            SweepFolder.State state,
            int campaign,
            Campaign<O> whole,
            PrintWriter out,
            PrintWriter err)
            throws IOException {
        CampaignRunner.requireNoOthers(sweep.folder(campaign));
        try (ResultFolder folder = CampaignRunner.claim(sweep.folder(campaign), Purpose.ADD, "merge", "--out")) {
            folder.require(Stream.concat(Stream.of(GridFigure.NAME), whole.kind().figureNames().stream())
                    .flatMap(name -> FigureFiles.names(name).stream())
                    .toList());
            sweep.merge(campaign, state, folder).forEach(note -> err.println("plateau: " + note));
            boolean isWhole = state.runs().get(campaign).stream().allMatch(SweepFolder.Run::isFinished);
            CampaignRunner.draw(
                    whole,
                    folder,
                    new CampaignEnd(isWhole ? Status.FINISHED : Status.INTERRUPTED, Optional.empty(), Map.of()),
                    true,
                    out);
            out.println("wrote " + CampaignRunner.written(folder));
        }
    }

    /** What is not finished, and how to run it; empty if all is. */
    static Optional<String> missing(SweepFolder sweep, SweepFolder.State state) {
        SortedSet<Integer> shards = state.unfinished();
        if (shards.isEmpty()) {
            return Optional.empty();
        }
        List<SweepFolder.Run> runs = state.runs().stream().flatMap(List::stream).toList();
        List<SweepFolder.Run> failed = runs.stream()
                .filter(run -> run.files().record().status() == Status.FAILED)
                .toList();
        long unfinished = runs.stream().filter(run -> !run.isFinished()).count();
        String why = failed.isEmpty()
                ? ""
                : ", %d of them failed (%s)".formatted(failed.size(), failure(sweep, failed.getFirst()));
        return Optional.of(
                "%d of %d runs are not finished%s; they are in %s of %d; to run just them: plateau sweep --out %s"
                        .formatted(
                                unfinished,
                                runs.size(),
                                why,
                                (shards.size() == 1 ? "shard " : "shards ") + numbers(shards),
                                sweep.sweep().shards(),
                                sweep.path()));
    }

    /** {@code d = 5, seed 3: why}. */
    static String failure(SweepFolder sweep, SweepFolder.Run run) {
        RunSpec<?> spec = sweep.sweep().campaigns().get(run.campaign()).runs().get(run.index());
        return "%s, seed %d: %s"
                .formatted(
                        spec.key().label(),
                        spec.seed(),
                        run.files().record().error().orElse("it failed"));
    }

    /** Shards as they are typed, counted from 1: {@code 1,3-5}. */
    static String numbers(Collection<Integer> shards) {
        StringJoiner text = new StringJoiner(",");
        List<Integer> sorted = List.copyOf(new TreeSet<>(shards));
        for (int first = 0, end; first < sorted.size(); first = end) {
            end = first + 1;
            while (end < sorted.size() && sorted.get(end) == sorted.get(end - 1) + 1) {
                end++;
            }
            text.add(
                    end == first + 1
                            ? Integer.toString(sorted.get(first) + 1)
                            : "%d-%d".formatted(sorted.get(first) + 1, sorted.get(end - 1) + 1));
        }
        return text.toString();
    }
}
