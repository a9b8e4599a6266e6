package plateau.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import plateau.theory.Scale;
import plateau.theory.Statement;

/** The paper's theorems, lemmas and last figure, computed beside their bounds. */
@Command(
        name = "theory",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Computes what the paper's theorems and lemmas bound, and judges each by a stated rule; draws its last"
                    + " figure.",
            "Writes for each statement a table as CSV and its figures, and theory.json, from which plateau reproduce"
                    + " makes a part of its page. Statements that are there already are kept."
        },
        footer = {
            "",
            "Examples:",
            "  plateau theory",
            "      every statement in about a minute, into ./theory",
            "  plateau theory --only theorem-1,theorem-4",
            "      two of them",
            "  plateau theory --full --out thorough",
            "      larger dimensions, more samples",
            "",
            "The exit code is 0 whatever the verdicts."
        })
final class TheoryCommand implements Callable<Integer> {
    private static final List<String> NAMES =
            Statement.ALL.stream().map(Statement::name).toList();

    @Spec
    private CommandSpec spec;

    @ArgGroup
    private Mode mode = new Mode();

    @Mixin
    private OneDeviceMixin device;

    @Option(
            names = "--only",
            paramLabel = "NAME[,NAME...]",
            completionCandidates = Names.class,
            description = "statements to compute: ${COMPLETION-CANDIDATES} (default: all)")
    private String only;

    @Option(names = "--seed", paramLabel = "N", description = "of all that is drawn (default: 1)")
    private Long seed;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "theory",
            description = "folder for tables and figures (default: ${DEFAULT-VALUE})")
    private Path out;

    @Option(names = "--overwrite", description = "compute again what is there already")
    private boolean overwrite;

    /** What a shell offers for the option of statements. */
    private static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return NAMES.iterator();
        }
    }

    /** One or the other. */
    private static final class Mode {
        @Option(names = "--quick", description = "about a minute on two cores (default)")
        private boolean quick;

        @Option(names = "--full", description = "larger dimensions and more samples")
        private boolean full;
    }

    @Override
    public Integer call() throws IOException {
        List<Statement> chosen = TypedValues.names("--only", only, NAMES).stream()
                .flatMap(name -> Statement.ALL.stream()
                        .filter(statement -> statement.name().equals(name)))
                .toList();
        device.check();
        Scale scale = new Scale(mode.full, seed == null ? 1 : seed);
        if (!overwrite) {
            TheoryRunner.requireSame(chosen, scale, out);
        }
        try (Interruption interruption = new Interruption()) {
            new TheoryRunner(device, spec.commandLine().getOut()).run(chosen, scale, overwrite, out, interruption);
        }
        return ExitCode.OK;
    }
}
