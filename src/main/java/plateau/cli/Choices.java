package plateau.cli;

import java.util.Arrays;
import java.util.List;

/** Constants as they are typed: {@code forward-only} for FORWARD_ONLY. */
final class Choices {
    private Choices() {}

    /** As it is typed. */
    static String typed(Enum<?> choice) {
        return choice.name().toLowerCase().replace('_', '-');
    }

    /** All of them, as they are typed. */
    static <E extends Enum<E>> List<String> typed(Class<E> type) {
        return Arrays.stream(type.getEnumConstants()).map(Choices::typed).toList();
    }

    /** @throws IllegalArgumentException with one line, if a text is none of the choices or is there twice */
    static <E extends Enum<E>> List<E> parse(Class<E> type, List<String> texts) {
        if (texts.stream().distinct().count() < texts.size()) {
            throw new IllegalArgumentException("something is named twice: " + String.join(", ", texts));
        }
        return texts.stream().map(text -> parse(type, text)).toList();
    }

    private static <E extends Enum<E>> E parse(Class<E> type, String text) {
        return Arrays.stream(type.getEnumConstants())
                .filter(choice -> typed(choice).equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + text + "' is none of " + String.join(", ", typed(type))));
    }

    /** @throws IllegalArgumentException with one line, if an option's value is there twice */
    static void requireDistinct(String option, List<?> values) {
        if (values.stream().distinct().count() < values.size()) {
            throw new IllegalArgumentException(option + " names a value twice: " + values);
        }
    }
}
