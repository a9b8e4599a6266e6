package plateau.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Values as they are typed. Whole numbers are in the digits 0 to 9, since whoever reads a table, a
 * file's name or a message later cannot be asked for others; nothing stands for a value where one
 * is needed.
 */
final class TypedValues {
    /** Numbers between commas. */
    record Integers(List<Integer> values) {}

    /** A number, or auto: none. */
    record Count(OptionalInt number) {}

    static final String BEYOND_LOCALE =
            "its name has characters that the locale (LC_ALL, LC_CTYPE or LANG) has not; set LC_ALL=C.UTF-8";

    private TypedValues() {}

    /** Makes all commands of the line read them so. */
    static void register(CommandLine line) {
        ITypeConverter<Integer> integer = TypedValues::integer;
        ITypeConverter<Long> wide = text -> whole(text, Long::valueOf, Long.MAX_VALUE);
        line.registerConverter(int.class, integer).registerConverter(Integer.class, integer);
        line.registerConverter(long.class, wide).registerConverter(Long.class, wide);
        line.registerConverter(
                Integers.class,
                text -> new Integers(Arrays.stream(text.split(",", -1))
                        .map(TypedValues::integer)
                        .toList()));
        line.registerConverter(
                Count.class,
                text -> new Count(text.equals("auto") ? OptionalInt.empty() : OptionalInt.of(integer(text))));
        line.registerConverter(Path.class, TypedValues::path);
    }

    private static int integer(String text) {
        return whole(text, Integer::valueOf, Integer.MAX_VALUE);
    }

    /**
     * The values of a list, between commas.
     *
     * @throws IllegalArgumentException with one line, if one of them is empty
     */
    static List<String> list(String option, String text) {
        List<String> values =
                Arrays.stream(text.split(",", -1)).map(String::strip).toList();
        if (values.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException("%s has a value that is empty".formatted(option));
        }
        return values;
    }

    /**
     * Names of a list, between commas, each once; all where nothing is typed.
     *
     * @throws IllegalArgumentException with one line, if one of them is not known
     */
    static List<String> names(String option, String text, List<String> known) {
        if (text == null) {
            return known;
        }
        List<String> names = list(option, text).stream().distinct().toList();
        names.stream().filter(name -> !known.contains(name)).findFirst().ifPresent(name -> {
            throw new IllegalArgumentException(
                    "%s: '%s' is none of %s".formatted(option, name, String.join(", ", known)));
        });
        return names;
    }

    private static <N> N whole(String text, Function<String, N> parser, long most) {
        if (!text.matches("[+-]?[0-9]+")) {
            throw new TypeConversionException("'%s' is no whole number".formatted(text));
        }
        try {
            return parser.apply(text);
        } catch (NumberFormatException e) {
            throw new TypeConversionException(
                    "%s is beyond %s%d".formatted(text, text.startsWith("-") ? "-" : "", most));
        }
    }

    private static Path path(String text) {
        if (text.isEmpty()) {
            throw new TypeConversionException("the name of a file or folder is empty");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException(
                    text.indexOf('\0') >= 0 ? "no file or folder has the character 0 in its name" : BEYOND_LOCALE);
        }
    }
}
