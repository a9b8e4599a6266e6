package plateau.experiment;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * An experiment's options as a list of things that can be chosen, derived from their record: what a
 * command line, a file of specifications and the description of a run have in common.
 *
 * @param <O> the record; each component is an {@link Option} of type Integer, Long, Float,
 *     OptionalInt or an enum, and its constructor puts the default where it is given null
 */
public final class Choices<O extends Record> {
    private final Class<O> type;
    private final List<Choice> all;
    private final List<Method> accessors;

    private Choices(Class<O> type) {
        this.type = type;
        RecordComponent[] components = type.getRecordComponents();
        this.all = Arrays.stream(components).map(Choice::of).toList();
        this.accessors =
                Arrays.stream(components).map(RecordComponent::getAccessor).toList();
        if (all.stream().map(Choice::name).distinct().count() < all.size()) {
            throw new IllegalArgumentException(
                    "two options of %s have one name: %s".formatted(type.getName(), names()));
        }
    }

    /** What can be chosen of a record. */
    public static <O extends Record> Choices<O> of(Class<O> type) {
        return new Choices<>(type);
    }

    private String names() {
        return String.join(", ", all.stream().map(Choice::name).toList());
    }

    /** In the record's order. */
    public List<Choice> all() {
        return all;
    }

    /** Those in which the runs of a campaign differ. */
    public List<Choice> differing() {
        return all.stream().filter(Choice::differs).toList();
    }

    /**
     * Options from values by name; what is not named, or null, has its default.
     *
     * @param values texts or numbers
     * @throws IllegalArgumentException with one line on the first name or value that cannot be
     */
    public O create(Map<String, ?> values) {
        for (String name : values.keySet()) {
            if (all.stream().noneMatch(choice -> choice.name().equals(name))) {
                throw new IllegalArgumentException("there is no option '%s', but %s".formatted(name, names()));
            }
        }
        Object[] arguments = all.stream()
                .map(choice -> choice.parse(values.get(choice.name())))
                .toArray();
        Class<?>[] types = all.stream().map(Choice::type).toArray(Class<?>[]::new);
        try {
            return type.getDeclaredConstructor(types).newInstance(arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof RuntimeException refusal ? refusal : new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw inaccessible(e);
        }
    }

    private IllegalArgumentException inaccessible(ReflectiveOperationException e) {
        return new IllegalArgumentException(
                "the options %s must be a public record of a public class (%s)"
                        .formatted(type.getName(), e.getMessage()),
                e);
    }

    /** Options of another run of the kind, whose type is not known there. */
    public O cast(Record options) {
        return type.cast(options);
    }

    /**
     * Every option by its name: Integer, Long, Float, text of a constant, or null for what is left
     * open.
     */
    public SequencedMap<String, Object> values(O options) {
        SequencedMap<String, Object> values = new LinkedHashMap<>();
        for (int i = 0; i < accessors.size(); i++) {
            try {
                values.put(all.get(i).name(), Choice.plain(accessors.get(i).invoke(options)));
            } catch (ReflectiveOperationException e) {
                throw inaccessible(e);
            }
        }
        return values;
    }
}
