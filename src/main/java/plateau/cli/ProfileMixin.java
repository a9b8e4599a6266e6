package plateau.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** What every profile takes: the command, and which of its steps. */
@Command // without which picocli takes it for no mixin
final class ProfileMixin {
    /** Where the command itself writes. */
    static final String RESULTS = "results";

    private static final String FOLDER = "profile";
    private static final long SKIPPED = 100;
    private static final long COUNT = 200;

    @Parameters(
            paramLabel = "COMMAND",
            arity = "1..*",
            description = "the command with its options, after two hyphens: -- parity --d 30")
    private List<String> words = new ArrayList<>();

    @Option(
            names = "--skip",
            paramLabel = "N",
            description = "training steps before those that are looked at (default: " + SKIPPED
                    + ", or half of a run that has fewer)")
    private long skipped = SKIPPED;

    @Option(names = "--steps", paramLabel = "N", description = "training steps to look at (default: " + COUNT + ")")
    private long count = COUNT;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "folder for all that is made, which is not there yet or empty (default: " + FOLDER
                    + ", or the first of " + FOLDER + "-2 and so on that is not there)")
    private Path out;

    /**
     * The command, parsed.
     *
     * @param words of it
     * @param given what was typed of it
     */
    record Target(List<String> words, CommandLine.ParseResult given) {
        boolean takes(String option) {
            return given.commandSpec().findOption(option) != null;
        }

        boolean has(String option) {
            return given.hasMatchedOption(option);
        }

        /** The value of an option as it was given. */
        Optional<String> text(String option) {
            return Optional.ofNullable(given.matchedOption(option))
                    .map(matched -> matched.originalStringValues().getFirst());
        }

        /** With these words where the command takes the option and has not been given it. */
        Target with(String option, String... value) {
            if (!takes(option) || has(option)) {
                return this;
            }
            List<String> more = new ArrayList<>(words);
            more.add(option);
            more.addAll(List.of(value));
            return new Target(more, given);
        }

        /** Whether it trains, and so has steps of which some are looked at. */
        boolean trains() {
            return takes("--unroll") || words.getFirst().equals("reproduce");
        }
    }

    long skipped() {
        return skipped;
    }

    long count() {
        return count;
    }

    /**
     * What is to be run.
     *
     * @throws IllegalArgumentException with one line, if it is no command that uses a device, or it
     *     would refuse these words
     */
    Target target(CommandSpec profile) {
        if (skipped < 0 || count < 1) {
            throw new IllegalArgumentException("--skip is 0 or more, and --steps 1 or more");
        }
        CommandLine root = Main.commandLine(profile.commandLine().getFactory());
        TypedValues.register(root);
        CommandLine.ParseResult parsed;
        try {
            parsed = root.parseArgs(words.toArray(String[]::new));
        } catch (ParameterException e) {
            throw new IllegalArgumentException(
                    e.getMessage().lines().findFirst().orElse("") + " (in the command that" + " is to be profiled)");
        }
        while (parsed.hasSubcommand()) {
            parsed = parsed.subcommand();
        }
        Target target = new Target(List.copyOf(words), parsed);
        if (!target.takes("--device") || words.getFirst().equals("gpu-check")) {
            throw new IllegalArgumentException(
                    "'%s' cannot be profiled: name a command that runs kernels, for example parity"
                            .formatted(words.getFirst()));
        }
        return target;
    }

    /** A folder that is not there, or is empty. */
    Path folder() throws IOException {
        if (out == null) {
            return Stream.iterate(1, number -> number + 1)
                    .map(number -> Path.of(number == 1 ? FOLDER : FOLDER + "-" + number))
                    .filter(Files::notExists)
                    .findFirst()
                    .orElseThrow();
        }
        if (Files.exists(out)) {
            try (Stream<Path> inside = Files.list(out)) {
                if (inside.findAny().isPresent()) {
                    throw new CommandFailedException(
                            "--out " + out + ": there is something in that folder; name another");
                }
            }
        }
        return out;
    }
}
