package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import plateau.cuda.Device;
import plateau.cuda.trace.Category;
import plateau.cuda.trace.Range;
import plateau.cuda.trace.Trace;
import plateau.report.FigureFiles;
import plateau.results.ResultFolder;
import plateau.results.ResultFolder.Purpose;
import plateau.study.Failures;
import plateau.theory.Check;
import plateau.theory.Drawing;
import plateau.theory.Finding;
import plateau.theory.Findings;
import plateau.theory.Scale;
import plateau.theory.Statement;

/** Computes statements of the paper into a folder, and keeps those that are there. */
final class TheoryRunner {
    private final DeviceMixin device;
    private final PrintWriter print;

    TheoryRunner(DeviceMixin device, PrintWriter print) {
        this.device = device;
        this.print = print;
    }

    /**
     * Refuses to add to what was computed otherwise.
     *
     * @throws CommandFailedException if a statement is there at another scale or with another seed
     */
    static void requireSame(List<Statement> chosen, Scale scale, Path target) {
        Findings there = read(target);
        for (Statement statement : chosen) {
            there.of(statement).filter(entry -> !entry.scale().equals(scale)).ifPresent(entry -> {
                throw new CommandFailedException(
                        "%s holds %s as computed with %s --seed %d; name another --out, or replace it with --overwrite"
                                .formatted(
                                        target,
                                        statement.name(),
                                        entry.scale().full() ? "--full" : "--quick",
                                        entry.scale().seed()));
            });
        }
    }

    /** What a folder holds. */
    static Findings read(Path folder) {
        try {
            return Findings.read(folder);
        } catch (IOException e) {
            throw new CommandFailedException(Failures.explain(e), e);
        }
    }

    /**
     * Computes the statements that are not there yet, or all of them, one after the other; each is
     * written before the next begins.
     */
    void run(List<Statement> chosen, Scale scale, boolean again, Path target, Interruption interruption)
            throws IOException {
        Findings findings = read(target);
        List<Statement> missing = new ArrayList<>();
        for (Statement statement : chosen) {
            Optional<Findings.Entry> there = again ? Optional.empty() : findings.of(statement);
            if (there.isPresent()) {
                print.println(statement.name() + ": kept what is there");
            } else {
                missing.add(statement);
            }
        }
        if (missing.isEmpty()) {
            return;
        }
        try (ResultFolder folder = CampaignRunner.claim(target, Purpose.ADD, "theory", "--out");
                Device open = device.open(device.selectors().getFirst())) {
            interruption.calls(() -> {}); // between two statements; one that takes long is not waited for
            interruption.leaves(() -> CampaignRunner.leave(folder));
            for (Statement statement : missing) { // whatever is in the way is found before the first begins
                folder.require(Findings.files(statement));
                folder.require(FigureFiles.names(statement.name()));
            }
            for (Statement statement : missing) {
                if (interruption.happened()) {
                    return;
                }
                long start = System.nanoTime();
                Finding finding;
                try (Range _ = Trace.open(Category.RUN, statement.name())) {
                    finding = statement.measure(device.kernels(open), scale);
                }
                double seconds = (System.nanoTime() - start) / 1e9;
                interruption.saving();
                findings = findings.with(statement, new Findings.Entry(scale, open.description(), seconds, finding));
                for (Drawing drawing : finding.drawings()) {
                    FigureFiles.write(folder, drawing.name(), drawing.figure());
                }
                findings.write(folder, statement);
                interruption.saved();
                report(statement, finding, seconds);
            }
            print.println("wrote " + String.join(", ", folder.written()) + " to " + target);
        }
    }

    private void report(Statement statement, Finding finding, double seconds) {
        print.printf("%n%s (%s), %.1f s%n", statement.title(), statement.source(), seconds);
        for (Check check : finding.checks()) {
            print.printf(
                    "%-13s  %s (%s)%n               bound: %s%n               measured: %s%n",
                    check.verdict(), check.sentence(), check.source(), check.bound(), check.measured());
        }
    }
}
