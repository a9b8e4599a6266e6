package plateau.experiment;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

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

    static Choice of(RecordComponent component) {
        Option option = component.getAnnotation(Option.class);
        if (option == null) {
            throw new IllegalArgumentException(
                    "%s of %s has no @Option".formatted(component.getName(), component.getDeclaringRecord().getName()));
        }
        String name = option.name().isEmpty() ? hyphenated(component.getName()) : option.name();
        return new Choice(
                name, option.symbol(), option.text(), component.getType(), List.of(option.each()), option.main());
    }

    /** Whether runs of one campaign may differ in it; it is then part of what tells them apart. */
    public boolean differs() {
        return !each.isEmpty();
    }

    /** The values of an enum, as they are typed; empty for other types. */
    public List<String> constants() {
        return type.isEnum() ? Arrays.stream(type.getEnumConstants()).map(Choice::plain).map(Object::toString).toList() : List.of();
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
        if (value == null || value.toString().isEmpty()) {
            return null;
        }
        String text = value.toString();
        try {
            if (type == Integer.class) {
                return Integer.valueOf(text);
            }
            if (type == Long.class) {
                return Long.valueOf(text);
            }
            if (type == Float.class) {
                return Float.valueOf(text);
            }
            if (type == OptionalInt.class) {
                return OptionalInt.of(Integer.parseInt(text));
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("%s must be a number%s, not '%s'".formatted(name, type == Float.class ? "" : " without a fraction", text));
        }
        Optional<?> constant = Arrays.stream(type.getEnumConstants()).filter(each -> plain(each).equals(text.toLowerCase(Locale.ROOT))).findFirst();
        return constant.orElseThrow(() -> new IllegalArgumentException("%s: '%s' is none of %s".formatted(name, text, String.join(", ", constants()))));
    }

    private static String hyphenated(String camelCase) {
        return camelCase.chars().mapToObj(c -> Character.isUpperCase(c) ? "-" + (char) Character.toLowerCase(c) : String.valueOf((char) c)).collect(Collectors.joining());
    }
}
