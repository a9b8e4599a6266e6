package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import plateau.experiment.Choice;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;
import plateau.reference.Seeds;
import plateau.study.Grid;

/**
 * Command lines that cannot be carried out, made from the tables of commands and options, so that
 * those of a new command are among them. Each is refused in one line before a device is opened and
 * before anything is printed or written; values that may be right are refused so, or get as far as
 * the device. {@code -Dplateau.lines=all} tries all of them, else some that are drawn.
 */
class BadCommandLinesTest {
    private static final int DRAWN = 400;
    private static final Duration AT_ONCE = Duration.ofSeconds(20);

    private static final Set<Class<?>> NUMBERS =
            Set.of(int.class, Integer.class, long.class, Long.class, TypedValues.Integers.class);

    /** No long, no int, no digits that all who read a table can read, no numbers at all. */
    private static final List<String> NO_WHOLE_NUMBERS = List.of(
            "",
            " ",
            "x",
            "1x",
            "1.5",
            "1e3",
            "0x10",
            "1,",
            ",",
            ",1",
            "1 2",
            "\u0663",
            "\uFF13",
            "\u0969",
            "null",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999");

    private static final List<String> FAR_NUMBERS = List.of(
            "9223372036854775807", "4294967296", "2147483647", "1000000000", "-9223372036854775808", "+5", "07");

    private static final List<String> NO_RATES = List.of(
            "",
            " ",
            "x",
            "-1",
            "0",
            "-0",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e400",
            "1e-60",
            "1,5",
            "1,",
            "\u0663",
            "1_0");

    private static final List<String> NO_NAMES =
            List.of("", " ", "x", ",", "1", "\u0663", "cuda:", "cuda:x", "cuda:-1", "cuda:99999", "cpu,cpu", "..");

    /** What a reader of one line is not to be told. */
    static final Pattern PROGRAMMERS_WORDS = Pattern.compile(
            "\\b[A-Z]\\w+(Exception|Error)\\b|\\b[a-z]+\\.[a-z]+\\.[A-Za-z.]+\\$?[A-Z]|\\bnull\\b|\\tat ");

    /** Thrown in place of opening a device: a line has been accepted. */
    private static final class Accepted extends Error {
        private static final long serialVersionUID = 1;
    }

    private enum Verdict {
        /** With exit code 2. */
        BAD_USAGE,
        /** With exit code 1 or 2: a file or folder is not what it should be. */
        REFUSED,
        /** It gets as far as a device. */
        ACCEPTED,
        /** Refused as bad usage, or accepted. */
        EITHER
    }

    private record Line(List<String> words, Verdict verdict) {}

    @TempDir
    Path folder;

    private Path results;
    private Path file;
    private Path campaign;
    private final List<Line> lines = new ArrayList<>();

    @BeforeEach
    void makeFiles() throws IOException {
        results = folder.resolve("results");
        Finished.here(
                        "parity",
                        "--device",
                        "cpu",
                        "--d",
                        "5",
                        "--steps",
                        "4",
                        "--batch",
                        "4",
                        "--checkpoint-every",
                        "4",
                        "--out",
                        results.toString())
                .assertOk();
        file = Files.writeString(folder.resolve("file"), "neither a library nor a campaign\n");
        Files.createDirectory(folder.resolve("empty"));
        campaign = Files.writeString(
                folder.resolve("campaign.json"),
                "{\"experiment\": \"parity\", \"runs\": [{\"options\": {\"d\": 5}, \"steps\": 4}]}");
    }

    @Test
    void everyBadLineIsRefusedInOneLine(TestReporter reporter) throws Exception {
        add(List.of(), Main.commandLine(CommandLine.defaultFactory()).getCommandSpec());
        assertTrue(lines.size() >= 400, () -> "no more than " + lines.size() + " lines");
        Seeds seeds = Seeds.next();
        List<Line> tried = new ArrayList<>(new LinkedHashSet<>(lines));
        int all = tried.size();
        if (!System.getProperty("plateau.lines", "").equals("all")) {
            Collections.shuffle(tried, new java.util.Random(seeds.seed()));
            tried = tried.subList(0, Math.min(DRAWN, tried.size()));
        }
        List<String> wrong = new ArrayList<>();
        int accepted = 0;
        for (Line line : tried) {
            Map<String, Long> before = disk();
            Outcome outcome = assertTimeoutPreemptively(AT_ONCE, () -> run(line), line::toString);
            accepted += outcome.accepted ? 1 : 0;
            problem(line, outcome)
                    .or(() -> before.equals(disk()) ? Optional.empty() : Optional.of("something was written"))
                    .ifPresent(what ->
                            wrong.add((line.words + " " + line.verdict + ": " + what).replaceAll("x{100,}", "x...x")));
        }
        reporter.publishEntry(
                "%d of %d lines, %d accepted, %d wrong".formatted(tried.size(), all, accepted, wrong.size()));
        assertEquals(List.of(), wrong, () -> seeds.message("\n" + String.join("\n", wrong) + "\n"));
    }

    private record Outcome(int code, boolean accepted, String out, String err) {}

    private static Outcome run(Line line) {
        boolean[] accepted = new boolean[1];
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        Runnable accept = () -> {
            accepted[0] = true;
            throw new Accepted();
        };
        CommandLine.IFactory factory = Finished.opening(
                _ -> {
                    accept.run();
                    return null;
                },
                accept);
        int code = Main.run(
                factory, new PrintWriter(out, true), new PrintWriter(err, true), line.words.toArray(String[]::new));
        return new Outcome(code, accepted[0], out.toString(), err.toString());
    }

    private static Optional<String> problem(Line line, Outcome outcome) {
        if (outcome.accepted) {
            return line.verdict == Verdict.ACCEPTED || line.verdict == Verdict.EITHER
                    ? Optional.empty()
                    : Optional.of("it was accepted");
        }
        List<String> err = outcome.err.lines().toList();
        if (line.verdict == Verdict.ACCEPTED) {
            return Optional.of("it was refused: " + err);
        }
        if (outcome.code != ExitCode.USAGE && !(line.verdict == Verdict.REFUSED && outcome.code == ExitCode.FAILED)) {
            return Optional.of("exit code " + outcome.code + " " + err);
        }
        if (err.size() != 1
                || !err.getFirst().startsWith("plateau: ")
                || err.getFirst().length() < 20) {
            return Optional.of("not one line: " + err);
        }
        if (PROGRAMMERS_WORDS.matcher(err.getFirst().replace("'null'", "")).find()) {
            return Optional.of("not for users: " + err);
        }
        return outcome.out.isEmpty() ? Optional.empty() : Optional.of("it printed " + outcome.out);
    }

    /** Names and sizes of what a line could have written, in its folder or in this process's. */
    private Map<String, Long> disk() {
        Map<String, Long> disk = new TreeMap<>();
        try (Stream<Path> made = Files.walk(folder);
                Stream<Path> here = Files.list(Path.of(""))) {
            made.forEach(path -> disk.put(path.toString(), path.toFile().length()));
            here.forEach(path -> disk.put(path.toString(), 0L));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return disk;
    }

    /** A command's lines, and those of the commands below it. */
    private void add(List<String> path, CommandSpec command) {
        for (String word : List.of("--sceptre", "--sceptre=3", "-z", "surplus")) {
            addLine(command, path, word.equals("surplus") ? Verdict.REFUSED : Verdict.BAD_USAGE, "", word);
        }
        command.subcommands().forEach((name, below) -> {
            List<String> longer = new ArrayList<>(path);
            longer.add(name);
            add(longer, below.getCommandSpec());
            for (String other : List.of(name + "x", name.toUpperCase(java.util.Locale.ROOT), " ")) {
                addLine(command, path, Verdict.BAD_USAGE, "", other);
            }
        });
        if (needed(command).findAny().isPresent()) {
            lines.add(new Line(path, Verdict.BAD_USAGE));
        }
        for (OptionSpec option : command.options()) {
            if (!option.usageHelp() && !option.versionHelp()) {
                addOption(path, command, option);
            }
        }
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            values(command, parameter).forEach((value, verdict) -> {
                List<String> words = new ArrayList<>(path);
                Collections.addAll(words, value);
                int more = parameter.arity().min() - 1;
                words.addAll(needed(command).limit(Math.max(0, more)).toList());
                words.addAll(out(command, ""));
                lines.add(new Line(words, verdict));
            });
        }
        for (ArgGroupSpec group : command.argGroups()) {
            List<String> names =
                    group.options().stream().map(OptionSpec::longestName).toList();
            if (group.exclusive() && names.size() > 1) {
                addLine(command, path, Verdict.BAD_USAGE, "", names.toArray(String[]::new));
            }
        }
    }

    private void addOption(List<String> path, CommandSpec command, OptionSpec option) {
        for (String name : option.names()) {
            addLine(command, path, Verdict.BAD_USAGE, name, name + "x");
            if (option.arity().max() == 0) {
                addLine(command, path, Verdict.BAD_USAGE, name, name + "=x");
                addLine(command, path, Verdict.BAD_USAGE, name, name, name);
                continue;
            }
            addLine(command, path, Verdict.BAD_USAGE, name, name);
            if (!option.isMultiValue()) {
                addLine(command, path, Verdict.BAD_USAGE, name, name, "1", name, "1");
            }
            values(command, option).forEach((value, verdict) -> {
                addLine(command, path, verdict, name, name, value);
                addLine(command, path, verdict, name, name + "=" + value);
            });
        }
    }

    /** With all else that the command needs, so that nothing but these words can be wrong. */
    private void addLine(CommandSpec command, List<String> path, Verdict verdict, String option, String... words) {
        List<String> line = new ArrayList<>(path);
        line.addAll(needed(command).toList());
        line.addAll(out(command, option));
        Collections.addAll(line, words);
        lines.add(new Line(line, verdict));
    }

    private Stream<String> needed(CommandSpec command) {
        return command.positionalParameters().stream()
                .flatMap(parameter -> IntStream.range(0, parameter.arity().min())
                        .mapToObj(_ -> (parameter.paramLabel().equals("DIR") ? results : campaign).toString()));
    }

    private List<String> out(CommandSpec command, String option) {
        return command.findOption("--out") == null || option.equals("--out") || option.equals("--resume")
                ? List.of()
                : List.of("--out", folder.resolve("out").toString());
    }

    /** What is tried as a value, and what is to come of it. */
    private Map<String, Verdict> values(CommandSpec command, ArgSpec argument) {
        Optional<Kind<?>> kind = Kinds.all().stream()
                .filter(each -> each.name().equals(command.name()))
                .findFirst();
        Optional<Choice> choice = kind.flatMap(each -> each.choices().all().stream()
                .filter(one -> argument.isOption()
                        ? ((OptionSpec) argument).longestName().equals("--" + one.name())
                        : one.main())
                .findFirst());
        if (choice.isPresent()) {
            return tried(choice.get())
                    .distinct()
                    .collect(Collectors.toMap(
                            value -> value,
                            value -> isPossible(kind.orElseThrow(), choice.get(), value)
                                    ? Verdict.ACCEPTED
                                    : Verdict.BAD_USAGE));
        }
        Set<Class<?>> types = Stream.concat(Stream.of(argument.type()), Stream.of(argument.auxiliaryTypes()))
                .collect(Collectors.toSet());
        Map<String, Verdict> values = new TreeMap<>();
        if (types.contains(Path.class)) {
            addPaths(argument, values);
        } else if (types.stream().anyMatch(NUMBERS::contains)) {
            FAR_NUMBERS.forEach(value -> values.put(value, Verdict.EITHER));
            NO_WHOLE_NUMBERS.forEach(value -> values.put(value, Verdict.BAD_USAGE));
            // of all that is counted there is one at the least; a seed may be any number
            boolean counts = !argument.paramLabel().equals("SEED") && !isSeed(argument);
            List.of("0", "-1").forEach(value -> values.put(value, counts ? Verdict.BAD_USAGE : Verdict.EITHER));
        } else {
            NO_NAMES.forEach(value -> values.put(value, Verdict.BAD_USAGE));
            choices(argument)
                    .findFirst()
                    .ifPresent(one -> Stream.of(one + ",", "," + one, one + "x", one + " " + one)
                            .forEach(value -> values.put(value, Verdict.BAD_USAGE)));
        }
        return values;
    }

    private static Stream<String> choices(ArgSpec argument) {
        return argument.completionCandidates() == null
                ? Stream.empty()
                : StreamSupport.stream(argument.completionCandidates().spliterator(), false);
    }

    private static boolean isSeed(ArgSpec argument) {
        return argument.isOption() && ((OptionSpec) argument).longestName().equals("--seed");
    }

    private void addPaths(ArgSpec argument, Map<String, Verdict> values) {
        boolean isWritten =
                argument.isOption() && ((OptionSpec) argument).longestName().equals("--out");
        values.put("", argument.isOption() ? Verdict.BAD_USAGE : Verdict.REFUSED);
        values.put(file.toString(), Verdict.REFUSED);
        values.put(file.resolve("below").toString(), Verdict.REFUSED);
        values.put(folder.resolve("x".repeat(5000)).toString(), Verdict.REFUSED);
        if (!isWritten) {
            values.put(folder.resolve("none").toString(), Verdict.REFUSED);
            values.put(folder.resolve("empty").toString(), Verdict.REFUSED);
        }
        if (argument.isOption() && argument.paramLabel().equals("FILE")) {
            values.put(file.toString(), Verdict.EITHER); // whether it is a library is seen by opening it
        }
    }

    private static Stream<String> tried(Choice choice) {
        if (!choice.constants().isEmpty()) {
            String one = choice.constants().getFirst();
            return Stream.concat(
                    NO_NAMES.stream(),
                    Stream.of(one + "x", one + ",", "," + one, one + "," + one, one + " " + one, one.substring(1)));
        }
        if (choice.type() == Float.class) {
            return Stream.concat(NO_RATES.stream(), Stream.of("1e-3", "+.5", "3.5e38"));
        }
        return Stream.of(
                        NO_WHOLE_NUMBERS,
                        FAR_NUMBERS,
                        List.of("0", "-1", "1", "2", "5,5", "5,6", "1048576", "1048577", "2147483648", "5,\u0666"))
                .flatMap(List::stream);
    }

    /** By the record's own word on values that are written as it should be. */
    private static <O extends Record> boolean isPossible(Kind<O> kind, Choice choice, String value) {
        List<String> each = choice.differs() && !choice.main() ? List.of(value.split(",", -1)) : List.of(value);
        if (each.stream().anyMatch(one -> one.isBlank() || !one.chars().allMatch(c -> c < 128))
                || each.size() > 1 && choice.constants().isEmpty() && choice.type() == OptionalInt.class) {
            return false;
        }
        try {
            new Grid<>(kind, Map.of(choice.name(), each), OptionalLong.empty(), 100, new plateau.study.Seeds(1, 1))
                    .runs();
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
