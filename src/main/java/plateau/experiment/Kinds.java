package plateau.experiment;

import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/**
 * The kinds of experiment that there are: those of the paper, and any others on the class or module
 * path.
 */
public final class Kinds {
    private static final List<Kind<?>> ALL = load();

    private Kinds() {}

    private static List<Kind<?>> load() {
        return ServiceLoader.load(Kind.class).stream().<Kind<?>>map(ServiceLoader.Provider::get).toList();
    }

    /** All of them, the paper's first, in its order. */
    public static List<Kind<?>> all() {
        return ALL;
    }

    /**
     * The kind of that name.
     *
     * @throws IllegalArgumentException with one line, if there is none
     */
    public static Kind<?> named(String name) {
        return ALL.stream().filter(kind -> kind.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no experiment '%s', but %s".formatted(name, ALL.stream().map(Kind::name).collect(Collectors.joining(", ")))));
    }
}
