package plateau.cli;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.function.Function;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import plateau.experiment.Choice;
import plateau.experiment.Kind;

/**
 * What can be chosen of a kind of experiment, as options of a command: their names, texts and
 * defaults are those of its record.
 */
final class KindOptions<O extends Record> {
    /** All values of an option that has two. */
    private static final String BOTH = "both";

    private final Kind<O> kind;
    private final Map<String, ArgSpec> arguments = new LinkedHashMap<>();

    private KindOptions(Kind<O> kind) {
        this.kind = kind;
    }

    /** Adds the options of a kind to a command. */
    static <O extends Record> KindOptions<O> addTo(CommandSpec command, Kind<O> kind) {
        KindOptions<O> options = new KindOptions<>(kind);
        for (Choice choice : kind.choices().all()) {
            if (choice.main()) {
                PositionalParamSpec parameter = PositionalParamSpec.builder()
                        .paramLabel(choice.symbol())
                        .arity("0..*")
                        .type(List.class)
                        .auxiliaryTypes(String.class)
                        .description(options.description(choice))
                        .completionCandidates(choice.constants())
                        .build();
                command.addPositional(parameter);
                options.arguments.put(choice.name(), parameter);
            } else {
                OptionSpec option = OptionSpec.builder("--" + choice.name())
                        .paramLabel(
                                choice.differs() ? choice.symbol() + "[," + choice.symbol() + "...]" : choice.symbol())
                        .arity("1")
                        .type(String.class)
                        .description(options.description(choice))
                        .completionCandidates(choice.constants().isEmpty() ? null : choice.constants())
                        .build();
                command.addOption(option);
                options.arguments.put(choice.name(), option);
            }
        }
        return options;
    }

    /** The default number of steps, for a description. */
    String steps() {
        return told(options -> kind.defaultSteps(options));
    }

    /** What was given, by name; nothing for what was not. */
    Map<String, List<?>> values() {
        Map<String, List<?>> values = new LinkedHashMap<>();
        for (Choice choice : kind.choices().all()) {
            List<String> given = given(choice);
            if (!given.isEmpty()) {
                values.put(
                        choice.name(),
                        given.equals(List.of(BOTH))
                                        && choice.differs()
                                        && choice.constants().size() == 2
                                ? choice.constants()
                                : given);
            }
        }
        return values;
    }

    /** What is typed for a choice, or stands for it in a description. */
    String typed(String name) {
        return arguments.get(name) instanceof OptionSpec option
                ? option.longestName()
                : arguments.get(name).paramLabel();
    }

    private List<String> given(Choice choice) {
        Object value = arguments.get(choice.name()).getValue();
        List<String> given = switch (value) {
            case null -> List.of();
            case List<?> list ->
                list.stream().map(String::valueOf).map(String::strip).toList();
            case String list
            when choice.differs() ->
                Arrays.stream(list.split(",", -1)).map(String::strip).toList();
            default -> List.of(value.toString().strip());
        };
        if (given.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException("%s has a value that is empty".formatted(typed(choice.name())));
        }
        return given;
    }

    private String description(Choice choice) {
        if (!choice.differs()) {
            String told = told(options -> kind.choices().values(options).get(choice.name()));
            return told.isEmpty() ? choice.text() : "%s (default: %s)".formatted(choice.text(), told);
        }
        boolean all = choice.constants().equals(choice.each());
        return "%s (default: %s)"
                .formatted(
                        choice.text(),
                        !all ? String.join(",", choice.each()) : choice.each().size() == 2 ? BOTH : "all");
    }

    /** What a default is: one value, or one for each of the constants it depends on. */
    private String told(Function<O, Object> value) {
        SequencedMap<String, Object> first = new LinkedHashMap<>();
        kind.choices()
                .differing()
                .forEach(choice -> first.put(choice.name(), choice.each().getFirst()));
        List<String> constants = new ArrayList<>(List.of(""));
        String varied = kind.choices().differing().stream()
                .filter(choice -> !choice.constants().isEmpty())
                .map(Choice::name)
                .findFirst()
                .orElse("");
        if (!varied.isEmpty()) {
            constants = kind.choices().all().stream()
                    .filter(choice -> choice.name().equals(varied))
                    .findFirst()
                    .orElseThrow()
                    .constants();
        }
        SequencedMap<String, Object> values = new LinkedHashMap<>();
        for (String constant : constants) {
            SequencedMap<String, Object> chosen = new LinkedHashMap<>(first);
            if (!constant.isEmpty()) {
                chosen.put(varied, constant);
            }
            values.put(constant, value.apply(kind.options(chosen)));
        }
        List<Object> distinct =
                values.values().stream().filter(Objects::nonNull).distinct().toList();
        if (distinct.size() <= 1) {
            return distinct.isEmpty() ? "" : text(distinct.getFirst());
        }
        return String.join(
                ", ",
                values.entrySet().stream()
                        .map(each -> each.getKey() + " " + text(each.getValue()))
                        .toList());
    }

    /** A float that is no more than its digits: 1.0E-4 as 0.0001. */
    static String text(Object value) {
        return value instanceof Float number
                ? new BigDecimal(number.toString()).toPlainString()
                : String.valueOf(value);
    }
}
