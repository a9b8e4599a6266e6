package plateau.experiment;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * One thing that can be chosen of an experiment: a component of its options.
 *
 * @param name as it is typed and written: {@code subset-size}
 * @param symbol what stands for a value in a description
 * @param text what the value is
 * @param type of the component: Integer, Long, Float, OptionalInt or an enum
 * @param each values of a campaign's runs, where they differ in it, unless others are asked for;
 *     else empty
 * @param main whether those are typed without the name
 */
public record Choice(String name, String symbol, String text, Class<?> type, List<String> each, boolean main) {
    private static final Set<Class<?>> NUMBERS = Set.of(Integer.class, Long.class, Float.class, OptionalInt.class);

    private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9]+");

    /** @throws IllegalArgumentException with one line on a value of {@code each} that is none */
    public Choice {
        each = List.copyOf(each);
        for (String value : each) {
            if (parse(name, type, value) == null) {
                throw new IllegalArgumentException(name + ": a value of each is empty");
            }
        }
    }

    /** @throws IllegalArgumentException with one line on what is wrong with the component */
    static Choice of(RecordComponent component) {
        String described = "%s of %s"
                .formatted(component.getName(), component.getDeclaringRecord().getName());
        Option option = component.getAnnotation(Option.class);
        if (option == null) {
            throw new IllegalArgumentException(described + " has no @Option");
        }
        Class<?> type = component.getType();
        if (!NUMBERS.contains(type) && !type.isEnum()) {
            throw new IllegalArgumentException(
                    "%s is of type %s; an option is an Integer, Long, Float, OptionalInt or enum"
                            .formatted(described, type.getTypeName()));
        }
        String name = option.name().isEmpty() ? hyphenated(component.getName()) : option.name();
        return new Choice(name, option.symbol(), option.text(), type, List.of(option.each()), option.main());
    }

    /** Whether runs of one campaign may differ in it; it is then part of what tells them apart. */
    public boolean differs() {
        return !each.isEmpty();
    }

    /** The values of an enum, as they are typed; empty for other types. */
    public List<String> constants() {
        return constants(type);
    }

    private static List<String> constants(Class<?> type) {
        return type.isEnum()
                ? Arrays.stream(type.getEnumConstants())
                        .map(constant -> plain(constant).toString())
                        .toList()
                : List.of();
    }

    /**
     * As it is written: Integer, Long, Float, or the text of a constant; null for what is left
     * open.
     */
    static Object plain(Object value) {
        return switch (value) {
            case Enum<?> constant -> constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
            case OptionalInt number -> number.isPresent() ? number.getAsInt() : null;
            case null, default -> value;
        };
    }

    /**
     * The component's value for what was typed or read.
     *
     * @param value a text, a number, or null for the default
     * @throws IllegalArgumentException with one line, if it is none of the component's
     */
    Object parse(Object value) {
        return value == null ? null : parse(name, type, value.toString());
    }

    private static Object parse(String name, Class<?> type, String text) {
        if (text.isEmpty()) {
            return null;
        }
        if (type.isEnum()) {
            int constant = constants(type).indexOf(text.toLowerCase(Locale.ROOT));
            if (constant < 0) {
                throw new IllegalArgumentException(
                        "%s: '%s' is none of %s".formatted(name, text, String.join(", ", constants(type))));
            }
            return type.getEnumConstants()[constant];
        }
        boolean whole = type != Float.class;
        if (whole && !WHOLE.matcher(text).matches()) { // Java would take the digits of every script
            throw new IllegalArgumentException(
                    "%s must be a number without a fraction, not '%s'".formatted(name, text));
        }
        try {
            if (type == Integer.class) {
                return Integer.valueOf(text);
            }
            if (type == Long.class) {
                return Long.valueOf(text);
            }
            return type == Float.class ? Float.valueOf(text) : OptionalInt.of(Integer.parseInt(text));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    whole
                            ? "%s %s is beyond all that it can be".formatted(name, text)
                            : "%s must be a number, not '%s'".formatted(name, text),
                    e);
        }
    }

    private static String hyphenated(String camelCase) {
        return camelCase.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }
}
